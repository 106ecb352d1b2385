/**
 * Another host's daemon, followed from here: through ssh, which runs `nix-btm stream` there, or over HTTP with its token.
 * What was known of a host that is lost stays, and is said to be of before.
 * @module
 */
import { sleep } from "../async/mod.ts";
import { readEvents } from "../mcp/mod.ts";
import type { HostUpdate } from "./publisher.ts";
import { applyUpdate, emptyWorld, type Update, type World } from "./world.ts";

/** Where a host's daemon is. */
export type RemoteAddress =
  /** The words that print its messages, one a line. */
  | { readonly kind: "command"; readonly words: readonly [string, ...string[]] }
  | { readonly kind: "http"; readonly url: string; readonly token: string | undefined };

/** One message of a host; a snapshot of a busy one has some megabytes. */
const MESSAGE_MAX_BYTES = 256 * 2 ** 20;
/** Until a host that was lost is asked again, the first time and at most. */
const RETRY_MS = [1_000, 30_000] as const;
/** Characters of what ssh says on its end. */
const WHY_MAX = 200;

/**
 * Reads `NAME=ADDRESS` or an address that is its own name: `ssh:[USER@]HOST`, `http://HOST:PORT`, `https://HOST[:PORT]`.
 * @throws {SyntaxError} When it is none of these.
 */
export function parseRemote(
  text: string,
  token?: string,
): { readonly name: string; readonly address: RemoteAddress } {
  const [, named, rest = text] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  const ssh = /^ssh:(?:\/\/)?([^\s/-][^\s/]*)$/.exec(rest)?.[1];
  if (ssh !== undefined) {
    const words = [
      "ssh",
      "-o",
      "BatchMode=yes",
      "-o",
      "ServerAliveInterval=15",
      ssh,
      "nix-btm",
      "stream",
    ] as const;
    return { name: named ?? ssh.replace(/^.*@/, ""), address: { kind: "command", words } };
  }
  const url = URL.parse(rest);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SyntaxError(
      `Cannot read host "${text}": expected [NAME=]ssh:[USER@]HOST or [NAME=]https://HOST:PORT`,
    );
  }
  return { name: named ?? url.hostname, address: { kind: "http", url: url.origin, token } };
}

export interface RemoteOptions {
  readonly name: string;
  readonly address: RemoteAddress;
  readonly signal: AbortSignal;
  /** Hears what changed, with the host's name in it. */
  readonly tell: (message: HostUpdate) => void;
}

/** Follows a host until the signal fires; `world` is what is known of it. */
export class RemoteHost {
  readonly world: World = emptyWorld();
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** Resolves when the signal has fired. */
  async follow(): Promise<void> {
    const { signal, name } = this.#options;
    let waitMs: number = RETRY_MS[0];
    while (!signal.aborted) {
      let why = "it has ended";
      try {
        for await (const text of this.#messages()) {
          waitMs = RETRY_MS[0];
          this.#take(text);
        }
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted) return;
      this.#apply({ host: name, update: { notes: [why] } });
      await sleep(waitMs, { signal }).catch(() => "The loop's head looks at the signal.");
      waitMs = Math.min(2 * waitMs, RETRY_MS[1]);
    }
  }

  /** Of the host itself: what it knows of others is asked of them. */
  #take(text: string): void {
    const message = JSON.parse(text) as HostUpdate;
    if (message.host !== "" || typeof message.update !== "object") return;
    this.#apply({ ...message, host: this.#options.name, update: { ...message.update, notes: [""] } });
  }

  #apply(message: HostUpdate): void {
    if (message.isNew === true) {
      const { commands, jobs } = this.world;
      const gone: Update = { removedCommands: [...commands.keys()], removedJobs: [...jobs.keys()] };
      applyUpdate(this.world, gone);
    }
    applyUpdate(this.world, message.update);
    this.#options.tell(message);
  }

  #messages(): AsyncGenerator<string> {
    const { address, signal } = this.#options;
    return address.kind === "http" ? httpMessages(address, signal) : commandMessages(address.words, signal);
  }
}

async function* httpMessages(
  { url, token }: Extract<RemoteAddress, { kind: "http" }>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/v1/events`, { headers, signal });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`it answers with status ${response.status}`);
  }
  yield* readEvents(response.body, MESSAGE_MAX_BYTES);
}

async function* commandMessages(
  words: readonly [string, ...string[]],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const [program, ...args] = words;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const end = () => terminate(child);
  signal.addEventListener("abort", end, { once: true });
  const said = new Response(child.stderr).text();
  try {
    let rest = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      if (rest.length > MESSAGE_MAX_BYTES) throw new RangeError("a message is longer than anybody reads");
      yield* lines;
    }
  } finally {
    signal.removeEventListener("abort", end);
    await ended(child);
  }
  const { code } = await child.status;
  const last = (await said).trimEnd().split("\n").at(-1) ?? "";
  throw new Error(last.slice(0, WHY_MAX) || `${program} has ended with code ${code}`);
}

/** Whoever does not read it any more ends it. */
async function ended(child: Deno.ChildProcess): Promise<void> {
  terminate(child);
  await child.stdout.cancel().catch(() => "It is being read, or has been.");
  await child.status;
}

function terminate(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}
