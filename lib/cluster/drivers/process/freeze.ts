/** Programs that stand still: their cgroup is frozen, or each of their processes is stopped. @module */
import { kernelPathExists, writeKernelFile } from "../../../../ffi/files/mod.ts";
import { sleep } from "../../../async/mod.ts";
import { Procfs, treeUsage } from "../../../procfs/mod.ts";
import { cgroupsOf } from "../../../supervisor/mod.ts";

/** A process that waits for a disk is frozen when that has answered. */
const FREEZE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 2;

/** Ways to hold all processes of a run. */
export interface Brake {
  isOn(): boolean;
  /** @throws {Error} When some of them go on. */
  set(on: boolean): Promise<void>;
}

/** That of the run in `folder`, whose first process is `pid`. */
export function brakeOf(folder: string, pid: number): Brake {
  const cgroup = cgroupsOf(folder).find((path) => kernelPathExists(`${path}/cgroup.freeze`));
  return cgroup === undefined ? signals(pid) : freezer(cgroup);
}

/** Version 2 alone (Documentation/admin-guide/cgroup-v2.rst, "cgroup.freeze"; Linux 5.2). */
function freezer(cgroup: string): Brake {
  const isOn = () => /^frozen 1$/m.test(FILES.text(`${cgroup}/cgroup.events`) ?? "");
  return {
    isOn,
    async set(on) {
      writeKernelFile(`${cgroup}/cgroup.freeze`, on ? "1" : "0");
      await until(() => isOn() === on, `its cgroup does not become ${on ? "frozen" : "thawed"}`);
    },
  };
}

/** A process can have children until it stands still itself. */
function signals(root: number): Brake {
  const going = () => treeUsage(root).pids.filter((pid) => !isStopped(pid));
  return {
    isOn: () => isStopped(root),
    async set(on) {
      if (!on) {
        for (const pid of treeUsage(root).pids.toReversed()) send(pid, "SIGCONT");
        return await until(() => !isStopped(root), "its first process does not go on");
      }
      await until(() => {
        const left = going();
        for (const pid of left) send(pid, "SIGSTOP");
        return left.length === 0;
      }, "some of its processes do not stop");
    },
  };
}

const FILES = new Procfs();

function isStopped(pid: number): boolean {
  const stat = FILES.text(`/proc/${pid}/stat`) ?? "";
  // Zombies do nothing either.
  return stat === "" || ["T", "Z", "X"].includes(stat.charAt(stat.lastIndexOf(")") + 2));
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // It has just ended.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += LOOK_EVERY_MS) {
    if (waitedMs >= FREEZE_WITHIN_MS) throw new Error(`${otherwise} within ${FREEZE_WITHIN_MS / 1_000} s`);
    await sleep(LOOK_EVERY_MS);
  }
}
