/**
 * Who seals a journal's rows: a worker with its own connection, so that the loop which appends is never late for it.
 * @module
 */
import { checkpoint, finishJournal, sealTable } from "./seal.ts";
import { openRezToWrite } from "./rez_db.ts";
import { type ConvertOptions, convertToParquet } from "./convert.ts";
import type { WrittenFile } from "./parquet/mod.ts";

/** Work for a sealer. */
export type SealJob =
  | {
    readonly kind: "seal";
    readonly path: string;
    readonly recordingId: number;
    readonly table: string;
    readonly untilNs: bigint;
  }
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "finish"; readonly path: string }
  | {
    readonly kind: "convert";
    readonly path: string;
    readonly output: string;
    readonly options: ConvertOptions;
  };

/** Does jobs one after the other, in the order they come. */
export interface Sealer extends Disposable {
  /** Resolves when the job is done. @throws {Error} What went wrong with the job. */
  run(job: SealJob): Promise<WrittenFile | undefined>;
}

/** Does a job here and now. */
export function runSealJob(job: SealJob): WrittenFile | undefined {
  if (job.kind === "convert") return convertToParquet(job.path, job.output, job.options);
  const db = openRezToWrite(job.path);
  try {
    if (job.kind === "seal") {
      sealTable(db, job.recordingId, job.table, job.untilNs);
    } else if (job.kind === "sync") checkpoint(db);
    else finishJournal(db);
    return undefined;
  } finally {
    db.close();
  }
}

/** Returns a sealer that works in this thread: for programs in which nothing else waits. */
export function inlineSealer(): Sealer {
  return {
    // Not at once: the caller goes on first, and a failure is a rejection.
    run: (job) => Promise.resolve().then(() => runSealJob(job)),
    [Symbol.dispose]: () => {},
  };
}

/** A worker's answer. */
export interface SealReply {
  readonly id: number;
  readonly written?: WrittenFile;
  readonly problem?: string;
}

/** The module that the worker runs; a bundler has to know it as an entry of its own. */
const SEALER_WORKER = new URL("./_sealer_worker.ts", import.meta.url);

interface Waiting {
  readonly job: SealJob;
  readonly resolve: (written: WrittenFile | undefined) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Returns a sealer in a worker. When its module cannot be loaded the jobs are done in this thread, after `onProblem` was
 * told: late ticks are better than a journal that is never sealed.
 */
export function workerSealer(onProblem: (text: string) => void, module = SEALER_WORKER): Sealer {
  const waiting = new Map<number, Waiting>();
  const inline = inlineSealer();
  let [nextId, broken] = [0, false];
  const worker = new Worker(module, { type: "module", name: "sealer" });
  worker.onmessage = ({ data }: MessageEvent<SealReply>) => {
    const { resolve, reject } = waiting.get(data.id)!;
    waiting.delete(data.id);
    if (data.problem === undefined) resolve(data.written);
    else reject(new Error(data.problem));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    if (broken) return;
    broken = true;
    onProblem(`The sealing worker has failed, sealing goes on in the main thread: ${event.message}`);
    for (const { job, resolve, reject } of waiting.values()) inline.run(job).then(resolve, reject);
    waiting.clear();
  };
  return {
    run(job) {
      if (broken) return inline.run(job);
      const { promise, resolve, reject } = Promise.withResolvers<WrittenFile | undefined>();
      waiting.set(nextId, { job, resolve, reject });
      worker.postMessage({ id: nextId++, job });
      return promise;
    },
    [Symbol.dispose]: () => worker.terminate(),
  };
}
