/** The jobs of one command, whatever they do: how they begin, what they tell, how they are over. Pure. @module */
import { BOUNDS, cutText, labelText } from "./bounds.ts";
import {
  type Command,
  isOver,
  type Job,
  type JobKind,
  type JobState,
  newJob,
  OVER_TAIL_LINES,
  TAIL_LINES,
} from "./model.ts";
import type { Rows } from "./rows.ts";

/** Jobs that nobody wants to see once they are over. */
const PASSING: ReadonlySet<JobKind> = new Set(["query", "other"]);

/** Changes rows in place, and tells each change. Times are Unix milliseconds. */
export class Jobs {
  readonly #rows: Rows;
  readonly #command: Command;
  #hasWorked = false;

  constructor(rows: Rows, command: Command) {
    this.#rows = rows;
    this.#command = command;
  }

  /** Whether anything began that is still seen when it is over. */
  get hasWorked(): boolean {
    return this.#hasWorked;
  }

  /** A job begins, or is planned where there is no time. */
  begin(
    { kind, subject, name }: { readonly kind: JobKind; readonly subject: string; readonly name: string },
    nowMs: number | undefined,
  ): Job {
    const named = { subject: labelText(subject, BOUNDS.subject), name: labelText(name, BOUNDS.subject) };
    const job = newJob({ id: this.#rows.nextId(), command: this.#command.id, kind, ...named }, nowMs);
    this.#rows.job(job);
    this.#hasWorked ||= !PASSING.has(kind);
    return job;
  }

  /** It has another state. */
  set(job: Job, state: JobState): void {
    job.state = state;
    this.#rows.job(job);
  }

  /** It has printed a line. */
  line(job: Job, text: string, nowMs: number): void {
    job.lineCount++;
    if (job.tail.length === TAIL_LINES) job.tail.shift();
    job.tail.push(cutText(text, BOUNDS.line));
    this.#rows.job(job);
    this.#rows.listener.line?.(job, text, nowMs);
  }

  /** It has come to another phase. */
  phase(job: Job, name: string, nowMs: number): void {
    if (job.phases.length === BOUNDS.phases) job.phases.pop();
    job.phases.push({ name: labelText(name, BOUNDS.phase), atMs: nowMs });
    this.#rows.job(job);
  }

  /** So many bytes have gone; numbers that cannot be are dropped. */
  bytes(job: Job, done: number, expected: number): void {
    if (!(done >= 0 && expected >= 0) || (done === job.doneBytes && expected === job.expectedBytes)) return;
    job.doneBytes = done;
    job.expectedBytes = expected;
    this.#rows.job(job);
  }

  /** It is over, or turned out to have been over in another way. Of those that nobody wants to see nothing is left. */
  over(job: Job, state: JobState, nowMs: number): void {
    if (PASSING.has(job.kind)) return this.forget(job);
    if (!isOver(job)) this.#rows.finished(job);
    job.endedMs = nowMs;
    if (state.kind !== "failed") job.tail.splice(0, Math.max(0, job.tail.length - OVER_TAIL_LINES));
    this.set(job, state);
  }

  /** It never was. */
  forget(job: Job): void {
    this.#rows.forget(job);
  }

  /** The command is a part of another one. */
  join(other: Jobs): void {
    other.#hasWorked ||= this.#hasWorked;
  }

  /** A job of this command is one of another command. */
  give(job: Job, to: Jobs): void {
    job.command = to.#command.id;
    this.#rows.job(job);
  }
}
