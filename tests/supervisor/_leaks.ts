/** What a stop must not leave: processes, sockets, open files, mapped segments, cgroups. For tests. @module */
import { deepStrictEqual } from "node:assert/strict";
import { kernelPathExists } from "../../ffi/files/mod.ts";
import { leftOver } from "../../lib/keeper/mod.ts";
import { until } from "../keeper/_log.ts";

/** A state folder whose traces are looked for when it goes away with the test. */
export class WatchedFolder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "hostile-" });
  readonly #before = own();

  /** Everything below that belongs to somebody; empty when nothing is left. */
  left(): string[] {
    const instances = foldersBelow(this.path);
    return [
      ...instances.flatMap((folder) => leftOver({ folder }).map((pid) => `process ${pid} of ${folder}`)),
      ...namedBy(this.path).map((pid) => `process ${pid} names ${this.path}`),
      ...instances.flatMap((folder) => socketsIn(folder).map((name) => `socket ${folder}/${name}`)),
      ...instances.flatMap(cgroupsOf),
      ...readLines("/proc/net/unix").filter((line) => line.includes(this.path)),
      ...readLines("/proc/self/maps").filter((line) => line.includes(this.path)),
    ];
  }

  /** Looks that this process has no more descriptors of any kind than before, and that nothing else is left. */
  async check(): Promise<void> {
    // Of a process that was killed the kernel shows something for a moment longer.
    await until("an end without traces", () => this.left().length === 0).catch(() => {
      deepStrictEqual(this.left(), []);
    });
    const more = () => {
      const now = own();
      return now.length <= this.#before.length ? [] : now;
    };
    await until("as few descriptors as before", () => more().length === 0).catch(() => {
      deepStrictEqual(more(), this.#before);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.check();
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Of this process; the runtime (2.9.6) keeps two of its own for each worker that imported files and was ended. */
function own(): string[] {
  return descriptors(Deno.pid).filter((each) => !/^anon_inode:\[event/.test(each));
}

/** What the descriptors of a process are, in their order. */
export function descriptors(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name)).sort((a, b) => a - b)
    .flatMap((fd) => {
      try {
        return [Deno.readLinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    });
}

/** The part of a core that a process needs, over half a second: what spins needs a whole one. */
export async function busyRatio(pid: number): Promise<number> {
  const [startedMs, before] = [performance.now(), cpuMs(pid)];
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (cpuMs(pid) - before) / (performance.now() - startedMs);
}

/** CPU time of a process with all of its threads. */
function cpuMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12])); // USER_HZ is 100
}

function foldersBelow(folder: string): string[] {
  const inside = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
  return [folder, ...inside.flatMap(({ name }) => foldersBelow(`${folder}/${name}`))];
}

/** An instance's cgroups that are still there; `lib/supervisor` keeps their names in its folder. */
function cgroupsOf(folder: string): string[] {
  const names = readLines(`${folder}/cgroups`).filter((line) => line !== "");
  return names.filter((path) => kernelPathExists(path)).map((path) => `cgroup ${path}`);
}

function socketsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => {
    return Deno.lstatSync(`${folder}/${name}`).isSocket;
  });
}

function namedBy(folder: string): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    return pid > 0 && pid !== Deno.pid && readIfThere(`/proc/${pid}/cmdline`).includes(folder);
  });
}

function readLines(path: string): string[] {
  return readIfThere(path).split("\n");
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /ESRCH|No such process/.test(String(error))) return "";
    throw error;
  }
}
