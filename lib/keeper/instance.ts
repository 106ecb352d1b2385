/** One run of one command under a keeper: begun, found again, looked at. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import { type RingStatus, SegmentReader } from "../ring/mod.ts";

/** How a child ended. */
export interface ExitStatus {
  /** Of `exit(2)`, or 128 and the signal's number, as a shell tells it. */
  readonly code: number;
  /** Number of the signal that ended it. */
  readonly signal?: number;
  /** Unix milliseconds. */
  readonly timeMs: number;
}

/** What is known of an instance. */
export type InstanceStatus =
  /** No keeper has come yet, and none is known to have been given up. */
  | { readonly kind: "unborn" }
  /** Given up before its keeper came. */
  | { readonly kind: "void" }
  /** Its keeper failed or was killed before its child began: nothing ever ran. */
  | { readonly kind: "unstarted" }
  /** The keeper has come and its child not yet. */
  | { readonly kind: "beginning" }
  | {
    readonly kind: "running";
    readonly keeperPid: number;
    readonly pid: number;
    readonly startTicks: bigint;
  }
  /** The child has ended; `keeperAlive` while descendants of it are left. */
  | {
    readonly kind: "exited";
    /** What was the child's; it may be another's now. */
    readonly pid: number;
    readonly exit: ExitStatus;
    readonly keeperAlive: boolean;
  }
  /** The keeper was killed: how the child ended nobody knows. `orphan` is its pid when it still runs. */
  | { readonly kind: "lost"; readonly orphan?: number };

/** What stands in an instance's folder, and whether its processes live. @throws {RingError} When its log is damaged. */
export function inspectInstance(folder: string): InstanceStatus {
  const status = newestStatus(folder);
  if (status === undefined) return { kind: CLAIMS[claimOf(folder)] };
  return inspectLog(status);
}

/** The same from the header of the log's newest segment. */
export function inspectLog(status: RingStatus): InstanceStatus {
  const { child, writer } = status;
  const keeperAlive = writer.alive && status.state !== "closed";
  const { pid, startTicks } = child;
  if (child.state === "exited") return { kind: "exited", pid, exit: exitOf(child), keeperAlive };
  if (keeperAlive) {
    return child.state === "none"
      ? { kind: "beginning" }
      : { kind: "running", keeperPid: writer.pid, pid, startTicks };
  }
  // The keeper writes its child down before it lets it go on.
  if (child.state === "none") return { kind: "unstarted" };
  const lives = processStart(pid) === startTicks;
  return lives ? { kind: "lost", orphan: pid } : { kind: "lost" };
}

/** What the claim of an instance without a log says of it. A keeper's own is empty. */
const CLAIMS = { none: "unborn", keeper: "beginning", givenUp: "void" } as const;
const GIVEN_UP = "given up\n";

/**
 * Gives up an instance whose keeper has not come: one that comes later ends without a child. False when the keeper was
 * first; its log is there within milliseconds.
 */
export function giveUpInstance(folder: string): boolean {
  // Whole before it has its name, and never in the place of another.
  const made = `${folder}/claim.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(made, GIVEN_UP, { createNew: true, mode: 0o600 });
  try {
    Deno.linkSync(made, `${folder}/claim`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  } finally {
    Deno.removeSync(made);
  }
}

/** The child's end from what the log's header keeps of `waitpid(2)`. */
export function exitOf(child: RingStatus["child"]): ExitStatus {
  const signal = child.waitStatus & 0x7f;
  const timeMs = Number(child.exitNs) / 1e6;
  return signal === 0
    ? { code: (child.waitStatus >> 8) & 0xff, timeMs }
    : { code: 128 + signal, signal, timeMs };
}

function newestStatus(folder: string): RingStatus | undefined {
  try {
    using reader = SegmentReader.open(folder, { from: "end" });
    return reader.status();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function claimOf(folder: string): keyof typeof CLAIMS {
  try {
    return Deno.readTextFileSync(`${folder}/claim`) === GIVEN_UP ? "givenUp" : "keeper";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}
