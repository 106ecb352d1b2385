/** The runs and builds of one service: begun, found again, followed to their ends. @module */
import type { Heard, KeeperOptions } from "../keeper/mod.ts";
import { type CgroupMaker, killCgroups, oomKills, removeCgroups } from "./cgroups.ts";
import { fileName } from "./file_name.ts";
import type { Equipment } from "./front.ts";
import { SAID_EVERY_MS } from "./health.ts";
import { type InstanceKind, type Ledger, lives, type Place, settlePlace, wasEnded } from "./ledger.ts";
import type { Outcome } from "./machine.ts";
import { Run, type RunContext } from "./run.ts";
import { type Command, DEFAULT_RETENTION, type ServiceSpec } from "./spec.ts";

/** What instances need of their supervisor. */
export interface InstanceContext extends RunContext {
  /** The manager's own pid and start, for services that end with it. */
  readonly owner: { readonly pid: number; readonly startTicks: bigint };
  readonly cgroups: CgroupMaker;
}

/** What is told of an instance. */
export interface InstanceEvents {
  said(place: Place, heard: Heard): void;
  /** Nothing of it is left, and all that it said was told. */
  ended(run: Run, outcome: Outcome): void;
  /** It could not be followed. */
  failed(place: Place, error: unknown): void;
  /** Goes on after the call. */
  watch(work: Promise<void>): void;
}

export class Instances {
  readonly #ledger: Ledger;
  readonly #context: InstanceContext;
  readonly #events: InstanceEvents;

  constructor(ledger: Ledger, context: InstanceContext, events: InstanceEvents) {
    this.#ledger = ledger;
    this.#context = context;
    this.#events = events;
  }

  /** Begins one. @throws {Error} When it can have no place, no socket or no limits. */
  start(
    kind: InstanceKind,
    { spec, command, equip }: {
      readonly spec: ServiceSpec;
      readonly command: Command;
      /** Gives it its socket. */
      readonly equip: ((place: Place) => Equipment) | undefined;
    },
  ): Run {
    const place = this.#ledger.create(kind, { ...DEFAULT_RETENTION, ...spec.retention });
    const socket = equip?.(place);
    try {
      // It has the service's name, for whoever looks at cgroups.
      const cgroups = this.#context.cgroups.make(
        place.folder,
        `${fileName(spec.name)}.${kind}-${place.number}`,
        spec.limits,
      );
      const options = {
        ...this.#options(spec, command, socket),
        cgroups: [...cgroups, ...spec.keeper?.cgroups ?? []],
      };
      return this.#follow(Run.start(place, options, this.#following(place)));
    } finally {
      socket?.done();
    }
  }

  /** Follows one that a manager before this one started; tells what is new from now on, or everything. */
  adopt(place: Place, from: "oldest" | "end"): Run {
    return this.#follow(Run.adopt(place, this.#following(place), from));
  }

  /** The same for one that has to be ended; undefined when it has ended. */
  adoptUnwanted(place: Place): Run | undefined {
    const status = settlePlace(place);
    // Of one that is lost something may be left, which is looked for once.
    if (status.kind === "lost" ? !wasEnded(place) : lives(status)) return this.adopt(place, "end");
    removeCgroups(place.folder);
    return undefined;
  }

  #following(place: Place) {
    return { context: this.#context, tell: (heard: Heard) => this.#events.said(place, heard) };
  }

  #follow(run: Run): Run {
    const { place } = run;
    this.#events.watch(run.ended.then((outcome) => {
      this.#clear(run, outcome);
      this.#events.ended(run, outcome);
    }, (error) => {
      // Let go, not ended.
      if (this.#context.signal.aborted) return;
      this.#events.failed(place, error);
      this.#events.ended(run, { kind: "lost" });
    }));
    return run;
  }

  /** What is left of a keeper that was killed ends too, where it stands in a cgroup. */
  #clear({ place }: Run, outcome: Outcome): void {
    if (outcome.kind === "lost") killCgroups(place.folder);
    if (oomKills(place.folder) > 0) {
      const text = "the kernel ended some of it: its memory limit was reached";
      this.#events.said(place, { kind: "event", timeMs: Date.now(), text });
    }
    removeCgroups(place.folder);
  }

  #options(
    { keeper, lifetime, owner = this.#context.owner, readiness, liveness }: ServiceSpec,
    { argv, env, cwd }: Command,
    socket: Equipment | undefined,
  ): Omit<KeeperOptions, "folder"> {
    const notify = readiness?.kind === "notify" || liveness?.kind === "notify";
    return {
      command: argv,
      env: { ...env, ...socket?.env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(lifetime === "session" ? { owner } : {}),
      ...(notify ? { notify } : {}),
      ...(liveness?.kind === "notify" ? { watchdogUs: (liveness.everyMs ?? SAID_EVERY_MS) * 1_000 } : {}),
      ...keeper,
      ...(socket === undefined ? {} : { listeners: socket.listeners }),
    };
  }
}
