/** What a service is. @module */
import type { KeeperOptions } from "../keeper/mod.ts";
import type { Dependency } from "./graph.ts";
import type { Policy } from "./machine.ts";
import type { Probe } from "./probes.ts";

/** What is run. */
export interface Command {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Beside the manager's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute; the manager's own by default. */
  readonly cwd?: string;
}

/** How many ended instances are kept, builds and runs apart; what lives is never removed. */
export interface Retention {
  readonly count: number;
  /** Of one service's ended instances together, the newest excepted. */
  readonly bytes: number;
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
  readonly keeper?: Omit<KeeperOptions, "folder" | "command" | "env" | "cwd" | "owner">;
  readonly retention?: Partial<Retention>;
  /** `session`: ends with the manager however that ends. `project` (the default): ends when the manager is asked to end,
   * and survives a crash of it. `persistent`: survives both, and is found again. */
  readonly lifetime?: "session" | "project" | "persistent";
}

export const DEFAULT_RETENTION: Retention = { count: 10, bytes: 256 * 2 ** 20 };
