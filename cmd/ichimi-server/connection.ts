/** What a front end has of the daemon of its user. @module */
import { sleep } from "../../lib/async/time.ts";
import { ownCommand } from "../../lib/build/own_command.ts";
import { startInBackground } from "../../lib/cli/background.ts";
import type { Hello } from "../../lib/ichimi/hello.ts";
import { managerOf } from "../../lib/supervisor/lock.ts";
import { folders } from "./paths.ts";

/** A daemon that is upgraded is back within this. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;
/** A daemon that began after the client came does not know it. */
const UNKNOWN = 410;

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
  const { state } = folders();
  // One that is being upgraded is there, and does not answer for a moment.
  for (let waitedMs = 0; managerOf(state) !== undefined && waitedMs < PATIENCE_MS; waitedMs += RETRY_MS) {
    if (await answers()) return;
    await sleep(RETRY_MS);
  }
  await startInBackground([...ownCommand("ichimi-server"), "daemon", "--background"], answers);
}

/** A client's connection: while it stands, its processes have their client. It comes back to a daemon that was restarted. */
export class Connection implements AsyncDisposable {
  readonly #path = `/clients/${crypto.randomUUID()}`;
  readonly #hello: Hello;
  readonly #client = new DaemonClient();
  #closed = false;
  #joined: Promise<void> | undefined;
  /** Ends the connection. */
  #leave: () => Promise<void> = () => Promise.resolve();

  constructor(hello: Hello) {
    this.#hello = hello;
    this.#joinAgain();
  }

  /** Asks what is served to this client, at a path below its own. @throws {Error} When there is no daemon to be had. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    for (;;) {
      const joined = this.#joined ??= this.#join();
      try {
        await joined;
        const response = await this.#client.fetch(this.#path + path, init);
        if (response.status !== UNKNOWN) return response;
        await response.body?.cancel();
      } catch (error) {
        if (this.#joined === joined) this.#joined = undefined;
        // Nobody has heard of the request: it can be made again.
        if (init.signal?.aborted || !isUnheard(error)) throw error;
      }
      if (this.#joined === joined) this.#joined = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#joined?.catch(() => "There is nothing to leave.");
    await this.#leave();
    this.#client[Symbol.dispose]();
  }

  async #join(): Promise<void> {
    await startDaemon(this.#client);
    const response = await this.#client.fetch(this.#path, {
      method: "PUT",
      body: JSON.stringify(this.#hello),
    });
    if (!response.ok || response.body === null) {
      throw new Error(`The daemon refuses this client: ${(await response.text()).trim()}`);
    }
    const reader = response.body.getReader();
    const stayed = this.#stay(reader);
    this.#leave = async () => {
      await reader.cancel().catch(() => "The daemon has gone before.");
      await stayed;
    };
  }

  /** Comes back as soon as the daemon does: processes end with clients that stay away. */
  async #stay(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      while (!(await reader.read()).done);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // However it ended, it has ended.
    }
    if (this.#closed) return;
    this.#joinAgain();
  }

  #joinAgain(): void {
    this.#joined = this.#join();
    this.#joined.catch(() => "Told to who asks next.");
  }
}

/** Whether nobody listens: then nothing was sent. */
function isUnheard(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/connection refused|no such file or directory/i.test(cause.message)) return true;
  }
  return false;
}
