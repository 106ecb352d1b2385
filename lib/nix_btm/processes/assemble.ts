/**
 * Which processes are builds, and of what. A process is counted once, however many signs it bears: signs make processes
 * builders, what descends from a builder is one, and whatever shares a sign that only one build can have is one build.
 * Pure.
 * @module
 */
import { parseStorePath } from "../../nix/mod.ts";
import type { ActiveBuild } from "./active_builds.ts";
import { autoUser, type UserRules, type Users } from "./builder_users.ts";
import type { BuildCgroup, Evidence } from "./evidence.ts";
import { buildFolder, type FolderRules, nameInFolder } from "./evidence.ts";
import { processKey, type ProcessStat } from "./stat.ts";

/** A process; without evidence it was looked at before, and bears no sign. */
export interface SeenProcess {
  readonly stat: ProcessStat;
  readonly evidence: Evidence | undefined;
}

/** All processes at one look, and what Nix tells beside. */
export interface ProcessSnapshot {
  readonly processes: readonly SeenProcess[];
  readonly users: Users;
  readonly active: readonly ActiveBuild[];
}

/** Settings of a Nix. */
export interface NixRules extends UserRules, FolderRules {
  /** Where derivations are when the builder does not tell. */
  readonly storeFolder: string;
}

/** By what a process was found. `nix` is the file of `active-builds`. */
export type Sign = "user" | "cgroup" | "nix" | "environment" | "folder";

