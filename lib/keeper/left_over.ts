/** What is left of an instance whose keeper was killed: nobody else knows of it. @module */
import { SystemError } from "../../ffi/errno.ts";
import { listKernelFolder, readKernelFile } from "../../ffi/files/mod.ts";
import { sleep } from "../async/mod.ts";

/** What `ffi/keeper` puts into the environment of all that descend from an instance's child. */
const MARK = "HOSTKIT_INSTANCE";
/** What is killed is there for a moment longer, and may have had children meanwhile. */
const PASSES_MAX = 200;
const PASS_MS = 5;

/** An instance whose keeper is no more. */
export interface LeftBehind {
  readonly folder: string;
  /**
   * The child's pid, where it is known to have been its own until just now: then its session is looked for too. A program
   * may have overwritten its environment, and a number that was free for long may be another's.
   */
  readonly session?: number;
}

/** Of a keeper, in its instance's folder. */
const SOCKETS = ["control", "notify"];

/**
 * Sends SIGKILL to all that descends from an instance's child, also what has left its session, until nothing is left.
 * Only of processes that this one may look at. Removes the keeper's sockets too. Resolves with how many processes there
 * were.
 */
export async function endLeftOver(instance: LeftBehind): Promise<number> {
  const ended = new Set<number>();
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const found = leftOver(instance);
    if (found.length === 0) break;
    for (const pid of found) {
      ended.add(pid);
      kill(pid);
    }
    await sleep(PASS_MS);
  }
  for (const name of SOCKETS) removeIfThere(`${instance.folder}/${name}`);
  return ended.size;
}

/** Pids of what is left of an instance. */
export function leftOver({ folder, session }: LeftBehind): number[] {
  const mark = `\0${MARK}=${folder}\0`;
  return listKernelFolder("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    return pid !== Deno.pid && (isMarked(pid, mark) || (session !== undefined && sessionOf(pid) === session));
  });
}

function isMarked(pid: number, mark: string): boolean {
  return `\0${readIfThere(`/proc/${pid}/environ`) ?? ""}`.includes(mark);
}

/** Undefined of a zombie, which is nobody's any more. */
function sessionOf(pid: number): number | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? "";
  // The name is in parentheses and may hold any byte.
  const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : Number(session);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Processes end while they are looked at, and others' may not be. */
function readIfThere(path: string): string | undefined {
  try {
    return new TextDecoder().decode(readKernelFile(path));
  } catch (error) {
    const expected = error instanceof SystemError &&
      ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code);
    if (expected) return undefined;
    throw error;
  }
}
