/**
 * A cgroup for each instance, where they can be made: all that it has started is found and ended there, its use of the
 * machine is counted there, and its limits hold there (cgroups(7), Documentation/admin-guide/cgroup-v2.rst).
 * @module
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { errnoOf, SystemError } from "../../ffi/errno.ts";
import {
  kernelPathExists,
  listKernelFolder,
  makeKernelFolder,
  readKernelFile,
  removeKernelFolder,
  writeKernelFile,
} from "../../ffi/files/mod.ts";

/** What an instance and all that it starts may use together. */
export interface Limits {
  readonly memoryBytes?: number;
  /** Of the time of one CPU; 1.5 is one and a half. */
  readonly cpus?: number;
  readonly processes?: number;
}

/** One tree of cgroups. */
export interface Hierarchy {
  /** Where cgroups are made, absolute. */
  readonly base: string;
  readonly version: 1 | 2;
  /** Of the kernel's controllers those that can be used in it. */
  readonly controllers: readonly string[];
}

const PERIOD_US = 100_000;
/** The kernel takes no less. */
const LEAST_QUOTA_US = 1_000;
const SUBTREE = "hostkit";
const TRIES = 10;
const OWNER_HASH_CHARS = 8;
const EBUSY = errnoOf("EBUSY");
/** In an instance's folder: its cgroups, one a line. */
const NAMES = "cgroups";
/** An instance's cgroup among its owner's, and the kernel's own files. */
const INSTANCE = /\.(run|build)-\d+$/;

/** Trees in which this process may make cgroups, v2 first. Those of others are not theirs to give. */
export function findHierarchies(): Hierarchy[] {
  const own = ownCgroups(textOf("/proc/self/cgroup"));
  const isRoot = Deno.uid() === 0;
  return cgroupMounts(textOf("/proc/self/mountinfo")).flatMap(({ point, version, options }) => {
    if (!kernelPathExists(`${point}/cgroup.procs`)) return []; // Another one is mounted over it.
    const controllers = version === 2 ? wordsOf(textOf(`${point}/cgroup.controllers`)) : options;
    // Root makes its own at the top; whoever is not has what was delegated to it.
    const path = isRoot ? "" : own.get(version === 2 ? "" : options[0] ?? "") ?? "";
    return isRoot || path !== ""
      ? [{ base: `${point}${path === "/" ? "" : path}`, version, controllers }]
      : [];
  }).sort((a, b) => b.version - a.version);
}

/** Mounts of cgroup trees from the text of `/proc/self/mountinfo`. Pure. */
export function cgroupMounts(
  text: string,
): { readonly point: string; readonly version: 1 | 2; readonly options: string[] }[] {
  return text.split("\n").flatMap((line) => {
    const [mount = "", rest = ""] = line.split(" - ");
    const [type, , superOptions = ""] = rest.split(" ");
    const point = mount.split(" ")[4];
    if (point === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
    const options = superOptions.split(",").filter((option) => option !== "rw" && option !== "ro");
    return [{ point, version: type === "cgroup2" ? 2 as const : 1 as const, options }];
  });
}

/** Name of a state folder's cgroups: readable, and no other folder's. */
export function cgroupOwner(folder: string): string {
  const digest = createHash("sha256").update(folder).digest("hex");
  return `${basename(folder)}-${digest.slice(0, OWNER_HASH_CHARS)}`;
}

/** Makes the cgroups of instances. Their names stand in the instance's folder, for whoever has to remove them. */
export class CgroupMaker {
  readonly #hierarchies: readonly Hierarchy[];
  /** Where instances are grouped also without limits: v2 alone kills whole cgroups. */
  readonly #grouping: Hierarchy | undefined;
  readonly #owner: string;

  /** @param owner Name of whom they belong to, a part of their path. */
  constructor(owner: string, hierarchies: readonly Hierarchy[] = findHierarchies()) {
    this.#owner = owner;
    this.#hierarchies = hierarchies;
    this.#grouping = hierarchies.find(({ version, base }) => version === 2 && canMakeIn(base));
  }

  /**
   * Returns the folders that an instance has to join; none where no cgroup can be made and no limit is asked for.
   * @throws {Error} When a limit cannot be set, naming what is in its way.
   */
  make(folder: string, name: string, limits: Limits = {}): string[] {
    try {
      const plan = [...this.#plan(limits)].map(([{ base, version }, settings]) => {
        const parents = [base, `${base}/${SUBTREE}`, `${base}/${SUBTREE}/${this.#owner}`];
        return { base, version, settings, parents, path: `${parents.at(-1)}/${name}` };
      });
      const made = plan.map(({ path }) => path);
      // All of them before the first is there: who is killed while it changes a file leaves an empty one.
      if (made.length > 0) Deno.writeTextFileSync(`${folder}/${NAMES}`, made.join("\n"));
      for (const { base, version, settings, parents, path } of plan) {
        againWhenGone(() => {
          for (const parent of parents) {
            if (parent !== base) makeIfMissing(parent);
            if (version === 2) handOn(parent, settings.map(([file]) => file.slice(0, file.indexOf("."))));
          }
          makeKernelFolder(path);
        });
        for (const [file, value] of settings) writeKernelFile(`${path}/${file}`, value);
      }
      return made;
    } catch (cause) {
      removeCgroups(folder);
      if (Object.keys(limits).length === 0) return [];
      throw new Error(`Cannot limit "${name}": ${messageOf(cause)}`, { cause });
    }
  }

  /** Removes what is left of this owner's and empty: a folder may have been removed with the names in it. */
  sweep(): void {
    for (const { base } of this.#hierarchies) {
      const own = `${base}/${SUBTREE}/${this.#owner}`;
      const names = kernelPathExists(own) ? listKernelFolder(own) : [];
      for (const name of names) if (INSTANCE.test(name)) isRemoved(`${own}/${name}`);
    }
  }

  /** Which files are to be written in which tree. */
  #plan(limits: Limits): Map<Hierarchy, [file: string, value: string][]> {
    const plan = new Map<Hierarchy, [string, string][]>();
    if (this.#grouping !== undefined) plan.set(this.#grouping, []);
    for (const [key, value] of Object.entries(limits)) {
      const { controller, settings } = LIMITS[key as keyof Limits];
      const hierarchy = this.#hierarchies.find(({ controllers }) => controllers.includes(controller));
      if (hierarchy === undefined) {
        throw new Error(`this user can make no cgroups with the controller "${controller}"; ${ADVICE}`);
      }
      plan.set(hierarchy, [...plan.get(hierarchy) ?? [], ...settings(value, hierarchy.version)]);
    }
    return plan;
  }
}