/** What is known of a derivation from its builder alone. */
export interface BuiltDerivation {
  readonly name: string | undefined;
  /** Told by Nix, or by the name of its cgroup. */
  readonly path: string | undefined;
  /** Paths of outputs by their names: `out` and others. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** One build on this host. */
export interface AssembledBuild {
  /** Names it as long as its first process lives. */
  readonly id: string;
  readonly foundBy: readonly Sign[];
  readonly derivation: BuiltDerivation;
  /** User that it runs as. */
  readonly uid: number;
  /** Who asked for it, where Nix tells. */
  readonly requesterUid: number | undefined;
  /** The process of Nix that has started it: its pid is in the ids of that Nix' activities. */
  readonly nixPid: number | undefined;
  /** Where it builds, as it sees it. */
  readonly folder: string | undefined;
  readonly cgroup: BuildCgroup | undefined;
  /** Its first process, then the others, parents before children. */
  readonly members: readonly SeenProcess[];
}

/** Programs of Nix, by the first 15 bytes of their names; NixOS wraps some as `.nix-daemon-wrapped`. */
const NIX = /^\.?nix(?:-(?:daemon|build|store|shell|env|instantiate|collect-gar|copy-closur)(?:-w[a-z]*)?)?$/;

/** Returns the builds, the oldest first. */
export function assembleBuilders(snapshot: ProcessSnapshot, rules: NixRules): AssembledBuild[] {
  const family = new Family(snapshot.processes);
  const notes = new Map(snapshot.active.map((each) => [each.mainPid, each]));
  const context: Context = { users: snapshot.users, notes, family, rules };
  const signs = signsOf(context);
  const groups = new Groups();
  for (const { stat: { pid, ppid, state } } of family.olderFirst()) {
    const isBelow = groups.has(ppid);
    // What has ended builds no more, however long nobody waits for it.
    if (!isBelow && (!signs.has(pid) || hasEnded(state))) continue;
    groups.add(pid);
    if (isBelow) groups.join(pid, ppid);
    for (const mark of signs.get(pid)?.marks ?? []) groups.join(pid, mark);
  }
  const builds = groups.all().map((pids) => {
    const members = family.ordered(pids);
    const foundBy = new Set(pids.flatMap((pid) => signs.get(pid)?.signs ?? []));
    return buildOf(members, { ...context, foundBy: [...foundBy] });
  });
  return builds.sort((a, b) => startOf(a) - startOf(b) || a.members[0]!.stat.pid - b.members[0]!.stat.pid);
}

function hasEnded(state: string): boolean {
  return state === "Z" || state === "X";
}

/** Whether a process is one of Nix' programs. */
export function isNixProgram({ name }: { readonly name: string }): boolean {
  return NIX.test(name);
}

/** What makes a process a builder, and marks that only processes of its build have. */
interface Signs {
  readonly signs: readonly Sign[];
  readonly marks: readonly string[];
}

/** What is looked at. */
interface Context {
  readonly users: Users;
  /** What Nix tells, by the builder's pid. */
  readonly notes: ReadonlyMap<number, ActiveBuild>;
  readonly family: Family;
  readonly rules: NixRules;
}

function signsOf({ users, notes, family, rules }: Context): Map<number, Signs> {
  const found = new Map<number, Signs>();
  for (const { stat, evidence } of family.processes) {
    if (evidence === undefined) continue;
    const { uid, cgroup, top, outputs } = evidence;
    const range = autoUser(uid, rules);
    const isUser = users.builders.has(uid) ||
      // Containers have users of these ids as well.
      range !== undefined &&
        (top !== undefined || cgroup !== undefined || family.nixAbove(stat) !== undefined);
    const isInside = isInFolder(family, { stat, evidence });
    // Variables that someone has taken over into his terminal to look into a failed build make no build.
    const isSet = top !== undefined && stat.terminal === 0 && !isNixProgram(stat);
    const signs: Sign[] = [
      ...isUser ? ["user" as const] : [],
      ...cgroup === undefined ? [] : ["cgroup" as const],
      ...notes.has(stat.pid) ? ["nix" as const] : [],
      ...isSet ? ["environment" as const] : [],
      ...isInside ? ["folder" as const] : [],
    ];
    if (signs.length === 0) continue;
    // Whoever sets a variable joins only what runs as the same user.
    const folder = isSet ? buildFolder(top, rules) : isInside ? evidence.folder : undefined;
    const isOwn = folder !== undefined && folder !== rules.sandboxFolder;
    const marks = [
      ...isUser ? [`user ${range ?? uid}`] : [],
      ...cgroup === undefined ? [] : [`cgroup ${cgroup.path}`],
      ...isOwn ? [`folder ${uid} ${folder}`] : [],
      ...isSet && outputs["out"] !== undefined ? [`out ${uid} ${outputs["out"]}`] : [],
    ];
    found.set(stat.pid, { signs, marks });
  }
  return found;
}

/** Anyone may go into a build's folder: what Nix has started there builds. */
function isInFolder(family: Family, { stat, evidence }: SeenProcess): boolean {
  if (evidence?.folder === undefined) return false;
  if (!isNixProgram(stat)) return family.nixAbove(stat) !== undefined && stat.terminal === 0;
  // Nix' own builders, as that of fetchurl, are copies of it that lead a session.
  const parent = family.get(stat.ppid);
  return stat.sessionId === stat.pid && parent !== undefined && isNixProgram(parent.stat) &&
    parent.evidence?.folder !== evidence.folder;
}

function buildOf(
  members: readonly SeenProcess[],
  { notes, family, rules, foundBy }: Context & { readonly foundBy: readonly Sign[] },
): AssembledBuild {
  const main = members[0]!;
  const told = members.map(({ stat }) => notes.get(stat.pid)).find((note) => note !== undefined);
  const above = family.get(main.stat.ppid)?.stat;
  const nixPid = told?.nixPid ?? (above !== undefined && isNixProgram(above) ? above.pid : undefined);
  const first = <T>(of: (evidence: Evidence) => T | undefined): T | undefined => {
    for (const { evidence } of members) {
      const found = evidence === undefined ? undefined : of(evidence);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const folder = first(({ top }) => top) ?? first((each) => each.folder);
  const cgroup = first((each) => each.cgroup);
  return {
    id: processKey(main.stat),
    foundBy,
    derivation: derivationOf({ told, folder, cgroup, first, rules }),
    uid: main.evidence?.uid ?? first(({ uid }) => uid) ?? 0,
    requesterUid: told?.clientUid,
    nixPid,
    folder,
    cgroup,
    members,
  };
}

/** What Nix says goes before what the builder says of itself. */
function derivationOf({ told, folder, cgroup, first, rules }: {
  readonly told: ActiveBuild | undefined;
  readonly folder: string | undefined;
  readonly cgroup: BuildCgroup | undefined;
  readonly first: <T>(of: (evidence: Evidence) => T | undefined) => T | undefined;
  readonly rules: NixRules;
}): BuiltDerivation {
  const outputs = first((each) => Object.keys(each.outputs).length > 0 ? each.outputs : undefined) ?? {};
  const store = first((each) => each.store) ?? rules.storeFolder;
  const name = nameOf(`${store}/${told?.derivation}`) ?? nameInFolder(folder ?? "") ??
    first((each) => each.name) ?? nameOf(outputs["out"] ?? "");
  const file = told?.derivation ??
    (cgroup?.hash === undefined || name === undefined ? undefined : `${cgroup.hash}-${name}.drv`);
  return { name, path: file === undefined ? undefined : `${store}/${file}`, outputs };
}

/** `hello-1.0` of `/nix/store/…-hello-1.0.drv`. */
function nameOf(path: string): string | undefined {
  return parseStorePath(path)?.name.replace(/\.drv$/, "");
}

function startOf({ members }: AssembledBuild): number {
  return members[0]!.stat.startTicks;
}

/** Who descends from whom. */
class Family {
  readonly processes: readonly SeenProcess[];
  readonly #byPid = new Map<number, SeenProcess>();
  readonly #children = new Map<number, SeenProcess[]>();
  readonly #nixAbove = new Map<number, number>();

  constructor(processes: readonly SeenProcess[]) {
    this.processes = processes;
    for (const each of processes) {
      this.#byPid.set(each.stat.pid, each);
      const siblings = this.#children.get(each.stat.ppid);
      if (siblings === undefined) this.#children.set(each.stat.ppid, [each]);
      else siblings.push(each);
    }
    for (const { stat: { pid, ppid } } of this.olderFirst()) {
      const parent = this.#byPid.get(ppid);
      const above = parent !== undefined && isNixProgram(parent.stat) ? ppid : this.#nixAbove.get(ppid);
      if (above !== undefined) this.#nixAbove.set(pid, above);
    }
  }

  get(pid: number): SeenProcess | undefined {
    return this.#byPid.get(pid);
  }

  /** Pid of the nearest program of Nix above a process. */
  nixAbove({ pid }: ProcessStat): number | undefined {
    return this.#nixAbove.get(pid);
  }

  /** All, parents before children. Two that are each other's parents, as a reused pid makes them, are left out. */
  olderFirst(): SeenProcess[] {
    const roots = this.processes.filter(({ stat: { pid, ppid } }) => ppid === pid || !this.#byPid.has(ppid));
    return this.#below(roots, () => true);
  }

  /** Of these the oldest whose parent is none of them first; then what descends from each. */
  ordered(pids: readonly number[]): SeenProcess[] {
    const wanted = new Set(pids);
    const roots = pids.map((pid) => this.#byPid.get(pid)!).filter(({ stat }) => !wanted.has(stat.ppid));
    roots.sort(({ stat: a }, { stat: b }) => a.startTicks - b.startTicks || a.pid - b.pid);
    return this.#below(roots, (pid) => wanted.has(pid));
  }

  /** Depth first, as trees are drawn. */
  #below(roots: readonly SeenProcess[], isWanted: (pid: number) => boolean): SeenProcess[] {
    const found = new Set<SeenProcess>();
    const open = roots.toReversed();
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      for (const child of (this.#children.get(next.stat.pid) ?? []).toReversed()) {
        if (isWanted(child.stat.pid)) open.push(child);
      }
    }
    return [...found];
  }
}

/** Processes that belong together, by union of what they share. */
class Groups {
  readonly #parents = new Map<number | string, number | string>();

  has(pid: number): boolean {
    return this.#parents.has(pid);
  }

  add(item: number | string): void {
    if (!this.#parents.has(item)) this.#parents.set(item, item);
  }

  join(pid: number, other: number | string): void {
    this.add(other);
    this.#parents.set(this.#rootOf(pid), this.#rootOf(other));
  }

  all(): number[][] {
    const found = new Map<number | string, number[]>();
    for (const item of this.#parents.keys()) {
      if (typeof item !== "number") continue;
      const root = this.#rootOf(item);
      const group = found.get(root);
      if (group === undefined) found.set(root, [item]);
      else group.push(item);
    }
    return [...found.values()];
  }

  #rootOf(item: number | string): number | string {
    let root = item;
    for (let next = this.#parents.get(root)!; next !== root; next = this.#parents.get(root)!) root = next;
    // Halved paths keep long chains of children short.
    this.#parents.set(item, root);
    return root;
  }
}
