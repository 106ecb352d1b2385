/** What a front end has of the daemon of its user. @module */
import { readFileSync } from "node:fs";
import { processStart } from "../../ffi/ring/mod.ts";
import { sleep } from "../../lib/async/time.ts";
import { ownCommand } from "../../lib/build/own_command.ts";
import { startInBackground } from "../../lib/cli/background.ts";
import { type Hello, REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { managerOf } from "../../lib/supervisor/lock.ts";
import { onceClient } from "../../lib/web/once.ts";
import { folders } from "./paths.ts";

/** A daemon that is upgraded is back within this. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;
/** Said by a daemon that began after the client came, and by one that ends. */
const NOT_TAKEN: ReadonlySet<number> = new Set([410, 503]);
/** Said of a request that was being answered when the daemon ended. */
const CUT_OFF = 499;
/** Behind a connection that was cut, until it is known that the daemon has gone. */
const GONE_MS = 1_000;

/** While it stands the daemon knows the client. */
interface Lease {
  /** Fires when it has ended; the reason is whether the daemon has answered all that it had begun. */
  readonly ended: Promise<boolean>;
  end(): Promise<void>;
}

/** Asks the daemon over its socket. @throws {TypeError} When nobody answers. */
export class DaemonClient implements Disposable {
  readonly #client = onceClient({ socket: folders().socket });

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://localhost${path}`, { ...init, client: this.#client });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Starts the daemon when there is none. @throws {Error} When it does not come up. */
export async function startDaemon(client: DaemonClient): Promise<void> {
  const answers = async () => {
    try {
      await (await client.fetch("/status")).body?.cancel();
      return true;
    } catch (error) {
      // Nobody is there, or somebody who ends right now.
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  if (await answers()) return;
  const { state, upgrading } = folders();
  // One that begins, or becomes a newer one, does not answer for a moment.
  const comes = () => managerOf(state) !== undefined || becomesNewer(upgrading);
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && comes(); waitedMs += RETRY_MS) {
    if (await answers()) return;
    await sleep(RETRY_MS);
  }
  await startInBackground([...ownCommand("ichimi-server"), "daemon", "--background"], answers);
}

/** Whether the process that becomes a newer one still lives: one that was killed in the midst of it leaves the file. */
function becomesNewer(file: string): boolean {
  try {
    const [pid = "", startTicks = ""] = readFileSync(file, "utf8").trim().split(" ");
    return processStart(Number(pid)) === BigInt(startTicks);
  } catch (error) {
    // None does, or the file is being written or removed right now.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** A client's connection: while it stands, its processes have their client. It comes back to a daemon that was restarted. */
export class Connection implements AsyncDisposable {
  readonly #path = `/clients/${crypto.randomUUID()}`;
  readonly #hello: Hello;
  readonly #client = new DaemonClient();
  #closed = false;
  #lease: Promise<Lease> | undefined;

  constructor(hello: Hello) {
    this.#hello = hello;
    void this.#joinAgain();
  }

  /** Asks what is served to this client, at a path below its own. @throws {Error} When there is no daemon to be had. */
  async fetch(path: string, init: RequestInit): Promise<Response> {
    const mayRepeat = new Headers(init.headers).has(REPEATABLE_HEADER);
    for (;;) {
      const lease = await this.#joined();
      try {
        const response = await this.#client.fetch(this.#path + path, init);
        const isTaken = !NOT_TAKEN.has(response.status) && !(mayRepeat && response.status === CUT_OFF);
        if (isTaken) return response;
        await response.body?.cancel();
      } catch (error) {
        if (init.signal?.aborted || !(isUnheard(error) || await wasLeft(lease))) throw error;
      }
      // Nobody has begun what was asked for: whoever comes next is.
      await Promise.race([lease.ended, sleep(RETRY_MS)]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.end();
    this.#client[Symbol.dispose]();
  }

  async #join(): Promise<Lease> {
    const response = await this.#arrive();
    if (!response.ok || response.body === null) {
      throw new Error(`The daemon refuses this client: ${(await response.text()).trim()}`);
    }
    const reader = response.body.getReader();
    const ended = this.#stay(reader);
    return {
      ended,
      end: async () => {
        await reader.cancel().catch(() => "The daemon has gone before.");
        await ended;
      },
    };
  }

  /** At a daemon that stays. */
  async #arrive(): Promise<Response> {
    for (;;) {
      await startDaemon(this.#client);
      try {
        const body = JSON.stringify(this.#hello);
        const response = await this.#client.fetch(this.#path, { method: "PUT", body });
        if (!NOT_TAKEN.has(response.status)) return response;
        await response.body?.cancel();
      } catch (error) {
        // It has ended between the two; coming twice is coming once.
        if (!(error instanceof TypeError)) throw error;
      }
      await sleep(RETRY_MS);
    }
  }

  /** Comes back as soon as the daemon does: processes end with clients that stay away. */
  async #stay(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
    const decoder = new TextDecoder();
    let said = "";
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        said = (said + decoder.decode(read.value, { stream: true })).slice(-LINE_CHARS);
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // However it ended, it has ended.
    }
    if (!this.#closed) void this.#joinAgain();
    return said.includes("leaving");
  }

  /** The one way to come: two leases of one client would end each other. */
  #joinAgain(): Promise<Lease> {
    const joined = this.#lease = this.#join();
    joined.catch(() => {
      // Told to who waits for it; who asks next tries again.
      if (this.#lease === joined) this.#lease = undefined;
    });
    return joined;
  }

  #joined(): Promise<Lease> {
    return this.#lease ?? this.#joinAgain();
  }
}

/** Longer than what a daemon says. */
const LINE_CHARS = 100;

/** Whether the daemon has gone with nothing begun that it has not answered. */
async function wasLeft(lease: Lease | undefined): Promise<boolean> {
  if (lease === undefined) return false;
  return await Promise.race([lease.ended, sleep(GONE_MS).then(() => false)]);
}

/** Whether nobody listens: then nothing was sent. */
function isUnheard(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/connection refused|no such file or directory/i.test(cause.message)) return true;
  }
  return false;
}
