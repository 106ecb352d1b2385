/**
 * A client's connection to the daemon of its user: what is asked again when the daemon ends or becomes another one, and how
 * the client comes back to the next one.
 * @module
 */
import { sleep as pause } from "../async/time.ts";
import { type Hello, LOOKS_HEADER, REPEATABLE_HEADER } from "./hello.ts";

/** Between two attempts. */
const RETRY_MS = 50;
/** Behind a connection that was cut, until it is known that the daemon has gone. */
const GONE_MS = 1_000;
/** Said by a daemon that began after the client came, and by one that ends. */
const NOT_TAKEN: ReadonlySet<number> = new Set([410, 503]);
/** Said of a request that was being answered when the daemon ended. */
const CUT_OFF = 499;
/** Longer than what a daemon says. */
const LINE_CHARS = 100;

/** How a daemon is reached. */
export interface ConnectionOptions {
  /** Asks it. @throws {TypeError} When nobody answers. */
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  /** Resolves when there is one. @throws {Error} When there is none to be had. */
  readonly start: () => Promise<void>;
  /** Called once it is over. */
  readonly close?: () => void;
  readonly sleep?: typeof pause;
}

/** While it stands the daemon knows the client. */
interface Lease {
  /** Resolves when it has ended: with whether the daemon has answered all that it had begun. */
  readonly ended: Promise<boolean>;
  end(): Promise<void>;
}

/** A client's connection: while it stands, its processes have their client. It comes back to a daemon that was restarted. */
export class Connection implements AsyncDisposable {
  readonly #path = `/clients/${crypto.randomUUID()}`;
  readonly #hello: Hello;
  readonly #options: ConnectionOptions;
  readonly #sleep: typeof pause;
  #looks: ReadonlySet<string> = new Set();
  #closed = false;
  #lease: Promise<Lease> | undefined;

  constructor(hello: Hello, options: ConnectionOptions) {
    this.#hello = hello;
    this.#options = options;
    this.#sleep = options.sleep ?? pause;
    void this.#joinAgain();
  }

  /** Tools of which a call changes nothing, as the daemon says; none before it has said so. */
  get looks(): ReadonlySet<string> {
    return this.#looks;
  }

  /** Asks what is served to this client, at a path below its own. @throws {Error} When there is no daemon to be had. */
  async fetch(path: string, init: RequestInit): Promise<Response> {
    const mayRepeat = new Headers(init.headers).has(REPEATABLE_HEADER);
    for (;;) {
      const lease = await this.#joined();
      try {
        const response = await this.#options.fetch(this.#path + path, init);
        const isTaken = !NOT_TAKEN.has(response.status) && !(mayRepeat && response.status === CUT_OFF);
        if (isTaken) return response;
        await response.body?.cancel();
      } catch (error) {
        if (init.signal?.aborted || !(isUnheard(error) || await this.#wasLeft(lease))) throw error;
      }
      // Nobody has begun what was asked for: whoever comes next is.
      await this.#within(RETRY_MS, lease.ended);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.end();
    this.#options.close?.();
  }

  async #join(): Promise<Lease> {
    const response = await this.#arrive();
    if (!response.ok || response.body === null) {
      throw new Error(`The daemon refuses this client: ${(await response.text()).trim()}`);
    }
    this.#looks = new Set(response.headers.get(LOOKS_HEADER)?.split(" "));
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
      await this.#options.start();
      try {
        const body = JSON.stringify(this.#hello);
        const response = await this.#options.fetch(this.#path, { method: "PUT", body });
        if (!NOT_TAKEN.has(response.status)) return response;
        await response.body?.cancel();
      } catch (error) {
        // It has ended between the two; coming twice is coming once.
        if (!(error instanceof TypeError)) throw error;
      }
      await this.#sleep(RETRY_MS);
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

  /** Whether the daemon has gone with nothing begun that it has not answered. */
  async #wasLeft(lease: Lease): Promise<boolean> {
    return await this.#within(GONE_MS, lease.ended) === true;
  }

  /** What comes of it, or undefined when that takes too long. */
  async #within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
    const known = new AbortController();
    const late = this.#sleep(ms, { signal: known.signal }).catch(() => "It is known before.");
    try {
      return await Promise.race([promise, late.then(() => undefined)]);
    } finally {
      known.abort();
    }
  }
}

/** Whether nobody listens: then nothing was sent. */
function isUnheard(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (/connection refused|no such file or directory/i.test(cause.message)) return true;
  }
  return false;
}
