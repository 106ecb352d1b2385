/** What one kind of driver adds to commands that run under keepers. @module */
import type { KeeperOptions } from "../../../keeper/mod.ts";
import type { Command, Limits, Run } from "../../../supervisor/mod.ts";
import type { DriverKind, Workload } from "../../model/instance.ts";
import type { DriverReport } from "../../model/node.ts";
import type { DriverSpec, RunEnd } from "../driver.ts";
import type { Home } from "./home.ts";

export type SpecOf<K extends DriverKind> = DriverSpec<Extract<Workload, { driver: K }>>;

/** How an instance is run. */
export interface Launch {
  readonly command: Command;
  readonly keeper: Pick<KeeperOptions, "stdin" | "clearEnv">;
  readonly limits: Limits;
}

/** How a run ended, but for whether that was asked for. */
export type Ending = Omit<RunEnd, "wasAsked">;

/** How a child ended: `undefined` when its keeper was killed, and nobody knows. */
export type ChildEnd = { readonly code: number; readonly signal?: string | undefined } | undefined;

/** A run that is there, and what is told of it. */
export interface HeldRun<K extends DriverKind> {
  readonly spec: SpecOf<K>;
  readonly home: Home;
  readonly run: Run;
  /** It was started right now: whoever cannot work with it may throw, and it is ended. One that was found goes on. */
  readonly isNew: boolean;
  /** Fires when it has ended, or is let go. */
  readonly signal: AbortSignal;
  /** It was paused or resumed. */
  changed(): void;
}

/** Whatever a kind does with a run. */
export interface Hold extends AsyncDisposable {
  readonly isPaused: boolean;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Begins its end, which comes after `graceMs` at the latest, paused or not, and also when this process ends before. */
  stop(graceMs: number): Promise<void>;
}

export interface Kind<K extends DriverKind> {
  readonly kind: K;
  probe(): Promise<DriverReport>;
  /** @throws {DriverError} `invalid` when it can never be run. */
  check(spec: SpecOf<K>, home: Home): Promise<void>;
  /** @throws {DriverError} `failed`. */
  launch(spec: SpecOf<K>, home: Home): Promise<Launch>;
  /** Takes a run that has begun, now or before this process; resolves when it can be worked with. @throws {Error} */
  hold(run: HeldRun<K>): Promise<Hold>;
  /** What its end means. */
  ending(end: ChildEnd, home: Home): Ending;
}
