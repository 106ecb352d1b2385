/** What a front end has of the daemon of its user. @module */
import { statSync } from "node:fs";
import { sleep } from "../../lib/async/time.ts";
import { ownCommand } from "../../lib/build/own_command.ts";
import { startInBackground } from "../../lib/cli/background.ts";
import type { Hello } from "../../lib/ichimi/hello.ts";
import { managerOf } from "../../lib/supervisor/lock.ts";
import { folders } from "./paths.ts";

/** A daemon that is upgraded is back within this. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;
/** Said by a daemon that began after the client came, and by one that ends. */
const NOT_TAKEN: ReadonlySet<number> = new Set([410, 503]);
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
  readonly #client = Deno.createHttpClient({ proxy: { transport: "unix", path: folders().socket } });

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
  const comes = () => managerOf(state) !== undefined || isRecent(upgrading);
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && comes(); waitedMs += RETRY_MS) {
    if (await answers()) return;
    await sleep(RETRY_MS);
  }
  await startInBackground([...ownCommand("ichimi-server"), "daemon", "--background"], answers);
}

/** A daemon that was killed in the midst of it leaves the file. */
function isRecent(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs < PATIENCE_MS;
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
    this.#joinAgain();
  }

  /** Asks what is served to this client, at a path below its own. @throws {Error} When there is no daemon to be had. */
  async fetch(path: string, init: RequestInit): Promise<Response> {
    for (;;) {
      const joined = this.#lease ??= this.#join();
      let lease: Lease | undefined;
      try {
        lease = await joined;
        const response = await this.#client.fetch(this.#path + path, init);
        if (!NOT_TAKEN.has(response.status)) return response;
        await response.body?.cancel();
      } catch (error) {
        if (init.signal?.aborted || !(isUnheard(error) || await wasLeft(lease))) {
          if (this.#lease === joined) this.#lease = undefined;
          throw error;
        }
      }
      // Nobody has begun what was asked for.
      if (this.#lease === joined) this.#lease = undefined;
      await sleep(RETRY_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.end();
    this.#client[Symbol.dispose]();
  }

  async #join(): Promise<Lease> {
    await startDaemon(this.#client);
    const response = await this.#client.fetch(this.#path, {
      method: "PUT",
      body: JSON.stringify(this.#hello),
    });
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
    if (!this.#closed) this.#joinAgain();
    return said.includes("leaving");
  }

  #joinAgain(): void {
    this.#lease = this.#join();
    this.#lease.catch(() => "Told to who asks next.");
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
