/**
 * Records one endpoint: a look at every multiple of the interval, whatever the others do. An endpoint that goes away
 * leaves a gap, not an end; the gap, and a clock that was set, are marked in the recording.
 * @module
 */
import { nextTickMs, StatusError } from "../agent_client/mod.ts";
import { TaskGroup } from "../async/mod.ts";
import { jsonObject, jsonValue } from "./_json.ts";
import type { RecordingInfo } from "./_journal_recording.ts";
import type { EndpointOutput } from "./record_output.ts";
import type { Look, RecordSource } from "./record_source.ts";
import type { RunEvent } from "./run_events.ts";
import { type ClockedTick, TickClock } from "./tick_clock.ts";

/** Time and waiting, so that tests need not wait. */
export interface RecordClock {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** A clock that is never set, in nanoseconds. */
  monotonicNs(): bigint;
  /** Resolves at the Unix time `atMs`, or when the signal fires. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
}

/** How much a person wants to read: what matters, each tick, each request. */
export type RecordLogLevel = "info" | "debug" | "trace";

/** What the endpoints of one run share. */
export interface RecordRun {
  readonly intervalMs: number;
  readonly clock: RecordClock;
  /** On the monotonic clock: one that is set must not make a recording longer. */
  readonly endNs: bigint | undefined;
  /** File-level keys and labels that were given; they win. */
  readonly given: Required<RecordingInfo>;
  /** Whether it is one of several. */
  readonly several: boolean;
  log(line: string, level?: RecordLogLevel): void;
  /** Returns whether the event is kept in `runMetadata`. */
  onEvent(event: RunEvent): boolean;
  /** Called behind each tick, also one that was missed. */
  onTick(): void;
  /** Keys that tell how the run as a whole goes. */
  runMetadata(name: string): Readonly<Record<string, string>>;
}

/** How the recording of one endpoint went. */
export interface EndpointResult {
  readonly name: string;
  readonly url: string;
  readonly ticks: number;
  /** Ticks at which it gave nothing. */
  readonly missed: number;
  /** Whether it gave nothing at the last tick. */
  readonly away: boolean;
}

/** An answer that takes more of the interval than this is told of. */
const SLOW_RATIO = 0.75;

/** Records one endpoint into its place of an output. */
export class EndpointRecorder {
  readonly #source: RecordSource;
  readonly #output: EndpointOutput;
  readonly #run: RecordRun;
  readonly #axis = new TickClock();
  #ticks = 0;
  #missed = 0;
  #awayFor = 0;
  #toldSlow = false;
  #toldRounded = false;
  #firstMetadata: Look["snapshot"]["metadata"] = {};
  #firstNs: bigint | undefined;
  #last: { readonly timestampNs: bigint; readonly monotonicNs: bigint } | undefined;
  #described: Readonly<Record<string, string>> = {};

  constructor(source: RecordSource, output: EndpointOutput, run: RecordRun) {
    this.#source = source;
    this.#output = output;
    this.#run = run;
  }

