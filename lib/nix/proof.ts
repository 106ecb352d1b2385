/**
 * Which of the jobs that ended are done: Nix counts what is done without saying what it was, directly before the end of
 * it or directly after. Pure.
 * @module
 */

/** Ends that wait for a count, which comes directly after: the oldest of more wait in vain. */
const OPEN_MAX = 1_000;

/** Of jobs of one kind of one command. */
export class Proof<Job> {
  /** How many were counted whose end has not come. */
  #credits = 0;
  /** Whose end came without a count. */
  #open: Job[] = [];

  /** Another one begins: what was counted and belongs to no end was of something else. */
  begin(): void {
    this.#credits = 0;
  }

  /** One has ended; whether that is counted already. */
  take(): boolean {
    if (this.#credits === 0) return false;
    this.#credits--;
    return true;
  }

  /** One that ended uncounted. */
  await(job: Job): void {
    this.#open.push(job);
    if (this.#open.length > OPEN_MAX) this.#open.shift();
  }

  /** So many more are counted; returns those that ended, of which this is the proof. */
  count(more: number): Job[] {
    const proven = this.#open.splice(Math.max(0, this.#open.length - more));
    this.#credits += Math.max(0, more - proven.length);
    return proven;
  }

  /** Of one it is known now otherwise. */
  settle(job: Job): void {
    this.#open = this.#open.filter((each) => each !== job);
  }

  /** Those that ended, of which nothing is known. */
  drain(): Job[] {
    return this.#open.splice(0);
  }
}
