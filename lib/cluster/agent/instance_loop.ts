/** Brings one instance to what is wanted of it, a step at a time. @module */
import { backoffMs } from "../../async/mod.ts";
import type { Clock } from "../clock.ts";
import { type Driver, DriverError, type DriverInstance } from "../drivers/mod.ts";
import type { InstancePhase, InstanceStatus } from "../model/instance.ts";
import { EMPTY_JOURNAL, type Journal, nextStep, RESTART_BACKOFF, type Sight, type Wanted } from "./step.ts";

/** What is remembered of instances, beside them. */
export interface Journals {
  get(id: string): Journal | undefined;
  put(id: string, journal: Journal): void;
  drop(id: string): void;
}

/** What a loop works with. */
export interface LoopOptions {
  readonly id: string;
  readonly node: string;
  /** The driver that has the instance, or is to have it; undefined when the node has none of its kind. */
  readonly driverOf: (wanted: Wanted) => Driver | undefined;
  readonly journals: Journals;
  readonly clock: Clock;
  readonly report: (status: InstanceStatus) => Promise<void>;
  /** Told what did not come about. */
  readonly trouble: (text: string) => void;
}

/** What is asked to end has so long to do it. */
const GRACE_MS = 10_000;
/** Until it is told again what nobody has heard. */
const REPORT_MS = 1_000;

export class InstanceLoop {
  readonly #options: LoopOptions;
  #wanted: Wanted;
  #wake = Promise.withResolvers<void>();
  #journal: Journal;
  #endedAtMs: number | undefined;
  /** Steps that failed in a row. */
  #failed = 0;
  #problem: string | undefined;
  #reported = "";

  constructor(options: LoopOptions, wanted: Wanted) {
    this.#options = options;
    this.#wanted = wanted;
    this.#journal = options.journals.get(options.id) ?? EMPTY_JOURNAL;
  }

  /** Something is wanted of it from now on. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    // What could not be done may be possible now.
    this.#failed = 0;
    this.look();
  }

  /** Something is another way. */
  look(): void {
    this.#wake.resolve();
  }

  /** Works until the signal fires, or nothing is there and nothing is wanted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const wake = this.#wake.promise;
      const sight = this.#look();
      const step = nextStep(sight);
      const isTold = await this.#report(sight);
      if (isTold && step.kind === "rest" && sight.found === undefined && this.#isOver()) {
        this.#options.journals.drop(this.#options.id);
        return;
      }
      const tellMs = isTold ? Infinity : REPORT_MS;
      if (step.kind === "rest") await this.#until(wake, tellMs, signal);
      else if (step.kind === "wait") await this.#until(wake, Math.min(step.ms, tellMs), signal);
      else if (await this.#tried(() => this.#do(step, sight))) this.#failed = 0;
      else await this.#until(wake, backoffMs(RESTART_BACKOFF, ++this.#failed), signal);
    }
  }

  #look(): Sight {
    const { id, driverOf, clock } = this.#options;
    const found = driverOf(this.#wanted)?.list().find((each) => each.id === id);
    if (found?.state.kind !== "ended") this.#endedAtMs = undefined;
    else this.#endedAtMs ??= clock.now();
    const endedForMs = this.#endedAtMs === undefined ? 0 : clock.now() - this.#endedAtMs;
    return { wanted: this.#wanted, found, journal: this.#journal, endedForMs };
  }

  #isOver(): boolean {
    return this.#wanted.kind !== "here" || this.#wanted.instance.isDeleting;
  }

  async #do(
    step: Exclude<ReturnType<typeof nextStep>, { kind: "rest" | "wait" }>,
    { found }: Sight,
  ): Promise<void> {
    const { id, driverOf, journals } = this.#options;
    const wanted = this.#wanted;
    const driver = driverOf(wanted);
    if (driver === undefined) {
      const kind = wanted.kind === "here" ? wanted.instance.workload.driver : "";
      throw new DriverError("unsupported", `this node has no driver "${kind}"`);
    }
    if (step.kind === "create") {
      if (wanted.kind === "here") await driver.create(wanted.instance);
      return;
    }
    const identity = { id, epoch: found!.epoch };
    switch (step.kind) {
      case "start":
        // Known before it is done: an agent that dies between the two does not start it twice for one wish.
        this.#journal = step.journal;
        journals.put(id, step.journal);
        return await driver.start(identity);
      case "pause":
        return await driver.pause(identity);
      case "resume":
        return await driver.resume(identity);
      case "stop":
        return void await driver.stop(identity, GRACE_MS);
      case "delete":
        return await driver.delete(identity);
      default:
        return step satisfies never;
    }
  }

  async #tried(body: () => Promise<void>): Promise<boolean> {
    try {
      await body();
      this.#problem = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (this.#problem !== error.message) this.#options.trouble(`${this.#options.id}: ${error.message}`);
      this.#problem = error.message;
      return false;
    }
  }

  /** False when nobody answers. */
  async #report({ wanted, found }: Sight): Promise<boolean> {
    if (wanted.kind !== "here" || wanted.instance.placement === null) return true;
    const { id, node, clock, report } = this.#options;
    const { placement: { epoch }, generation } = wanted.instance;
    const seen = {
      ...{ id, node, epoch, generation },
      phase: this.#phase(wanted, found),
      reason: this.#problem ?? (found?.state.kind === "ended" ? found.state.end.reason : null),
      pid: found !== undefined && "pid" in found.state ? found.state.pid : null,
      exitCode: found?.state.kind === "ended" ? found.state.end.code : null,
      restarts: this.#journal.failures,
    };
    const text = JSON.stringify(seen);
    if (text === this.#reported) return true;
    const isTold = await this.#tried(() =>
      report({ ...seen, since: new Date(clock.wallMs()).toISOString() })
    );
    if (isTold) this.#reported = text;
    return isTold;
  }

  #phase({ instance }: Extract<Wanted, { kind: "here" }>, found: DriverInstance | undefined): InstancePhase {
    if (found === undefined) {
      return instance.isDeleting ? "gone" : this.#problem === undefined ? "creating" : "failed";
    }
    const { state } = found;
    const isToEnd = instance.isDeleting || instance.power === "stopped";
    switch (state.kind) {
      case "created":
        return isToEnd ? "stopped" : this.#problem === undefined ? "starting" : "failed";
      case "running":
        return isToEnd ? "stopping" : "running";
      case "paused":
        return isToEnd ? "stopping" : "paused";
      case "ended":
        return state.end.isSuccess || state.end.wasAsked ? "stopped" : "failed";
      default:
        return state satisfies never;
    }
  }

  async #until(wake: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const ended = AbortSignal.any([signal, done.signal]);
    const gone = new Promise<void>((resolve) =>
      ended.addEventListener("abort", () => resolve(), { once: true })
    );
    const due = ms === Infinity ? gone : this.#options.clock.sleep(ms, { signal: ended }).catch((error) => {
      if (!ended.aborted) throw error;
    });
    await Promise.race([wake, due, gone]);
    done.abort();
  }
}
