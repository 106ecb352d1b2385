/** What the cluster runs: instances as they are wanted, and as they are seen. Pure. @module */

/** What a driver runs; each has what only it knows. */
export type Workload = ProcessWorkload | MicrovmWorkload;

/** A program under a keeper. */
export interface ProcessWorkload {
  readonly driver: "process";
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; a folder of the instance's own when null. */
  readonly cwd: string | null;
  /** What it has as its standard input: nothing by default, or a console. */
  readonly input?: "pipe" | "terminal";
}

/** A tiny virtual machine: QEMU's `microvm`. */
export interface MicrovmWorkload {
  readonly driver: "microvm";
  /** Of the kernel, as the image cache has it. */
  readonly kernel: ImageRef;
  readonly initrd: ImageRef | null;
  /**
   * Of the kernel, as it is. A Linux under TCG does not start on a busy machine, where it cannot measure its clock, unless
   * it is told that: `tsc_early_khz=2600000`, thousands of the processor's Hertz.
   */
  readonly cmdline: string;
  /** Which acceleration it needs; any that the node has when null. */
  readonly acceleration: Acceleration | null;
}

/** An image by its content. */
export interface ImageRef {
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** How guests are run; never taken from the existence of `/dev/kvm`, which may be a slow software one. */
export const ACCELERATIONS = ["tcg", "kvm"] as const;
export type Acceleration = (typeof ACCELERATIONS)[number];

export type DriverKind = Workload["driver"];

/** What is reserved for an instance, and what a node has. */
export interface Resources {
  /** Thousandths of a CPU. */
  readonly cpuMillis: number;
  readonly memoryMib: number;
  readonly diskMib: number;
}

/** What is wanted of an instance. */
export const POWERS = ["running", "paused", "stopped"] as const;
export type Power = (typeof POWERS)[number];

/** What follows the end of what it runs, when nobody has asked for that. */
export const RESTARTS = ["always", "on_failure", "never"] as const;
export type Restart = (typeof RESTARTS)[number];

/**
 * What becomes of it when its node is not heard of: it runs elsewhere once the node is sure to have ended it, it stays
 * where it is and is waited for, or it stays and is not started anywhere.
 */
export const LOST_POLICIES = ["restart", "keep", "stop"] as const;
export type LostPolicy = (typeof LOST_POLICIES)[number];

/** Where an instance may be. */
export interface Constraints {
  /** Labels that its node must have. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Zones of which it must be in one; any when empty. */
  readonly zones: readonly string[];
  /** Taints that it does not mind, as `key` or `key=value`. */
  readonly tolerations: readonly string[];
  /** It must share a node with an instance that has all of these labels. */
  readonly near: Readonly<Record<string, string>> | null;
  /** It must not share a node with one that has all of these. */
  readonly apart: Readonly<Record<string, string>> | null;
  /** This node and no other; by id. */
  readonly node: string | null;
}

/** On which node it is, and by which hand-over. */
export interface Placement {
  readonly node: string;
  /** Counts placements of this instance: what is of an older one is of the past. */
  readonly epoch: number;
}

/** An instance as it is wanted; written by servers alone. */
export interface Instance {
  readonly id: string;
  /** Unique in its project. */
  readonly name: string;
  readonly project: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly workload: Workload;
  readonly resources: Resources;
  readonly power: Power;
  /** Counts changes of what is wanted. */
  readonly generation: number;
  readonly restart: Restart;
  readonly lost: LostPolicy;
  readonly constraints: Constraints;
  /** Whether it starts with its node. */
  readonly autostart: boolean;
  /** Null while it waits for a place. */
  readonly placement: Placement | null;
  /** Of its last placement, 0 when it never had one: the next one counts on. */
  readonly lastEpoch: number;
  /** Whether it is to be no more: it is forgotten once nothing is left of it. */
  readonly isDeleting: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What an agent says of an instance. */
export type InstancePhase =
  | "creating"
  | "starting"
  | "running"
  | "paused"
  | "stopping"
  | "stopped"
  | "failed"
  /** Nothing is left of it on its node. */
  | "gone";

/** What was seen of an instance; written by the agent of its node alone, and kept when that dies. */
export interface InstanceStatus {
  readonly id: string;
  readonly node: string;
  readonly epoch: number;
  /** What was wanted when it was seen so. */
  readonly generation: number;
  readonly phase: InstancePhase;
  /** Why, in words; null where the phase says it. */
  readonly reason: string | null;
  readonly pid: number | null;
  /** Of its last end. */
  readonly exitCode: number | null;
  /** How often it was started again since it was last asked to run. */
  readonly restarts: number;
  /** RFC 3339. */
  readonly since: string;
}