const ADVICE = "root can, and so can a systemd unit with Delegate=yes";

interface LimitKind {
  readonly controller: string;
  /** Files and what is written into them. */
  readonly settings: (value: number, version: 1 | 2) => [file: string, value: string][];
}

const LIMITS: Readonly<Record<keyof Limits, LimitKind>> = {
  memoryBytes: {
    controller: "memory",
    settings: (bytes, version) => [[version === 2 ? "memory.max" : "memory.limit_in_bytes", `${bytes}`]],
  },
  cpus: {
    controller: "cpu",
    settings: (cpus, version) => {
      const quotaUs = Math.max(LEAST_QUOTA_US, Math.round(cpus * PERIOD_US));
      return version === 2
        ? [["cpu.max", `${quotaUs} ${PERIOD_US}`]]
        : [["cpu.cfs_period_us", `${PERIOD_US}`], ["cpu.cfs_quota_us", `${quotaUs}`]];
    },
  },
  processes: { controller: "pids", settings: (count) => [["pids.max", `${count}`]] },
};

/** Kills all that is in the cgroups of an instance, where the kernel can (Linux 5.14). */
export function killCgroups(folder: string): void {
  for (const path of cgroupsOf(folder)) {
    if (kernelPathExists(`${path}/cgroup.kill`)) writeKernelFile(`${path}/cgroup.kill`, "1");
  }
}

/** How often the kernel ended something of an instance since it needed more memory than its limit. */
export function oomKills(folder: string): number {
  return cgroupsOf(folder).reduce((sum, path) => {
    const file = ["memory.events", "memory.oom_control"].map((name) => `${path}/${name}`).find(
      kernelPathExists,
    );
    return sum + Number(/^oom_kill (\d+)$/m.exec(file === undefined ? "" : textOf(file))?.[1] ?? 0);
  }, 0);
}

/** Removes the cgroups of an instance; one that something still lives in stays, with its name, for the next time. */
export function removeCgroups(folder: string): void {
  const paths = cgroupsOf(folder);
  if (paths.length === 0 || !paths.map(isRemoved).every(Boolean)) return;
  Deno.removeSync(`${folder}/${NAMES}`);
}

/** The last of another manager's instances takes what is above it along, perhaps right now. */
function againWhenGone(body: () => void): void {
  for (let tries = 1;; tries++) {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== "ENOENT" || tries === TRIES) throw error;
    }
  }
}

/** False while something of it still ends. */
function isRemoved(path: string): boolean {
  if (kernelPathExists(path) && !isEmptied(path)) return false;
  // What is above it goes with the last one that is in it.
  for (let above = parentOf(path), at = 0; at < 2 && isEmptied(above); at++) above = parentOf(above);
  return true;
}

function isEmptied(path: string): boolean {
  try {
    removeKernelFolder(path);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return false; // EBUSY or ENOTEMPTY: others are in it.
  }
}

/** Lets children of a cgroup use controllers. One that has processes itself may not: they go aside. */
function handOn(path: string, controllers: readonly string[]): void {
  const lacks = controllers.filter((each) =>
    !wordsOf(textOf(`${path}/cgroup.subtree_control`)).includes(each)
  );
  if (lacks.length === 0) return;
  const text = lacks.map((each) => `+${each}`).join(" ");
  try {
    writeKernelFile(`${path}/cgroup.subtree_control`, text);
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== EBUSY) throw error;
    const aside = `${path}/${SUBTREE}-manager`;
    makeIfMissing(aside);
    for (const pid of wordsOf(textOf(`${path}/cgroup.procs`))) writeKernelFile(`${aside}/cgroup.procs`, pid);
    writeKernelFile(`${path}/cgroup.subtree_control`, text);
  }
}

function makeIfMissing(path: string): void {
  try {
    makeKernelFolder(path);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "EEXIST") throw error;
  }
}

/** Whether cgroups can be made there, by trying. */
function canMakeIn(base: string): boolean {
  const path = `${base}/${SUBTREE}-${Deno.pid}`;
  try {
    makeKernelFolder(path);
    removeKernelFolder(path);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return false; // Whatever is in the way, nothing can be made.
  }
}

/** Paths by controller, `""` for v2, from the text of `/proc/self/cgroup`. */
function ownCgroups(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const each of controllers?.split(",") ?? []) found.set(each, path!);
  }
  return found;
}

/** Those of the instance in a folder. */
export function cgroupsOf(folder: string): string[] {
  try {
    return Deno.readTextFileSync(`${folder}/${NAMES}`).split("\n").filter((path) => path !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function textOf(path: string): string {
  return new TextDecoder().decode(readKernelFile(path));
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
