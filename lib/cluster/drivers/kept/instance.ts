/** One instance under keepers: started, paused, stopped and found again; one thing at a time. @module */
import { type ExitStatus, type Heard, KeeperControl } from "../../../keeper/mod.ts";
import { signalName } from "../../../../ffi/sys/mod.ts";
import { sleep } from "../../../async/mod.ts";
import {
  cgroupsOf,
  type InstanceContext,
  Instances,
  lives,
  type Place,
  removeCgroups,
  type Run,
  settlePlace,
  wasEnded,
} from "../../../supervisor/mod.ts";
import type { DriverKind } from "../../model/instance.ts";
import { DriverError, type DriverState, type DriverStats, type RunEnd } from "../driver.ts";
import { Home } from "./home.ts";
import type { ChildEnd, Hold, Kind, SpecOf } from "./kind.ts";
import { runStats } from "./stats.ts";

/** Runs whose logs are kept, and their bytes together; the newest is always kept. */
const RETENTION = { count: 5, bytes: 64 * 2 ** 20 };
/** Lines that tell why it could not be started. */
const LAST_WORDS = 5;

/** A process that waits for a disk ends when that has answered. */
const CGROUP_TRIES = 1_000;
const CGROUP_EVERY_MS = 5;

/** What instances share. */
export interface KeptContext extends InstanceContext {
  /** Goes on after the call. */
  watch(work: Promise<void>): void;
}

/** A run that has not ended. */
interface Current {
  readonly run: Run;
  readonly ended: PromiseWithResolvers<void>;
  readonly letGo: AbortController;
  hold: Hold | undefined;
}

export class KeptInstance<K extends DriverKind> {
  spec: SpecOf<K>;
  readonly home: Home;
  readonly #kind: Kind<K>;
  readonly #runs: Instances;
  readonly #tell: (state: DriverState) => void;
  readonly #gone: () => void;
  #current: Current | undefined;
  #state: DriverState = { kind: "created" };
  #turn: Promise<unknown> = Promise.resolve();
  #words: string[] = [];
  #deleting: Promise<void> | undefined;
  #isGone = false;

