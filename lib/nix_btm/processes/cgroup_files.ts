/**
 * What cgroups of builds have used, and stopping all that is in one (Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1). A controller that is not there tells nothing.
 * @module
 */
import { SystemError } from "../../../ffi/errno.ts";
import { writeKernelFile } from "../../../ffi/files/mod.ts";
import type { Procfs } from "../../procfs/mod.ts";
import type { BuildCgroup } from "./evidence.ts";

/** What a cgroup tells of itself; since it was made. */
export interface CgroupUsage {
  readonly cpuSeconds: number | undefined;
  /** With the files that it has read and the kernel keeps. */
  readonly memoryBytes: number | undefined;
  readonly readBytes: number | undefined;
  readonly writtenBytes: number | undefined;
  readonly isFrozen: boolean;
}

/** Where trees of cgroups are mounted, by controller; `""` for version 2. */
export type CgroupMounts = ReadonlyMap<string, { readonly point: string; readonly root: string }>;

/** Reads the text of `/proc/self/mountinfo` (proc(5)). Pure. */
export function cgroupFolders(mountinfo: string): CgroupMounts {
  const found = new Map<string, { point: string; root: string }>();
  for (const line of mountinfo.split("\n")) {
    const [mount = "", rest = ""] = line.split(" - ");
    const [type, , options = ""] = rest.split(" ");
    const [, , , root, point] = mount.split(" ");
    if (root === undefined || point === undefined || type !== "cgroup" && type !== "cgroup2") continue;
    for (const each of type === "cgroup2" ? [""] : options.split(",")) found.set(each, { point, root });
  }
  return found;
}

/** The cgroups of one machine. */
export class CgroupFiles {
  readonly #procfs: Procfs;
  #mounts: CgroupMounts | undefined;

  constructor(procfs: Procfs) {
    this.#procfs = procfs;
  }

  /** What is known of a build's cgroup now. */
  usage(cgroup: BuildCgroup): CgroupUsage {
    const micros = number(/^usage_usec (\d+)$/m.exec(this.#text(cgroup, "", "cpu.stat") ?? "")?.[1]);
    const nanos = number(this.#text(cgroup, "cpuacct", "cpuacct.usage"));
    const io = this.#text(cgroup, "", "io.stat");
    const oldIo = io === undefined
      ? this.#text(cgroup, "blkio", "blkio.throttle.io_service_bytes_recursive")
      : undefined;
    return {
      cpuSeconds: micros === undefined ? nanos === undefined ? undefined : nanos / 1e9 : micros / 1e6,
      memoryBytes: number(
        this.#text(cgroup, "", "memory.current") ?? this.#text(cgroup, "memory", "memory.usage_in_bytes"),
      ),
      readBytes: sum(io, /\brbytes=(\d+)/g) ?? sum(oldIo, /^\d+:\d+ Read (\d+)$/gm),
      writtenBytes: sum(io, /\bwbytes=(\d+)/g) ?? sum(oldIo, /^\d+:\d+ Write (\d+)$/gm),
      isFrozen: /^frozen 1$/m.test(this.#text(cgroup, "", "cgroup.events") ?? "") ||
        this.#text(cgroup, "freezer", "freezer.state")?.trim() === "FROZEN",
    };
  }

  /** Stops all that is in it, or lets it go on; false where that cannot be done so. */
  freeze(cgroup: BuildCgroup, isFrozen: boolean): boolean {
    return this.#write(cgroup, ["", "cgroup.freeze"], isFrozen ? "1" : "0") ||
      this.#write(cgroup, ["freezer", "freezer.state"], isFrozen ? "FROZEN" : "THAWED");
  }

  /** Kills all that is in it, at once (Linux 5.14); false where that cannot be done so. */
  kill(cgroup: BuildCgroup): boolean {
    return this.#write(cgroup, ["", "cgroup.kill"], "1");
  }

  #text(cgroup: BuildCgroup, controller: string, file: string): string | undefined {
    const folder = this.#folderOf(cgroup, controller);
    return folder === undefined ? undefined : this.#procfs.text(`${folder}/${file}`);
  }

  #write(cgroup: BuildCgroup, [controller, file]: readonly [string, string], text: string): boolean {
    const folder = this.#folderOf(cgroup, controller);
    if (folder === undefined || !this.#procfs.exists(`${folder}/${file}`)) return false;
    try {
      writeKernelFile(`${this.#procfs.root}${folder}/${file}`, text);
      return true;
    } catch (error) {
      // It has ended, or is not ours to write: signals tell which.
      if (error instanceof SystemError) return false;
      throw error;
    }
  }

  #folderOf({ byController }: BuildCgroup, controller: string): string | undefined {
    const path = byController[controller];
    if (path === undefined || path.includes("/../")) return undefined; // Outside of what this namespace sees.
    this.#mounts ??= cgroupFolders(this.#procfs.text("/proc/self/mountinfo") ?? "");
    const mount = this.#mounts.get(controller);
    if (mount === undefined) return undefined;
    const inside = mount.root === "/"
      ? path
      : path.startsWith(`${mount.root}/`) && path.slice(mount.root.length);
    return inside === false ? undefined : mount.point + inside;
  }
}

function number(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);
}

function sum(text: string | undefined, each: RegExp): number | undefined {
  if (text === undefined) return undefined;
  return [...text.matchAll(each)].reduce((total, [, bytes]) => total + Number(bytes), 0);
}
