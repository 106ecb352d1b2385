/** One service: carries out what its state machine decides, and feeds it what happens. @module */
import type { Heard } from "../keeper/mod.ts";
import type { Rung } from "../swap/mod.ts";
import { type InstanceKind, Ledger, type Place, settlePlace } from "./ledger.ts";
import {
  DEFAULT_POLICY,
  type Effect,
  type Outcome,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  step,
} from "./machine.ts";
import { Front, rungOf } from "./front.ts";
import { Health } from "./health.ts";
import { type InstanceContext, Instances } from "./instances.ts";
import type { Notice } from "./notice.ts";
import { leftByPredecessor, type Resumed } from "./predecessor.ts";
import type { Run } from "./run.ts";
import { Spoken } from "./spoken.ts";
import type { Command, ListenSpec, ServiceSpec } from "./spec.ts";

/** What a service needs of its supervisor. */
export interface ServiceContext extends InstanceContext {
  readonly tell: (notice: Notice) => void;
}

/** A running instance of a spec. */
export class Service {
  /** Another one holds from the next instance on; a socket only once the service was down. */
  spec: ServiceSpec;
  readonly ledger: Ledger;
  /** What its instance has said of what others wait for. */
  readonly spoken = new Spoken();
  /** How often it was started again after it had ended by itself. */
  restarts = 0;
  /** Nothing starts it any more, whoever still knows it: it is about to be no service of its supervisor. */
  isDismissed = false;
  #state: ServiceState = { kind: "idle" };
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it fires, Unix milliseconds. */
  #timerMs = 0;
  readonly #health = new Health((work) => this.#watch(work));
  /** Ends what is asked before a build is started. */
  #preparing = new AbortController();
  /** The socket that instances have in turn; there while the service is not meant to be down. */
  #front: Front | undefined;
  #current: Run | undefined;
  #next: Run | undefined;
  #build: Run | undefined;
  readonly #instances: Instances;
  readonly #context: ServiceContext;
  readonly #work = new Set<Promise<void>>();

