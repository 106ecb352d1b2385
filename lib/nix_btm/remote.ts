/**
 * Another host's daemon, followed from here: through ssh, which runs `nix-btm stream` there, or over HTTP with its token.
 * What was known of a host that is lost stays, and is said to be of before.
 * @module
 */
import { abortable, deadline, sleep } from "../async/mod.ts";
import { readEvents } from "../mcp/mod.ts";
import type { HostUpdate } from "./publisher.ts";
import { checkSize, readRemoteMessage } from "./remote_message.ts";
import { applyUpdate, emptyWorld, type Update, type World } from "./world.ts";

/** Where a host's daemon is. */
export type RemoteAddress =
  /** The words that print its messages, one a line. */
  | { readonly kind: "command"; readonly words: readonly [string, ...string[]] }
  | { readonly kind: "http"; readonly url: string; readonly token: string | undefined };

/** One message of a host; a snapshot of a busy one has some megabytes. */
const MESSAGE_MAX_BYTES = 64 * 2 ** 20;
/** Until a host that was lost is asked again, the first time and at most. */
const RETRY_MS = [1_000, 30_000] as const;
/** From a host that lives something comes within three of its beats. */
const SILENT_MS = 35_000;
/** Characters of what ssh says on its end. */
const WHY_MAX = 200;
/** A command that was asked to end is made to; whoever holds its standard error is not waited for. */
const END_MS = 2_000;

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
  /** A host of which nothing is heard for so long is lost. */
  readonly silentMs?: number;
}

/** While a host is followed. */
interface Following {
  readonly signal: AbortSignal;
  readonly silentMs: number;
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
    const message = readRemoteMessage(text);
    if (message === undefined) return;
    const { name } = this.#options;
    this.#apply({ host: name, isNew: message.isNew, update: { ...message.update, notes: [""] } });
    checkSize(name, this.world);
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
    const { address, signal, silentMs = SILENT_MS } = this.#options;
    const following = { signal, silentMs };
    return address.kind === "http"
      ? httpMessages(address, following)
      : commandMessages(address.words, following);
  }
}

/** Follows hosts until it is disposed; `worlds` gets what is known of each. */
export function followHosts(
  hosts: readonly { readonly name: string; readonly address: RemoteAddress }[],
  { worlds, tell }: { readonly worlds: Map<string, World>; readonly tell: RemoteOptions["tell"] },
): AsyncDisposable {
  const over = new AbortController();
  const following = hosts.map(({ name, address }) => {
    const host = new RemoteHost({ name, address, signal: over.signal, tell });
    worlds.set(name, host.world);
    return host.follow();
  });
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(following);
    },
  };
}

async function* httpMessages(
  { url, token }: Extract<RemoteAddress, { kind: "http" }>,
  following: Following,
): AsyncGenerator<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  // The request's signal ends the body with it.
  const over = new AbortController();
  try {
    const asked = fetch(`${url}/api/v1/events`, { headers, signal: over.signal });
    const response = await unlessSilent(asked, following);
    if (!response.ok || response.body === null) throw new Error(`it answers with status ${response.status}`);
    yield* readEvents(ReadableStream.from(piecesOf(response.body, following)), MESSAGE_MAX_BYTES);
  } finally {
    over.abort();
  }
}

/** Each piece as it comes. @throws {Error} When none comes for too long. @throws The signal's reason. */
async function* piecesOf<T>(stream: ReadableStream<T>, following: Following): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await unlessSilent(reader.read(), following);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => "It has failed, which was told.");
  }
}

async function unlessSilent<T>(promise: Promise<T>, { signal, silentMs }: Following): Promise<T> {
  using limit = deadline(silentMs, signal);
  try {
    return await abortable(promise, limit.signal);
  } catch (cause) {
    if (signal.aborted || !limit.signal.aborted) throw cause;
    throw new Error(`it has said nothing for ${silentMs / 1_000} s`, { cause });
  }
}

async function* commandMessages(
  words: readonly [string, ...string[]],
  following: Following,
): AsyncGenerator<string> {
  const { signal } = following;
  const [program, ...args] = words;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const end = () => kill(child, "SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const unread = new AbortController();
  const said = lastOf(child.stderr, unread.signal);
  try {
    yield* linesOf(ReadableStream.from(piecesOf(child.stdout, following)), signal);
  } finally {
    signal.removeEventListener("abort", end);
    await ended(child);
    // A master connection of ssh keeps it open.
    await soon(said);
    unread.abort();
    await said;
  }
  const { code } = await child.status;
  const last = (await said).trimEnd().split("\n").at(-1) ?? "";
  throw new Error(last.slice(-WHY_MAX) || `${program} has ended with code ${code}`);
}

/** Each line when it is whole; what has left the command may hold the stream open longer than anybody waits. */
async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let [held, length]: [string[], number] = [[], 0];
  for await (const piece of stream.pipeThrough(new TextDecoderStream(), { signal })) {
    held.push(piece);
    length += piece.length;
    if (piece.includes("\n")) {
      const lines = held.join("").split("\n");
      const rest = lines.pop()!;
      [held, length] = [[rest], rest.length];
      yield* lines;
    }
    if (length > MESSAGE_MAX_BYTES) throw new RangeError("a message is longer than anybody reads");
  }
}

/** The end of what comes, without what moves a cursor. */
async function lastOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<string> {
  let last = "";
  try {
    for await (const piece of stream.pipeThrough(new TextDecoderStream(), { signal })) {
      last = (last + piece).slice(-10 * WHY_MAX);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return last.replaceAll(/(?!\n)\p{Cc}/gu, "");
}

/** Whoever does not read it any more ends it. */
async function ended(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGTERM");
  await child.stdout.cancel().catch(() => "It is being read, or has been.");
  if (await soon(child.status) === undefined) kill(child, "SIGKILL");
  await child.status;
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended meanwhile.
  }
}

/** Undefined when it takes too long. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(END_MS, { signal: over.signal }).then(() => undefined, () => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