  get result(): EndpointResult {
    const { name, url } = this.#source.endpoint;
    return { name, url, ticks: this.#ticks, missed: this.#missed, away: this.#awayFor > 0 };
  }

  /**
   * What is kept of the endpoint under `per_source_metadata`, with upstream's keys and ours. What is counted stands there
   * when the run is over: in a recording that is cut off it would be the count of some earlier tick.
   */
  account(isOver: boolean): Readonly<Record<string, unknown>> {
    const { url, role } = this.#source.endpoint;
    const status = jsonValue(this.#described["sampler_status"] ?? "");
    return {
      endpoint: withoutQuery(url),
      ...(role === undefined ? {} : { role }),
      // Over 2⁵³: to the microsecond, as all that read JSON can keep it.
      ...(this.#firstNs === undefined ? {} : { first_sample_ns: Number(this.#firstNs) }),
      ...(isOver ? this.#counts() : {}),
      ...(status === undefined ? {} : { sampler_status: status }),
    };
  }

  #counts(): Readonly<Record<string, number>> {
    return {
      ...(this.#last === undefined ? {} : { last_sample_ns: Number(this.#last.timestampNs) }),
      ticks: this.#ticks,
      missed_ticks: this.#missed,
    };
  }

  /** How messages name it. */
  get #name(): string {
    const { name, url } = this.#source.endpoint;
    return this.#run.several ? `${name} (${url})` : url;
  }

  /** Records until the run is over or the signal fires. @throws {JournalError} When it cannot be written. */
  async run(signal: AbortSignal): Promise<void> {
    await TaskGroup.run(signal, (group) => this.#loop(group));
  }

  async #loop(group: TaskGroup): Promise<void> {
    const { clock, intervalMs, endNs } = this.#run;
    const { signal } = group;
    for (;;) {
      // A tick that took longer than the interval skips what it missed instead of hurrying after it.
      const nowMs = clock.nowMs();
      const waitMs = nextTickMs(nowMs, intervalMs) - nowMs;
      const leftMs = endNs === undefined ? Infinity : Number(endNs - clock.monotonicNs()) / 1e6;
      await clock.sleepUntil(nowMs + Math.min(waitMs, leftMs), signal);
      if (signal.aborted || waitMs > leftMs) return;
      await this.#tick(group);
      if (signal.aborted) return;
      this.#run.onTick();
    }
  }

  /** Writes what is known of the endpoint at the end. @throws {JournalError} */
  finish(): void {
    if (this.#ticks > 0) this.#output.describe(this.#info());
  }

  async #tick(group: TaskGroup): Promise<void> {
    const { clock } = this.#run;
    const { signal } = group;
    const beganNs = clock.monotonicNs();
    let look: Look;
    try {
      look = await this.#source.look(signal);
    } catch (error) {
      if (!signal.aborted) this.#miss(error);
      return;
    }
    const monotonicNs = clock.monotonicNs();
    this.#tellSlow(Number(monotonicNs - beganNs) / 1e6, look);
    if (this.#awayFor > 0) this.#tellBack();
    const tick = this.#axis.tick(look.snapshot.timeNs, monotonicNs);
    if (tick === undefined) return this.#run.log(`${this.#name}: the look before once more`, "trace");
    if (tick.steppedNs !== undefined) this.#tellStep(tick);
    if (this.#firstNs === undefined) {
      this.#firstMetadata = look.snapshot.metadata;
      this.#firstNs = tick.timestampNs;
      this.#output.describe(this.#info());
    }
    this.#output.append(look, tick);
    this.#last = { timestampNs: tick.timestampNs, monotonicNs };
    const tookMs = Number(clock.monotonicNs() - monotonicNs) / 1e6;
    this.#run.log(`${this.#name}: tick ${tick.timestampNs} appended in ${tookMs.toFixed(1)} ms`, "trace");
    // Beside the ticks, so that none is late for it.
    if (this.#ticks++ === 0) group.start((over) => this.#describe(over));
    this.#tellRounded();
  }

  async #describe(signal: AbortSignal): Promise<void> {
    this.#described = await this.#source.describe(signal, (key, error) => {
      const absent = error instanceof StatusError && error.status === 404;
      this.#run.log(`${this.#name} gives no ${key}: ${reason(error)}`, absent ? "debug" : "info");
    });
    if (!signal.aborted) this.#output.describe(this.#info());
  }

  #info(): Required<RecordingInfo> {
    const { given, intervalMs, several } = this.#run;
    const { endpoint } = this.#source;
    const first = this.#firstMetadata;
    const source = endpoint.source ?? first["source"] ?? endpoint.name;
    const { sampler_status: _status, ...described } = this.#described;
    const host = jsonObject(described["systeminfo"] ?? "")?.["hostname"];
    const metadata = {
      ...first,
      source,
      sampling_interval_ms: String(intervalMs),
      ...described,
      // As upstream's combined files have it: agents are nodes, others instances.
      ...(several ? { [this.#source.protocol === "prometheus" ? "instance" : "node"]: endpoint.name } : {}),
      ...this.#run.runMetadata(endpoint.name),
      ...given.metadata,
    };
    return {
      metadata,
      labels: {
        source: metadata.source,
        ...(typeof host === "string" && host !== "" ? { host } : {}),
        ...(several ? { endpoint: withoutQuery(endpoint.url) } : {}),
        ...given.labels,
      },
    };
  }

  /** Where on the recording's axis of time it is now. */
  #nowNs(): bigint {
    const { clock } = this.#run;
    return this.#last === undefined
      ? BigInt(Math.round(clock.nowMs() * 1e6))
      : this.#last.timestampNs + clock.monotonicNs() - this.#last.monotonicNs;
  }

  #event(kind: RunEvent["kind"], description: string, timestampNs = this.#nowNs()): void {
    const source = this.#source.endpoint.name;
    const isKept = this.#run.onEvent({ timestampNs, kind, description, source });
    // At once: a recording that is cut off tells of its gaps, too.
    if (isKept && this.#firstNs !== undefined) this.#output.describe(this.#info());
  }

  #miss(error: unknown): void {
    this.#missed++;
    const found = reason(error);
    if (this.#awayFor++ > 0) return this.#run.log(`${this.#name}: ${found}`, "debug");
    // Also a page of too many samples is an answer.
    const answers = [SyntaxError, RangeError, StatusError].some((each) => error instanceof each);
    const what = answers ? "gives no snapshot" : "does not answer";
    this.#run.log(`${this.#name} ${what}, recording goes on when it does: ${found}`);
    this.#event("source_away", `${this.#name} ${what}: ${found}`);
  }

  #tellBack(): void {
    const line = `${this.#name} answers again, ${this.#awayFor} ticks are missing`;
    this.#run.log(line);
    this.#event("source_back", line);
    this.#awayFor = 0;
  }

  #tellStep({ steppedNs = 0n, timestampNs }: ClockedTick): void {
    const seconds = (Math.abs(Number(steppedNs)) / 1e9).toFixed(3);
    const line = `The clock of ${this.#name} was set ${steppedNs < 0n ? "back" : "forward"} by ${seconds} s`;
    this.#run.log(`${line}; recorded times do not follow`);
    this.#event("clock_step", line, timestampNs);
  }

  #tellSlow(tookMs: number, { snapshot }: Look): void {
    const { intervalMs, log } = this.#run;
    log(`${this.#name}: ${snapshot.groups.length} groups in ${tookMs.toFixed(1)} ms`, "debug");
    if (this.#toldSlow || tookMs <= SLOW_RATIO * intervalMs) return;
    this.#toldSlow = true;
    log(`${this.#name} takes ${Math.round(tookMs)} ms to answer, the interval is ${intervalMs} ms`);
  }

  #tellRounded(): void {
    const { roundedSeries } = this.#source;
    if (this.#toldRounded || roundedSeries === 0) return;
    this.#toldRounded = true;
    this.#run.log(
      `${this.#name}: recordings hold whole numbers, fractions of ${roundedSeries} series are rounded`,
    );
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Recordings are passed on, and what stands in a query may be a token. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, "");
}
