/** What processes and the machine have used lately: all of them looked at in one pass. @module */
import { Procfs } from "../procfs/mod.ts";
import { treeUsage, UsageRates } from "../services/mod.ts";
import type { IchimiHost } from "./host.ts";

/** One look at everything. CPU is percent of one core, of the machine percent of all its cores. */
export interface UsagePoint {
  readonly timeMs: number;
  readonly machine: { readonly cpu: number | null; readonly memory: number };
  /** By process; of those that run. Memory in bytes. */
  readonly processes: ReadonlyMap<string, { readonly cpu: number; readonly memory: number }>;
}

/** Looks that are kept: six minutes while somebody watches, an hour while nobody does. */
export const POINTS_KEPT = 180;
/** How often is looked while somebody watches, and while nobody does. */
export const WATCHED_MS = 2_000;
const UNWATCHED_MS = 20_000;
/** Between two looks. */
const LEAST_MS = 500;

/** Looks at all processes until disposed. */
export class UsageHistory implements Disposable {
  readonly #host: IchimiHost;
  readonly #procfs = new Procfs();
  readonly #rates = new UsageRates();
  readonly #points: UsagePoint[] = [];
  readonly #watchers = new Set<(point: UsagePoint) => void>();
  /** Told when somebody begins to look, and when nobody does any more. */
  readonly #watchListeners = new Set<() => void>();
  /** Of the machine: busy and all ticks at the look before. */
  #ticks: readonly [busy: number, all: number] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #known = new Set<string>();

  constructor(host: IchimiHost) {
    this.#host = host;
    this.#look();
  }

  /** Oldest first. */
  get points(): readonly UsagePoint[] {
    return this.#points;
  }

  /** Whether somebody looks at the processes. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Hears of each look, which are more frequent meanwhile; returns how to stop. */
  watch(watcher: (point: UsagePoint) => void): () => void {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) {
      // Whoever comes sees something at once, unless it was looked a moment ago: CPU is a difference.
      const agoMs = Date.now() - (this.#points.at(-1)?.timeMs ?? 0);
      this.#later(Math.max(0, LEAST_MS - agoMs));
      this.#tellWatchListeners();
    }
    return () => {
      if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
      this.#later(UNWATCHED_MS);
      this.#tellWatchListeners();
    };
  }

  /** Hears when `isWatched` becomes another; returns how to stop listening. */
  listenForWatchers(listener: () => void): () => void {
    this.#watchListeners.add(listener);
    return () => this.#watchListeners.delete(listener);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watchers.clear();
  }

  #tellWatchListeners(): void {
    for (const listener of [...this.#watchListeners]) listener();
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const point: UsagePoint = {
      timeMs: Date.now(),
      machine: { cpu: this.#machineCpu(), memory: this.#machineMemory() },
      processes: this.#processes(),
    };
    this.#points.push(point);
    if (this.#points.length > POINTS_KEPT) this.#points.shift();
    for (const watcher of [...this.#watchers]) watcher(point);
    this.#later(this.#watchers.size === 0 ? UNWATCHED_MS : WATCHED_MS);
  }

  #processes(): UsagePoint["processes"] {
    const found = new Map<string, { readonly cpu: number; readonly memory: number }>();
    for (const { id } of this.#host.records) {
      const { state } = this.#host.standing(id);
      if (state.kind !== "running") continue;
      const used = treeUsage(state.pid);
      const { ratio } = this.#rates.ratio(id, state.pid, used);
      // At its first look, since its start.
      const cpu = ratio ?? 1_000 * used.cpuSeconds / Math.max(LEAST_MS, Date.now() - state.startedMs);
      found.set(id, { cpu: Math.round(1_000 * cpu) / 10, memory: used.memoryBytes });
    }
    for (const id of this.#known) if (!found.has(id)) this.#rates.forget(id);
    this.#known = new Set(found.keys());
    return found;
  }

  /** Percent since the look before; null at the first. Source: proc_stat(5). */
  #machineCpu(): number | null {
    const fields = this.#procfs.text("/proc/stat")?.split("\n", 1)[0]?.trim().split(/\s+/).slice(1, 9).map(
      Number,
    );
    if (fields === undefined) return null;
    const all = fields.reduce((sum, each) => sum + each, 0);
    const busy = all - (fields[3] ?? 0) - (fields[4] ?? 0);
    const before = this.#ticks;
    this.#ticks = [busy, all];
    if (before === undefined || all <= before[1]) return null;
    return Math.round(1_000 * (busy - before[0]) / (all - before[1])) / 10;
  }

  /** Percent of the memory that is not available. Source: proc_meminfo(5). */
  #machineMemory(): number {
    const text = this.#procfs.text("/proc/meminfo") ?? "";
    const value = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
    const all = value("MemTotal");
    return all === 0 ? 0 : Math.round(1_000 * (1 - value("MemAvailable") / all)) / 10;
  }
}
