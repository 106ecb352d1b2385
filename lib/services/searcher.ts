/** Searches in logs, one after the other in a worker that is ended when one takes too long. @module */
import type { FindRequest, Look, LookRequest, SearchReply, SearchRequest } from "./_search_worker.ts";
import type { Found } from "./log_find.ts";
import { PatternError, type Selection } from "./log_search.ts";

/** JavaScript's engine can need for ever for a pattern that Rust's does in no time. */
const LIMIT_MS = 10_000;
/** A search that nobody waits for any more may take so long: each worker that is ended costs two descriptors for good. */
const ABANDONED_MS = 1_000;

interface Waiting {
  readonly request: SearchRequest | FindRequest | LookRequest;
  readonly resolve: (answer: Selection | Found | Look) => void;
  readonly reject: (error: unknown) => void;
}

/** Searches logs until disposed. The worker is started with the first search. */
export class Searcher implements Disposable {
  readonly #limitMs: number;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #busy: { readonly job: Waiting; timer: ReturnType<typeof setTimeout> } | undefined;

  /** @param limitMs A search that takes longer is given up. */
  constructor(limitMs = LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /**
   * What is selected. When `signal` fires nobody waits for it any more: the search ends.
   * @throws {PatternError} On a pattern that cannot be read, or takes too long. @throws The signal's reason.
   */
  async search(request: SearchRequest, signal?: AbortSignal): Promise<Selection> {
    return await this.#ask(request, signal) as Selection;
  }

  /** The same with the places of lines. */
  async find(request: FindRequest, signal?: AbortSignal): Promise<Found> {
    return await this.#ask(request, signal) as Found;
  }

  /** The same of lines that have come since a look before. */
  async look(request: LookRequest, signal?: AbortSignal): Promise<Look> {
    return await this.#ask(request, signal) as Look;
  }

  [Symbol.dispose](): void {
    const reason = new Error("Cannot search: the tool ends");
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    this.#fail(reason);
    this.#end();
  }

  async #ask(
    request: Waiting["request"],
    signal: AbortSignal | undefined,
  ): Promise<Selection | Found | Look> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Selection | Found | Look>();
    const job = { request, resolve, reject };
    const onAbort = () => this.#drop(job, signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.push(job);
    this.#next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #next(): void {
    if (this.#busy !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const worker = this.#worker ??= this.#start();
    const timer = setTimeout(() => {
      this.#end();
      this.#fail(new PatternError(`Invalid regex pattern: it took longer than ${this.#limitMs / 1000} s`));
    }, this.#limitMs);
    this.#busy = { job, timer };
    worker.postMessage(job.request);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./_search_worker.ts", import.meta.url), {
      type: "module",
      name: "searcher",
    });
    worker.onmessage = ({ data }: MessageEvent<SearchReply>) => {
      const { job, timer } = this.#busy!;
      clearTimeout(timer);
      this.#busy = undefined;
      if ("answer" in data) job.resolve(data.answer);
      else job.reject(errorOf(data));
      this.#next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end();
      this.#fail(new Error(`Cannot search: ${event.message}`));
    };
    return worker;
  }

  #drop(job: Waiting, reason: unknown): void {
    const at = this.#waiting.indexOf(job);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      return job.reject(reason);
    }
    if (this.#busy?.job !== job) return;
    job.reject(reason);
    clearTimeout(this.#busy.timer);
    this.#busy.timer = setTimeout(() => {
      this.#end();
      this.#fail(reason);
    }, Math.min(ABANDONED_MS, this.#limitMs));
  }

  #fail(error: unknown): void {
    if (this.#busy === undefined) return;
    clearTimeout(this.#busy.timer);
    this.#busy.job.reject(error);
    this.#busy = undefined;
    this.#next();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

function errorOf({ error, name }: { readonly error: string; readonly name: string }): Error {
  return name === "PatternError" ? new PatternError(error) : new Error(error);
}
