/**
 * Whether what a daemon has on disk is still where it took it. A folder that is removed under a daemon leaves it at work
 * where nobody can reach it, with processes that nobody can see, and lets another one begin beside it.
 * @module
 */
import { lstatSync } from "node:fs";
import { sleep } from "../async/mod.ts";
import { LOCK, SERVICES } from "../supervisor/mod.ts";
import { STORE } from "./store.ts";

/** What a daemon has lost: all that it knew, or only the lock that keeps others away from it. */
export interface Loss {
  readonly what: "state" | "lock";
  /** For the log. */
  readonly text: string;
}

/** What may have taken away or brought a name; writing to files does not. */
const MOVING: ReadonlySet<Deno.FsEvent["kind"]> = new Set(["remove", "rename", "any", "other"]);

/** Whoever removes a folder with all that is in it is not to find new things there meanwhile. */
const SETTLE_MS = 250;

export class Ground implements AsyncDisposable {
  readonly #folder: string;
  readonly #socket: string | undefined;
  readonly #tell: (text: string) => void;
  readonly #before: Readonly<Record<"folder" | "services" | "store" | "lock", string | undefined>>;
  readonly #lost = new AbortController();
  readonly #closed = new AbortController();
  #watcher: Deno.FsWatcher | undefined;
  #watching: Promise<void> = Promise.resolve();

  /** @param socket Undefined when it is others who made it. @param tell Told what is amiss, and mended. */
  constructor(folder: string, socket: string | undefined, tell: (text: string) => void) {
    this.#folder = folder;
    this.#socket = socket;
    this.#tell = tell;
    this.#before = this.#now();
  }

  /** Fires when the daemon has to end; the reason is a `Loss`. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Looks whenever something is removed or moved, from now on. @param listenAgain Makes the socket that is not there any more. */
  watch(listenAgain: () => Promise<void>): void {
    try {
      // A folder that is moved away as a whole is seen from above.
      const above = this.#folder.slice(0, this.#folder.lastIndexOf("/")) || "/";
      this.#watcher = Deno.watchFs([this.#folder, above], { recursive: false });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return this.#tell(`Cannot watch ${this.#folder}: ${error.message}`);
    }
    this.#watching = this.#watch(this.#watcher, listenAgain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#watching;
  }

  async #watch(watcher: Deno.FsWatcher, listenAgain: () => Promise<void>): Promise<void> {
    // What was removed before it was watched.
    await this.#look(listenAgain);
    let looking = Promise.resolve();
    let isDue = false;
    for await (const { kind } of watcher) {
      if (isDue || !MOVING.has(kind)) continue;
      isDue = true;
      looking = looking.then(() => sleep(SETTLE_MS, { signal: this.#closed.signal })).then(() => {
        isDue = false;
        return this.#look(listenAgain);
      }).catch((error) => {
        if (!this.#closed.signal.aborted) throw error;
      });
    }
    await looking;
  }

  async #look(listenAgain: () => Promise<void>): Promise<void> {
    const { folder, services, store, lock } = this.#now();
    const [state, before] = [this.#folder, this.#before];
    if (folder !== before.folder || services !== before.services || store !== before.store) {
      return this.#lose({ what: "state", text: `${state} was removed, or is another one now` });
    }
    if (lock !== before.lock) return this.#lose({ what: "lock", text: `the lock of ${state} was removed` });
    if (this.#socket === undefined || identityOf(this.#socket) !== undefined) return;
    try {
      await listenAgain();
      this.#tell(`${this.#socket} was removed, and is there again`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#tell(`Cannot listen again on ${this.#socket}: ${error.message}`);
    }
  }

  #lose(loss: Loss): void {
    this.#close();
    this.#lost.abort(loss);
  }

  #close(): void {
    this.#closed.abort();
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #now(): Readonly<Record<"folder" | "services" | "store" | "lock", string | undefined>> {
    return {
      folder: identityOf(this.#folder),
      services: identityOf(`${this.#folder}/${SERVICES}`),
      store: identityOf(`${this.#folder}/${STORE}`),
      lock: identityOf(`${this.#folder}/${LOCK}`),
    };
  }
}

/** Of what stands at a path; undefined when there is nothing. */
function identityOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
