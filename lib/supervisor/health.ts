/** How an instance is, by asking it and by what it says: until it is ready, and from then on whether it is well. @module */
import { sleep } from "../async/mod.ts";
import type { LogEntry } from "../keeper/mod.ts";
import type { Place } from "./ledger.ts";
import { ask, isPolled, type PolledProbe, type Probe, type SaidProbe } from "./probes.ts";
import type { Run } from "./run.ts";
import { plainText } from "../tui/plain_text.ts";

const READINESS_EVERY_MS = 100;
const LIVENESS_EVERY_MS = 5_000;
const LIVENESS_FAILURES = 3;
/** What has to say by itself that it is well has to do so this often. */
export const SAID_EVERY_MS = 30_000;

/** What is waited for of one instance's words. */
interface Hearing {
  readonly folder: string;
  readonly isMeant: (entry: LogEntry) => boolean;
  readonly heard: () => void;
}

/** Minds one instance at a time; what it asks ends when it minds another, or with `stop`. */
export class Health {
  #asking = new AbortController();
  #hearing: Hearing | undefined;
  readonly #watch: (work: Promise<void>) => void;

  /** @param watch Takes what goes on meanwhile. */
  constructor(watch: (work: Promise<void>) => void) {
    this.#watch = watch;
  }

  stop(): void {
    this.#asking.abort();
    this.#hearing = undefined;
  }

  /** Takes everything that any instance says. */
  hear({ folder }: Place, entry: LogEntry): void {
    if (this.#hearing?.folder === folder && this.#hearing.isMeant(entry)) this.#hearing.heard();
  }

  /** Calls `ready` once the probe holds; without one, once the instance runs. */
  untilReady(run: Run, probe: Probe | undefined, ready: () => void): void {
    this.stop();
    if (probe !== undefined && !isPolled(probe)) {
      this.#hearing = { folder: run.place.folder, isMeant: meaning(probe, "READY"), heard: ready };
      return;
    }
    this.#begin(async (signal) => {
      await run.begun;
      const everyMs = probe?.everyMs ?? READINESS_EVERY_MS;
      while (probe !== undefined && !(await ask(probe, signal))) await sleep(everyMs, { signal });
      // Of one that has ended meanwhile the end is told next.
      if (!signal.aborted && run.status().kind === "running") ready();
    });
  }

  /** Calls `unwell` with the reason once the probe did not hold several times in a row. */
  whileWell(run: Run, probe: Probe, unwell: (reason: string) => void): void {
    this.stop();
    if (isPolled(probe)) this.#begin((signal) => whileAnswered(probe, signal, unwell));
    else this.#begin((signal) => this.#whileHeard(run, probe, { signal, unwell }));
  }

  async #whileHeard(
    { place: { folder } }: Run,
    probe: SaidProbe & Probe,
    { signal, unwell }: { readonly signal: AbortSignal; readonly unwell: (reason: string) => void },
  ): Promise<void> {
    const { everyMs = SAID_EVERY_MS } = probe;
    let heardMs = performance.now();
    const heard = () => {
      heardMs = performance.now();
    };
    this.#hearing = { folder, isMeant: meaning(probe, "WATCHDOG"), heard };
    for (let leftMs = everyMs; leftMs > 0; leftMs = heardMs + everyMs - performance.now()) {
      await sleep(leftMs, { signal });
    }
    if (!signal.aborted) unwell(`it did not say for ${everyMs} ms that it is well: ${probe.kind}`);
  }

  /** Goes on until it is told to end, which is no failure. */
  #begin(body: (signal: AbortSignal) => Promise<void>): void {
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    this.#watch(
      body(signal).catch((error) => {
        if (!signal.aborted) throw error;
      }),
    );
  }
}

async function whileAnswered(
  probe: PolledProbe & Probe,
  signal: AbortSignal,
  unwell: (reason: string) => void,
): Promise<void> {
  const limit = probe.failures ?? LIVENESS_FAILURES;
  for (let failures = 0; failures < limit;) {
    await sleep(probe.everyMs ?? LIVENESS_EVERY_MS, { signal });
    failures = await ask(probe, signal) ? 0 : failures + 1;
  }
  if (!signal.aborted) unwell(`it was not well ${limit} times in a row: ${probe.kind}`);
}

/** Whether an entry is what a probe waits for; of messages the one that sets `variable` to 1. */
function meaning(probe: SaidProbe, variable: string): (entry: LogEntry) => boolean {
  return probe.kind === "log"
    ? (entry) => entry.kind === "line" && probe.pattern.test(plainText(entry.line.text))
    : (entry) => entry.kind === "notify" && entry.values[variable] === "1";
}