  constructor(
    spec: SpecOf<K>,
    { root, kind, context, tell, gone }: {
      readonly root: string;
      readonly kind: Kind<K>;
      readonly context: KeptContext;
      /** Hears of each state. */
      readonly tell: (state: DriverState) => void;
      /** Nothing is left of it. */
      readonly gone: () => void;
    },
  ) {
    this.spec = spec;
    this.home = new Home(root, spec.id);
    this.#kind = kind;
    this.#tell = tell;
    this.#gone = gone;
    this.#runs = new Instances(this.home.ledger, context, {
      said: (_, heard) => this.#said(heard),
      ended: (run, outcome) => context.watch(this.#ended(run, outcome.kind === "lost" ? undefined : outcome)),
      failed: (place, error) => this.#words.push(`cannot follow "${place.folder}": ${messageOf(error)}`),
      watch: (work) => context.watch(work),
    });
  }

  get state(): DriverState {
    return this.#state;
  }

  /** Looks what a driver before this one left, and goes on with it. */
  async adopt(): Promise<void> {
    const places = this.home.ledger.places("run");
    const newest = places.findLast((place) => settlePlace(place).kind !== "void");
    for (const place of places) if (place !== newest) this.#runs.adoptUnwanted(place);
    if (newest === undefined) return;
    const status = settlePlace(newest);
    // Of one that is lost something may be left: it is followed to its end, which comes at once.
    if (!lives(status) && (status.kind !== "lost" || wasEnded(newest))) {
      this.#runs.adoptUnwanted(newest);
      this.#state = this.#endedState(newest, status.kind === "exited" ? childEnd(status.exit) : undefined);
      return;
    }
    await this.#hold(this.#runs.adopt(newest, "end"), false);
  }

  /** What it runs from its next start on. */
  async change(spec: SpecOf<K>): Promise<void> {
    await this.#inTurn(() => {
      if (JSON.stringify(spec) !== JSON.stringify(this.spec)) this.home.write(spec);
      this.spec = spec;
      return Promise.resolve();
    });
  }

  async start(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#state.kind === "running") return;
      if (this.#state.kind === "paused") throw this.#cannot("start", "state", "it is paused; resume it");
      const { command, keeper, limits } = await this.#kind.launch(this.spec, this.home);
      this.#words = [];
      const spec = {
        // Of its cgroups: what is left of another placement is not in the way.
        name: `${this.spec.id}.${this.spec.epoch}`,
        command,
        keeper,
        limits,
        retention: RETENTION,
        lifetime: "persistent" as const,
      };
      let run: Run;
      try {
        run = this.#runs.start("run", { spec, command, equip: undefined });
      } catch (cause) {
        throw this.#cannot("start", "failed", messageOf(cause), cause);
      }
      const problem = await this.#hold(run, true);
      if (problem !== undefined) throw this.#cannot("start", "failed", problem);
    });
  }

  async stop(graceMs: number): Promise<RunEnd | undefined> {
    const current = await this.#inTurn(async () => {
      const current = this.#current;
      await current?.hold?.stop(graceMs);
      return current;
    });
    await current?.ended.promise;
    return this.#state.kind === "ended" ? this.#state.end : undefined;
  }

  pause(): Promise<void> {
    return this.#switch("pause", "running");
  }

  resume(): Promise<void> {
    return this.#switch("resume", "paused");
  }

  async input(bytes: Uint8Array): Promise<void> {
    const { run } = this.#running("write to");
    using keeper = await KeeperControl.open(run.place.folder);
    await keeper.input(bytes);
  }

  stats(): DriverStats {
    const { run } = this.#running("measure");
    const status = run.status();
    if (status.kind !== "running") throw this.#cannot("measure", "state", "it has just ended");
    return runStats(run.place.folder, status.pid);
  }

  /** Ends it, and removes all that is left of it. */
  delete(): Promise<void> {
    return this.#deleting ??= this.#delete().catch((error) => {
      this.#deleting = undefined;
      throw error;
    });
  }

  /** Undefined unless it goes right now, or has gone. */
  get deleting(): Promise<void> | undefined {
    return this.#deleting;
  }

  /** Lets go of it; it goes on. */
  async release(): Promise<void> {
    await this.#turn;
    this.#current?.letGo.abort(new Error("its driver lets go of it"));
    await this.#current?.hold?.[Symbol.asyncDispose]();
  }

  async #delete(): Promise<void> {
    await this.stop(0);
    await this.#inTurn(async () => {
      for (const place of this.home.ledger.places("run")) await withoutCgroups(place);
      this.home.remove();
      this.#isGone = true;
      this.#gone();
    });
  }

  async #switch(what: "pause" | "resume", from: "running" | "paused"): Promise<void> {
    await this.#inTurn(async () => {
      const { hold } = this.#running(what);
      if (this.#state.kind !== from) return;
      try {
        await hold![what]();
      } catch (cause) {
        throw this.#cannot(what, "failed", messageOf(cause), cause);
      }
      this.#look();
    });
  }

  /** Takes a run; resolves with what is in its way. */
  async #hold(run: Run, isNew: boolean): Promise<string | undefined> {
    const current: Current = {
      run,
      ended: Promise.withResolvers(),
      letGo: new AbortController(),
      hold: undefined,
    };
    this.#current = current;
    await run.begun;
    try {
      const { spec, home } = this;
      const { signal } = current.letGo;
      const held = { spec, home, run, isNew, signal, changed: () => this.#look() };
      current.hold = await this.#kind.hold(held);
      this.#look();
      return undefined;
    } catch (error) {
      // What cannot be worked with is not left alone.
      await run.stop(0);
      await current.ended.promise;
      return [...this.#words, messageOf(error)].join("; ");
    }
  }

  /** Tells whether it runs, when that has changed. */
  #look(): void {
    const status = this.#current?.run.status();
    if (status?.kind !== "running") return;
    const kind = this.#current?.hold?.isPaused === true ? "paused" : "running";
    if (this.#state.kind === kind && this.#state.pid === status.pid) return;
    this.#become({ kind, pid: status.pid });
  }

  async #ended(run: Run, end: ChildEnd): Promise<void> {
    const current = this.#current;
    if (current?.run !== run) return;
    this.#current = undefined;
    current.letGo.abort(new Error("it has ended"));
    await current.hold?.[Symbol.asyncDispose]();
    this.#become(this.#endedState(run.place, end));
    current.ended.resolve();
  }

  #endedState(place: Place, end: ChildEnd): DriverState {
    return { kind: "ended", end: { ...this.#kind.ending(end, this.home), wasAsked: wasEnded(place) } };
  }

  #become(state: DriverState): void {
    this.#state = state;
    this.#tell(state);
  }

  #said(heard: Heard): void {
    if (heard.kind === "event") this.#words.push(heard.text);
    else if (heard.kind === "line" && heard.line.stream === "stderr") this.#words.push(heard.line.text);
    if (this.#words.length > LAST_WORDS) this.#words.shift();
  }

  #running(what: string): Current {
    if (this.#current?.hold !== undefined) return this.#current;
    throw this.#cannot(
      what,
      "state",
      this.#state.kind === "created" ? "it was never started" : "it has ended",
    );
  }

  #cannot(what: string, problem: "state" | "failed", text: string, cause?: unknown): DriverError {
    const { id, name } = this.spec;
    return new DriverError(problem, `Cannot ${what} instance ${id} ("${name}"): ${text}`, { cause });
  }

  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (!this.#isGone) return body();
      throw new DriverError("absent", `Cannot use instance ${this.spec.id}: it was deleted meanwhile`);
    });
    // Whoever is next is not to fail with it.
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** What was killed is in its cgroups for a moment longer; with the folder the knowledge of them would go. */
async function withoutCgroups({ folder }: Place): Promise<void> {
  for (let tries = 0; tries < CGROUP_TRIES && cgroupsOf(folder).length > 0; tries++) {
    if (tries > 0) await sleep(CGROUP_EVERY_MS);
    removeCgroups(folder);
  }
}

function childEnd({ code, signal }: ExitStatus): ChildEnd {
  return signal === undefined ? { code } : { code, signal: signalName(signal) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
