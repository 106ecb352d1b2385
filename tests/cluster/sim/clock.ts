/** Time that passes when everything that could be done at a moment is done. @module */
import { setImmediate } from "node:timers";
import type { Chance, Clock } from "../../../lib/cluster/mod.ts";
import { type SeededRandom, seededRandom } from "../../metrics/seeded.ts";

interface Due {
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
}

/** All of a simulation's time. What happens at the same moment happens in the order in which it was asked for. */
export class SimTime {
  #nowMs = 0;
  #count = 0;
  readonly #due: Due[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs something after so long; returns how to let it be. */
  after(ms: number, run: () => void): () => void {
    const due = { atMs: this.#nowMs + Math.max(0, ms), number: this.#count++, run };
    let at = this.#due.length;
    while (at > 0 && isLater(this.#due[at - 1]!, due)) at--;
    this.#due.splice(at, 0, due);
    return () => {
      const found = this.#due.indexOf(due);
      if (found >= 0) this.#due.splice(found, 1);
    };
  }

  /** Lets so much time pass. `check` is called after each moment. */
  async pass(ms: number, check: () => Promise<void>): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    while (this.#due.length > 0 && this.#due[0]!.atMs <= untilMs) {
      const due = this.#due.shift()!;
      this.#nowMs = due.atMs;
      due.run();
      await settled();
      await check();
    }
    this.#nowMs = untilMs;
  }
}

function isLater(a: Due, b: Due): boolean {
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.number > b.number);
}

/** All that follows at once has followed: nothing of a simulation waits for the machine. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clock of one machine of a simulation; its wall clock may be wrong, and it may stand still for a while. */
export class SimClock implements Clock {
  readonly #time: SimTime;
  /** Of the wall clock, against the simulation's. */
  skewMs: number;
  #pausedUntilMs = 0;

  constructor(time: SimTime, skewMs = 0) {
    this.#time = time;
    this.skewMs = skewMs;
  }

  now(): number {
    return this.#time.nowMs;
  }

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#time.nowMs + this.skewMs;
  }

  /** Nothing that waits here goes on for so long, as of a stopped process. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#time.nowMs + ms);
  }

  sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      let cancel = () => {};
      const leave = () => {
        cancel();
        reject(signal?.reason);
      };
      const wake = () => {
        const leftMs = this.#pausedUntilMs - this.#time.nowMs;
        if (leftMs > 0) return void (cancel = this.#time.after(leftMs, wake));
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      cancel = this.#time.after(ms, wake);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}

/** Chance of a seed. */
export class SimChance implements Chance {
  readonly #random: SeededRandom;
  #ids = 0;
  readonly #name: string;

  constructor(seed: number, name: string) {
    this.#random = seededRandom(seed);
    this.#name = name;
  }

  id(): string {
    return `${this.#name}-${++this.#ids}-${this.below(1_000_000)}`;
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }
}
