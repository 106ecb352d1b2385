/** Searches in logs, one after the other in a worker that is ended when one takes too long. @module */
import type { SearchReply, SearchRequest } from "./_search_worker.ts";
import { PatternError } from "./log_search.ts";

/** JavaScript's engine can need for ever for a pattern that Rust's does in no time. */
const LIMIT_MS = 10_000;

interface Waiting {
  readonly request: SearchRequest;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/** Searches logs until disposed. The worker is started with the first search. */
export class Searcher implements Disposable {
  readonly #limitMs: number;
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #busy: { readonly job: Waiting; readonly timer: ReturnType<typeof setTimeout> } | undefined;

  /** @param limitMs A search that takes longer is given up. */
  constructor(limitMs = LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /** The answer's text. @throws {PatternError} On a pattern that cannot be read, or takes too long. */
  search(request: SearchRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#next();
    });
  }

  [Symbol.dispose](): void {
    const reason = new Error("Cannot search: the manager ends");
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    this.#fail(reason);
    this.#end();
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
      if ("text" in data) job.resolve(data.text);
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

  #fail(error: Error): void {
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
