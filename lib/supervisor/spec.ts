/** What a service is. @module */
import type { KeeperOptions } from "../keeper/mod.ts";
import type { Limits } from "./cgroups.ts";
import type { Dependency } from "./graph.ts";
import type { Policy } from "./machine.ts";
import type { Probe } from "./probes.ts";
import type { Schedule } from "./schedule.ts";
import type { WatchSpec } from "./watch.ts";

/** What is run. */
export interface Command {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The program that is meant, where `argv` begins with one that runs another. */
  readonly program?: string;
  /** Beside the manager's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute; the manager's own by default. */
  readonly cwd?: string;
}

/** How many instances are kept, builds and runs apart, those that live with them; what lives is never removed. */
export interface Retention {
  readonly count: number;
  /** Of one service's ended instances together, the newest excepted. */
  readonly bytes: number;
}

/** A socket that stays open while a service is restarted. */
export interface ListenSpec {
  /** Numeric. */
  readonly host: string;
  readonly port: number;
  /** What clients speak: HTTP can be handed on by a proxy. */
  readonly protocol: "http" | "tcp";
  /** The program knows `LISTEN_FDS`. */
  readonly takesSockets?: boolean;
  /** The program listens on `PORT`. */
  readonly takesPort?: boolean;
  /** The way to take, whatever would be picked. */
  readonly wanted?: "interposer" | "proxy";
  /** So long an old instance may take to finish what it has begun. */
  readonly drainMs: number;
}

export interface ServiceSpec {
  readonly name: string;
  /** A function is asked before each spawn, after the build; what it throws is told as a failed start. */
  readonly command: Command | (() => Command);
  /** Runs to its end before each spawn; undefined where there is nothing to build. */
  readonly build?: Command | (() => Promise<Command | undefined>);
  /** What must hold of others before this one starts. */
  readonly dependsOn?: readonly Dependency[];
  /** Without it a service is ready when it runs. */
  readonly readiness?: Probe;
  /** What does not hold three times in a row once it is ready is restarted. */
  readonly liveness?: Probe;
  /** A function is asked at each decision. */
  readonly policy?: Partial<Policy> | (() => Partial<Policy>);
  /** Limits, identity, terminal, retention of one instance's log. */
  readonly keeper?: Omit<KeeperOptions, "folder" | "command" | "env" | "cwd" | "owner" | "listeners">;
  readonly limits?: Limits;
  readonly retention?: Partial<Retention>;
  /** Asks it to end; SIGTERM by default. */
  readonly stopSignal?: Deno.Signal;
  readonly schedule?: Schedule;
  readonly watch?: WatchSpec;
  /** Where it listens; then restarts lose no request, and instances overlap unless the policy says otherwise. */
  readonly listen?: ListenSpec;
  /** `session`: ends with its owner however that ends. `project` (the default): ends when the manager is asked to end,
   * and survives a crash of it. `persistent`: survives both, and is found again. */
  readonly lifetime?: "session" | "project" | "persistent";
  /** With whose end a `session` ends; the manager by default. */
  readonly owner?: KeeperOptions["owner"];
}

export const DEFAULT_RETENTION: Retention = { count: 10, bytes: 256 * 2 ** 20 };
