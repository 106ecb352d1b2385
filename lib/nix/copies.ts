/** Store paths that go from one store to another for one command. Pure. @module */
import { BOUNDS, labelText } from "./bounds.ts";
import type { Jobs } from "./jobs.ts";
import type { Job, JobState } from "./model.ts";
import { Proof } from "./proof.ts";
import { nameOf } from "./store_path.ts";

/** A substitution has the copy that it makes within it: both are one, with two activities. */
interface Copy {
  readonly job: Job;
  running: number;
}

/** A copy succeeds when all of its bytes came, or the count of done ones rises beside its end. */
export class Copies {
  readonly #jobs: Jobs;
  /** By path the last one. */
  readonly #copies = new Map<string, Copy>();
  readonly #proof = new Proof<Copy>();

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** The activity of a substitution or a copy begins. `from` and `to` are stores; this machine's is `local`. */
  begin(
    { path, from, to }: { readonly path: string; readonly from: string; readonly to: string },
    nowMs: number,
  ): Job {
    const known = this.#copies.get(path);
    if (known !== undefined && known.running > 0) {
      known.running++;
      return known.job;
    }
    this.#proof.begin();
    const job = this.#jobs.begin({ kind: "copy", subject: path, name: nameOf(path) }, nowMs);
    job.host = from === "local" ? "" : labelText(from, BOUNDS.subject);
    job.to = to === "local" ? "" : labelText(to, BOUNDS.subject);
    this.#copies.set(job.subject, { job, running: 1 });
    return job;
  }

  /** One of a copy's activities has stopped. */
  end(
    job: Job,
    { wasInterrupted, nowMs }: { readonly wasInterrupted: boolean; readonly nowMs: number },
  ): void {
    const copy = this.#copies.get(job.subject);
    if (copy?.job !== job) return this.#jobs.over(job, { kind: "ended" }, nowMs);
    if (--copy.running > 0) return;
    const isWhole = job.expectedBytes > 0 && job.doneBytes === job.expectedBytes;
    const isCounted = this.#proof.take();
    if (wasInterrupted) return this.#jobs.over(job, { kind: "cancelled" }, nowMs);
    const isDone = isCounted || isWhole;
    this.#jobs.over(job, { kind: isDone ? "succeeded" : "ended" }, nowMs);
    if (!isDone) this.#proof.await(copy);
  }

  /** Nix counts so many more as done. */
  counted(more: number): void {
    for (const { job } of this.#proof.count(more)) this.#jobs.over(job, { kind: "succeeded" }, job.endedMs!);
  }

  /** Of those that ended, and of which nothing else is known, this is how. */
  settle(state: JobState): void {
    for (const { job } of this.#proof.drain()) this.#jobs.over(job, state, job.endedMs!);
  }

  /** All of them are those of another command; what that one knows of the same path counts. */
  moveTo(other: Copies): void {
    for (const [path, copy] of this.#copies) {
      if (!other.#copies.has(path)) other.#copies.set(path, copy);
      this.#jobs.give(copy.job, other.#jobs);
    }
  }
}
