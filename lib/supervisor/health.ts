/** Asking an instance how it is: until it is ready, and from then on whether it is well. @module */
import { sleep } from "../async/mod.ts";
import { ask, type PolledProbe, type Probe } from "./probes.ts";
import type { Run } from "./run.ts";

const READINESS_EVERY_MS = 100;
const LIVENESS_EVERY_MS = 5_000;
const LIVENESS_FAILURES = 3;

/** Asks one instance at a time; what it asks ends when it asks another, or with `stop`. */
export class Health {
  #asking = new AbortController();
  readonly #watch: (work: Promise<void>) => void;

  /** @param watch Takes what goes on meanwhile. */
  constructor(watch: (work: Promise<void>) => void) {
    this.#watch = watch;
  }

  stop(): void {
    this.#asking.abort();
  }

  /** Calls `ready` once the probe holds; without one, once the instance runs. */
  untilReady(run: Run, probe: (PolledProbe & Probe) | undefined, ready: () => void): void {
    this.#begin(async (signal) => {
      await run.begun;
      const everyMs = probe?.everyMs ?? READINESS_EVERY_MS;
      while (probe !== undefined && !(await ask(probe, signal))) await sleep(everyMs, { signal });
      // Of one that has ended meanwhile the end is told next.
      if (!signal.aborted && run.status().kind === "running") ready();
    });
  }

  /** Calls `unwell` with the reason once the probe did not hold several times in a row. */
  whileWell(probe: PolledProbe & Probe, unwell: (reason: string) => void): void {
    this.#begin(async (signal) => {
      const limit = probe.failures ?? LIVENESS_FAILURES;
      for (let failures = 0; failures < limit;) {
        await sleep(probe.everyMs ?? LIVENESS_EVERY_MS, { signal });
        failures = await ask(probe, signal) ? 0 : failures + 1;
      }
      if (!signal.aborted) unwell(`it was not well ${limit} times in a row: ${probe.kind}`);
    });
  }

  /** Asks until it is told to end, which is no failure. */
  #begin(body: (signal: AbortSignal) => Promise<void>): void {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    this.#watch(
      body(signal).catch((error) => {
        if (!signal.aborted) throw error;
      }),
    );
  }
}
