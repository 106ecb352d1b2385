/**
 * The cgroups that a BPF object has met (`bpf/common/cgroup.bpf.h`): ids with their paths.
 *
 * An id is used again after its cgroup is gone; the serial number tells. The kernel does not tell when a cgroup goes,
 * so paths that no longer exist are dropped now and then; what is dropped comes back if its id is used again.
 * @module
 */
import type { Procfs } from "../procfs.ts";
import type { BpfSource } from "./source.ts";

/** A cgroup with counters. */
export interface Cgroup {
  readonly id: number;
  /**
   * Path below the hierarchy's root, `/` for the root itself; begins with `…/` where parts are missing, and a name that
   * was too long ends in `…`.
   */
  readonly path: string;
}

/** `MAX_CGROUPS`, `CGROUP_DEPTH` and `CGROUP_NAME_BYTES` of the header. */
export const MAX_CGROUPS = 4096;
const DEPTH = 6;
const NAME_BYTES = 96;
const ENTRY_BYTES = 8 + DEPTH * NAME_BYTES;

/** Paths are looked for at every so many refreshes: one `stat` a cgroup. */
const PRUNE_EVERY = 60;

/** Follows the cgroups of one source. */
export class CgroupTable {
  /** The cgroups known now, by ascending id; a new array whenever it changes. */
  cgroups: readonly Cgroup[] = [];
  readonly #serials: Uint32Array;
  readonly #names: Uint8Array;
  readonly #levels: DataView;
  readonly #seen = new Uint32Array(2 * MAX_CGROUPS);
  readonly #known = new Map<number, Cgroup>();
  readonly #procfs: Procfs;
  readonly #roots: readonly string[];
  #refreshes = 0;

  constructor(source: BpfSource, procfs: Procfs) {
    this.#serials = source.words("cgroup_serials");
    const { memory } = source.map("cgroups");
    this.#names = new Uint8Array(memory!);
    this.#levels = new DataView(memory!);
    this.#procfs = procfs;
    this.#roots = CPU_HIERARCHIES.filter((root) => procfs.exists(root));
  }

  /** Looks for new cgroups and, now and then, for those that are gone. */
  refresh(): void {
    let changed = this.#refreshes++ % PRUNE_EVERY === PRUNE_EVERY - 1 && this.#prune();
    for (let at = 0; at < 2 * MAX_CGROUPS; at += 2) {
      const low = this.#serials[at]!;
      const high = this.#serials[at + 1]!;
      if (low === this.#seen[at] && high === this.#seen[at + 1]) continue;
      const id = at / 2;
      this.#known.set(id, { id, path: this.#path(id) });
      this.#seen[at] = low;
      this.#seen[at + 1] = high;
      changed = true;
    }
    if (changed) this.cgroups = [...this.#known.values()].sort((left, right) => left.id - right.id);
  }

  #path(id: number): string {
    const start = id * ENTRY_BYTES;
    const level = this.#levels.getUint32(start, true);
    const parts: string[] = [];
    for (let depth = 0; depth < Math.min(level, DEPTH); depth++) {
      const from = start + 8 + depth * NAME_BYTES;
      const end = this.#names.indexOf(0, from);
      const name = TEXT.decode(this.#names.subarray(from, Math.min(end, from + NAME_BYTES)));
      parts.unshift(end - from < NAME_BYTES - 1 ? name : `${name}…`);
    }
    return `${level > DEPTH ? "…" : ""}/${parts.join("/")}`;
  }

  #prune(): boolean {
    if (this.#roots.length === 0) return false;
    let pruned = false;
    for (const [id, { path }] of this.#known) {
      if (path.includes("…") || this.#roots.some((root) => this.#procfs.exists(root + path))) continue;
      this.#known.delete(id);
      pruned = true;
    }
    return pruned;
  }
}

const TEXT = new TextDecoder();

/** Where the CPU controller's hierarchy is mounted: v1 (by its several names) and v2. */
const CPU_HIERARCHIES = [
  "/sys/fs/cgroup/cpu",
  "/sys/fs/cgroup/cpu,cpuacct",
  "/sys/fs/cgroup/unified",
  "/sys/fs/cgroup",
];