  constructor(spec: ServiceSpec, folder: string, context: ServiceContext) {
    this.spec = spec;
    this.ledger = new Ledger(folder);
    this.#context = context;
    this.#instances = new Instances(this.ledger, context, {
      said: (place, entry) => this.#said(place, entry),
      ended: (run, outcome) => this.#ended(run, outcome),
      failed: ({ kind }, error) => this.#tellFailure(kind, error),
      watch: (work) => this.#watch(work),
    });
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Unix milliseconds of its next start after it had ended by itself; undefined when it does not wait for one. */
  get retryMs(): number | undefined {
    return this.#state.kind === "backoff" ? this.#timerMs : undefined;
  }

  get policy(): Policy {
    const { build, policy } = this.spec;
    const given = typeof policy === "function" ? policy() : policy;
    // Nothing is lost either when one comes after the other, but everybody waits.
    const overlap = this.#front !== undefined && this.#front.rung.kind !== "restart";
    return { ...DEFAULT_POLICY, builds: build !== undefined, overlap, ...given };
  }

  /** The instance that serves. */
  get current(): Run | undefined {
    return this.#current;
  }

  /** How its socket is handed on, and what the proxy has done; undefined where it has none, or is down. */
  get front(): Pick<Front, "rung" | "stats"> | undefined {
    return this.#front;
  }

  /** Asks for a change; returns at once. False when it is dismissed, and nothing comes of it. */
  request(what: "start" | "stop" | "restart"): boolean {
    if (this.isDismissed && what !== "stop") return false;
    this.#on({ kind: `${what}Requested` });
    return true;
  }

  /** What is being stopped is killed within the grace period of now, where that ends before the one it was given. */
  hurry(): void {
    // It has been asked to end: it is only told when.
    if (this.is("stopping")) this.#end(this.#current, this.policy.graceMs, "SIGCONT");
  }

  /** Whether the state is one of `kinds`. */
  is(...kinds: ServiceState["kind"][]): boolean {
    return kinds.includes(this.#state.kind);
  }

  /** Ends what a manager before this one left and nobody wants any more, and goes on with what was wanted. */
  async resume(): Promise<Resumed> {
    const { unwanted, damage, found } = leftByPredecessor(this.ledger);
    if (damage !== undefined) this.#tellEvent("run", damage);
    for (const place of unwanted) this.#discard(place);
    if (found.kind !== "adopted") return found.kind;
    const { place, wasReady, failures } = found;
    await this.#resumeFront(place);
    const ready = wasReady && settlePlace(place).kind === "running";
    this.#current = this.#instances.adopt(place, ready ? "end" : "oldest");
    this.spoken.begin(ready);
    this.#on({ kind: "adopted", ready, failures });
    if (ready) this.#serve(this.#current);
    return "adopted";
  }

  async #resumeFront(place: Place): Promise<void> {
    const { listen } = this.spec;
    if (listen === undefined || settlePlace(place).kind !== "running") return;
    try {
      this.#front = await Front.adopt(listen, this.#rung(listen, this.#command()), place);
    } catch (error) {
      this.#tellFailure("run", error);
    }
  }

  /** Lets go: the instance goes on, and the next manager finds it. Resolves when nothing is followed any more. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    this.#health.stop();
    await this.settled();
    await this.#front?.release();
  }

  /** Resolves when nothing of the service goes on any more: its instances, its builds, its probes. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #on(event: ServiceEvent): void {
    if (this.#context.signal.aborted) return; // What happens from now on is the next manager's to answer.
    const now = { policy: this.policy, nowMs: performance.now(), chance: Math.random() };
    const next = step(this.#state, event, now);
    if (next === undefined) return;
    const [state, effects] = next;
    const before = this.#state;
    this.#state = state;
    if (before.kind === "backoff" && event.kind === "timerFired") this.restarts++;
    if (state !== before) {
      if (state.kind !== "starting" && state.kind !== "replacing") this.#health.stop();
      this.#remember();
    }
    if (state.kind === "idle" || state.kind === "finished") this.#watch(this.#closeFront());
    for (const effect of effects) this.#perform(effect);
    // Also of an old instance that runs on, since the one that was to follow did not come.
    if (state !== before && state.kind === "running") this.#watchLiveness();
    if (state !== before) this.#context.tell({ kind: "state", service: this.spec.name, state: this.#state });
  }

  /** Keeps what the next manager has to know. */
  #remember(): void {
    const { kind } = this.#state;
    const up = kind !== "idle" && !(kind === "stopping" && this.#state.then === "idle");
    const failures = "failures" in this.#state ? this.#state.failures : 0;
    const ready = kind === "running" || kind === "replacing" ? this.#current?.place.number : undefined;
    try {
      this.ledger.want({ up, failures, ...ready === undefined ? {} : { ready } });
    } catch (error) {
      // A full disk is told, and the service's life goes on.
      this.#tellFailure("run", error);
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "build":
        return this.#startBuild();
      case "cancelBuild":
        this.#preparing.abort();
        return this.#end(this.#build, 0);
      case "spawn":
        this.#current = this.#spawn("exited");
        return;
      case "spawnNext":
        this.#next = this.#spawn("nextExited");
        return;
      case "watchReadiness":
        return this.#watchReadiness(this.#next ?? this.#current!);
      case "promoteNext":
        return this.#promote();
      case "dropNext": {
        const dropped = this.#next;
        this.#next = undefined;
        return this.#end(dropped, this.policy.graceMs);
      }
      case "stop":
        return this.#end(this.#current, this.policy.graceMs);
      case "kill":
        return this.#end(this.#current, 0, "SIGKILL");
      case "startTimer":
        clearTimeout(this.#timer);
        this.#timerMs = Date.now() + effect.ms;
        this.#timer = setTimeout(() => this.#on({ kind: "timerFired" }), effect.ms);
        return;
      case "stopTimer":
        return clearTimeout(this.#timer);
      default:
        return effect satisfies never;
    }
  }

  #startBuild(): void {
    const { build } = this.spec;
    const cancelled = new AbortController();
    this.#preparing = cancelled;
    this.#watch((async () => {
      try {
        const command = await (typeof build === "function" ? build() : build);
        if (cancelled.signal.aborted) return;
        if (command === undefined) this.#on({ kind: "built" });
        else this.#build = this.#instances.start("build", { spec: this.spec, command, equip: undefined });
      } catch (error) {
        this.#tellFailure("build", error);
        if (!cancelled.signal.aborted) this.#on({ kind: "buildFailed", outcome: NOT_STARTED });
      }
    })());
  }

  #command(): Command {
    const { command } = this.spec;
    return typeof command === "function" ? command() : command;
  }

  #rung(listen: ListenSpec, command: Command): Rung {
    return rungOf(listen, command, this.spec.keeper?.uid);
  }

  /** What cannot be started has ended. */
  #spawn(ended: "exited" | "nextExited"): Run | undefined {
    const { spec } = this;
    try {
      const command = this.#command();
      if (spec.listen !== undefined) {
        this.#front ??= Front.open(spec.listen, this.#rung(spec.listen, command));
      }
      this.spoken.begin(false);
      const front = this.#front;
      const equip = front === undefined ? undefined : (place: Place) => front.equip(place);
      return this.#instances.start("run", { spec, command, equip });
    } catch (error) {
      this.#tellFailure("run", error);
      queueMicrotask(() =>
        this.#on(ended === "exited" ? { kind: ended, outcome: NOT_STARTED } : { kind: ended })
      );
      return undefined;
    }
  }

  #tellFailure(of: InstanceKind, error: unknown): void {
    if (!(error instanceof Error)) throw error;
    this.#tellEvent(of, error.message);
  }

  #tellEvent(of: InstanceKind, text: string): void {
    this.#context.tell({ kind: "event", service: this.spec.name, of, text });
  }

  #ended(run: Run, outcome: Outcome): void {
    if (run === this.#build) {
      this.#build = undefined;
      const good = outcome.kind === "exited" && outcome.code === 0;
      this.#on(good ? { kind: "built" } : { kind: "buildFailed", outcome });
    } else if (run === this.#next) {
      this.#on({ kind: "nextExited" });
    } else if (run === this.#current) {
      this.#current = undefined;
      this.#serve(undefined);
      this.#on({ kind: "exited", outcome });
    }
  }

  /** The old instance may answer to the end what it has begun. */
  #promote(): void {
    const old = this.#current;
    this.#current = this.#next;
    this.#next = undefined;
    if (this.is("running")) {
      this.#serve(this.#current);
      this.#remember();
    }
    if (old !== undefined) this.#watch(this.#retire(old));
  }

  async #retire(run: Run): Promise<void> {
    const status = run.status();
    const pid = status.kind === "running" ? status.pid : undefined;
    await this.#front?.drain(run.place, pid, this.#context.signal);
    if (!this.#context.signal.aborted) await run.stop(this.policy.graceMs, this.spec.stopSignal);
  }

  /** Requests go to this instance from now on, or wait. */
  #serve(run: Run | undefined): void {
    if (this.#front !== undefined) this.#watch(this.#front.serve(run?.place));
  }

  async #closeFront(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    await front?.[Symbol.asyncDispose]();
  }

  #end(run: Run | undefined, graceMs: number, signal = this.spec.stopSignal): void {
    if (run === undefined) return;
    if (run === this.#build) this.#build = undefined;
    this.#watch(run.stop(graceMs, signal));
  }

  /** Ends all that a manager before this one left; tells how many instances that were. */
  endAll(): number {
    const places = [...this.ledger.places("build"), ...this.ledger.places("run")];
    const ended = places.filter((place) => this.#discard(place)).length;
    this.ledger.forget();
    return ended;
  }

  /** Ends an instance of the manager before, that nobody wants; false when it has ended. */
  #discard(place: Place): boolean {
    const run = this.#instances.adoptUnwanted(place);
    this.#end(run, this.policy.graceMs);
    return run !== undefined;
  }

  #said(place: Place, entry: Heard): void {
    const { name: service } = this.spec;
    const { tell } = this.#context;
    if (entry.kind === "part") return tell({ kind: "part", service, of: place.kind });
    if (entry.kind === "line" && place.kind === "run") this.spoken.hear(entry.line.text);
    if (entry.kind === "line") tell({ kind: "line", service, of: place.kind, line: entry.line });
    else if (entry.kind === "event") tell({ kind: "event", service, of: place.kind, text: entry.text });
    this.#health.hear(place, entry);
  }

  #watchReadiness(run: Run | undefined): void {
    this.#health.stop();
    if (run === undefined) return;
    const { readiness } = this.spec;
    // What is asked of the service is asked of the new instance alone, where it can be told apart.
    const probe = this.#front?.probeOf(readiness, run.place) ?? readiness;
    this.#health.untilReady(run, probe, () => this.#isReady(run));
  }

  #isReady(run: Run): void {
    if (run === this.#next) {
      this.#on({ kind: "nextReady" });
    } else if (run === this.#current && this.is("starting")) {
      this.#serve(run);
      this.#on({ kind: "ready" });
    }
  }

  #watchLiveness(): void {
    this.#health.stop();
    const { liveness } = this.spec;
    if (liveness === undefined || this.#current === undefined) return;
    this.#health.whileWell(this.#current, liveness, (text) => {
      this.#tellEvent("run", text);
      this.#on({ kind: "unhealthy" });
    });
  }

  #watch(work: Promise<unknown>): void {
    const tracked = work.then(() => {}, (error) => this.#tellFailure("run", error))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

const NOT_STARTED: Outcome = { kind: "exited", code: 126 };
