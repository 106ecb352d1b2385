/** What runs instances on a node. All drivers do what stands here, and pass the same suite. @module */
import type { DriverKind, Instance, Workload } from "../model/instance.ts";
import type { DriverReport } from "../model/node.ts";

/** Which instance, by which hand-over: what is asked by an older one touches nothing. */
export interface Identity {
  readonly id: string;
  readonly epoch: number;
}

/** What a driver keeps of an instance: all that it needs to run it again. */
export type DriverSpec<W extends Workload = Workload> =
  & Identity
  & Pick<Instance, "name" | "project" | "generation" | "resources">
  & { readonly workload: W };

/** How a run ended. */
export interface RunEnd {
  /** Whether it did what it was to do: a program with code 0, a guest that was shut down. */
  readonly isSuccess: boolean;
  /** Whether it was stopped by whoever has the driver. */
  readonly wasAsked: boolean;
  /** Of a program; 128 and its number when a signal ended it. Null where nobody knows, and of a guest that has none. */
  readonly code: number | null;
  readonly signal: string | null;
  /** In words. */
  readonly reason: string;
}

/** What is true of an instance on its node. */
export type DriverState =
  /** It is there and was not started. */
  | { readonly kind: "created" }
  | { readonly kind: "running"; readonly pid: number | null }
  /** It does nothing, and keeps all that it has. */
  | { readonly kind: "paused"; readonly pid: number | null }
  | { readonly kind: "ended"; readonly end: RunEnd };

/** An instance that is there. */
export interface DriverInstance extends Identity {
  /** Of what it is to run at its next start. */
  readonly generation: number;
  readonly state: DriverState;
}

/** Told of each change of a state. */
export interface DriverEvent extends Identity {
  readonly state: DriverState;
}

/** What it has used since it was started. */
export interface DriverStats {
  readonly cpuSeconds: number;
  /** Now. */
  readonly memoryBytes: number;
}

/** Where a log is read on; it means something to the driver alone. */
export type LogCursor = string;

/** A piece of what an instance has said: its programs, or its serial console. */
export interface LogPiece {
  /** Behind it. */
  readonly cursor: LogCursor;
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** `event`: not its own words, but about it, such as what was lost of them. */
  readonly stream: "stdout" | "stderr" | "event";
  /** As they came: a piece may hold many lines, or a part of one. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface LogOptions {
  /** The oldest that is kept by default; `end` for what comes. */
  readonly from?: LogCursor | "end";
  /** Goes on with what comes, as long as it runs. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * What runs instances. Whatever is asked twice is done once. An instance goes on when its driver is disposed or killed: the
 * next one has it in its list.
 */
export interface Driver extends AsyncDisposable {
  readonly kind: DriverKind;

  /** What it can do on this machine, by trying. */
  probe(): Promise<DriverReport>;

  /**
   * Has an instance there, not started. One that is there already takes what it is to run from its next start on.
   * @throws {DriverError} `stale` when it is there of a newer epoch, `conflict` of an older one; `invalid`.
   */
  create(instance: Instance): Promise<void>;

  /** Runs it; what has ended begins again. @throws {DriverError} `absent`, `stale`, `state` when it is paused, `failed`. */
  start(identity: Identity): Promise<void>;

  /**
   * Asks it to end, and ends it after `graceMs`. Resolves with the end; undefined when it never ran.
   * A second call may shorten the first one's grace. @throws {DriverError} `absent`, `stale`.
   */
  stop(identity: Identity, graceMs: number): Promise<RunEnd | undefined>;

  /** @throws {DriverError} `absent`, `stale`, `state` when it does not run. */
  pause(identity: Identity): Promise<void>;

  /** @throws {DriverError} `absent`, `stale`, `state` when it does not run. */
  resume(identity: Identity): Promise<void>;

  /** Ends it at once; nothing is left of it, its log included. @throws {DriverError} `stale`. */
  delete(identity: Identity): Promise<void>;

  /** All that are there, by id. */
  list(): DriverInstance[];

  /** Tells changes of states until the returned function is called. */
  listen(listener: (event: DriverEvent) => void): () => void;

  /** @throws {DriverError} `absent`, `stale`, `state` when it does not run. */
  stats(identity: Identity): Promise<DriverStats>;

  /** What it has said, over all of its runs that are kept. @throws {DriverError} `absent`, `stale`, `invalid` on a cursor. */
  logs(identity: Identity, options?: LogOptions): AsyncIterable<LogPiece>;

  /** Gives bytes to its console. @throws {DriverError} `absent`, `stale`, `state`, `unsupported` when it has none. */
  input(identity: Identity, bytes: Uint8Array): Promise<void>;

  /** Lets go: what runs goes on. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Why something cannot be done; stable, for programs. */
export const DRIVER_PROBLEMS = [
  /** No such instance is there. */
  "absent",
  /** It is there by a newer hand-over: whoever asks is of the past. */
  "stale",
  /** It is there by an older hand-over, which has to be deleted first. */
  "conflict",
  /** It cannot be done in its state. */
  "state",
  /** This driver or this instance cannot do that at all. */
  "unsupported",
  /** What is asked for makes no sense. */
  "invalid",
  /** It was tried, and did not come about. */
  "failed",
] as const;
export type DriverProblem = (typeof DRIVER_PROBLEMS)[number];

/** What a driver refuses or fails to do, in words by which a person can act. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly problem: DriverProblem;

  constructor(problem: DriverProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** Looks whether what is there is what is asked for. @throws {DriverError} `absent`, `stale`, `conflict`. */
export function checkIdentity<T extends { readonly spec: Identity }>(
  what: string,
  { id, epoch }: Identity,
  found: T | undefined,
): T {
  if (found === undefined) throw new DriverError("absent", `Cannot ${what} instance ${id}: it is not there`);
  if (found.spec.epoch === epoch) return found;
  const isStale = found.spec.epoch > epoch;
  const text = isStale
    ? `this was asked by placement ${epoch}, and it is there by placement ${found.spec.epoch}`
    : `it is there by placement ${found.spec.epoch}, which has to be deleted before placement ${epoch}`;
  throw new DriverError(isStale ? "stale" : "conflict", `Cannot ${what} instance ${id}: ${text}`);
}

/** What is there as lists have it, by id. */
export function listed(
  all: Iterable<{ readonly spec: DriverSpec; readonly state: DriverState }>,
): DriverInstance[] {
  return [...all].map(({ spec: { id, epoch, generation }, state }) => ({ id, epoch, generation, state }))
    .sort((a, b) => a.id < b.id ? -1 : 1);
}

/** What a driver keeps of an instance. @throws {DriverError} `invalid` when it is placed nowhere, or not of this driver. */
export function specOf<K extends DriverKind>(
  instance: Instance,
  kind: K,
): DriverSpec<Extract<Workload, { driver: K }>> {
  const { id, name, project, generation, resources, workload, placement } = instance;
  const invalid = (text: string) => new DriverError("invalid", `Cannot create instance ${id}: ${text}`);
  if (!ID.test(id)) throw invalid("its id must have 1 to 64 letters, digits, `.`, `_` or `-`");
  if (placement === null) throw invalid("it is placed nowhere");
  if (workload.driver !== kind) throw invalid(`its driver is "${workload.driver}", this is "${kind}"`);
  return {
    ...{ id, name, project, generation, resources, epoch: placement.epoch },
    workload: workload as Extract<Workload, { driver: K }>,
  };
}

/** Folders and cgroups have it as their name. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
