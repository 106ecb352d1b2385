/**
 * Tasks that used the CPU (`struct sched_task`): two counters each, also for a while after they have exited, so that
 * a reader that comes every minute still sees the last value. Then the slot is free for another task.
 *
 * Of tasks that have exited only those are told that used the CPU noticeably: a build starts a thousand a second, and
 * each would be a series for ever in a recording. The time of the others is in the totals of CPU and cgroup.
 * @module
 */
import { type Metric, type SchemaEntry, wordsToNumber } from "../../metrics/mod.ts";
import { Columns, entryOf } from "../columns.ts";
import type { CgroupTable } from "./cgroup_table.ts";
import type { GroupReader } from "./readers.ts";
import { SCHED_CPU, SCHED_TASK } from "./sched.ts";
import type { BpfSource } from "./source.ts";

/** How long an exited task is still told. */
const EXITED_KEPT_NS = 60e9;

/** A task that has exited and used less than this is not told. */
const EXITED_LEAST_NS = 10e6;

/** Words of one slot. */
const STRIDE = 2 * SCHED_TASK.size;
const {
  start_ns: START,
  user_ns: USER,
  system_ns: SYSTEM,
  exit_ns: EXIT,
  ids: IDS,
  group: GROUP,
  comm: COMM,
} = SCHED_TASK.index;

/** Words of a slot that its labels are made of: start, cgroup, name. The pid goes with the start. */
const IDENTITY = [2 * START, 2 * START + 1, 2 * GROUP, ...[0, 1, 2, 3].map((word) => 2 * COMM + word)];
const COMM_BYTES = 16;

/**
 * Reads the tasks. Labels: `id` (upstream's name of the pid), `pid`, `tgid`, `comm`, `cgroup` (path), `start` (nanoseconds since boot: with the pid it
 * names one task for ever).
 */
export function taskReader(sampler: string, source: BpfSource, options: {
  user: Metric;
  system: Metric;
  cgroups: CgroupTable;
  /** Nanoseconds since boot, of the same clock as the kernel's stamps (monotonic). */
  now: () => number;
}): GroupReader {
  const info = source.object.map("tasks", { writable: true });
  const words = new Uint32Array(info.memory!);
  const bytes = new Uint8Array(info.memory!);
  const cpus = source.words("cpus");
  /** What a slot's entries were made of, and the entries: user, system. Other words make other entries. */
  const identities = new Uint32Array(IDENTITY.length * info.entries);
  const entries: (readonly SchemaEntry[] | undefined)[] = [];
  let slots: number[] = [];
  let columns = Columns.of(sampler, "task", []);

  const isSame = (slot: number): boolean => {
    const at = slot * STRIDE;
    const from = slot * IDENTITY.length;
    for (let word = 0; word < IDENTITY.length; word++) {
      if (identities[from + word] !== words[at + IDENTITY[word]!]) return false;
    }
    return true;
  };
  const remember = (slot: number): void => {
    const at = slot * STRIDE;
    IDENTITY.forEach((word, index) => identities[slot * IDENTITY.length + index] = words[at + word]!);
    const comm = bytes.subarray(4 * (at + 2 * COMM), 4 * (at + 2 * COMM) + COMM_BYTES);
    const cgroup = words[at + 2 * GROUP]!;
    const pid = String(words[at + 2 * IDS]);
    const labels = {
      id: pid,
      pid,
      tgid: String(words[at + 2 * IDS + 1]),
      comm: TEXT.decode(comm.subarray(0, comm.indexOf(0))),
      cgroup: options.cgroups.cgroups.find(({ id }) => id === cgroup)?.path ?? "",
      start: String(wordsToNumber(words, slot * SCHED_TASK.size + START)),
    };
    entries[slot] = [options.user, options.system].map((metric) => entryOf(sampler, { metric, labels }));
  };
  const isTold = (slot: number, now: number): boolean => {
    const exited = wordsToNumber(words, slot * SCHED_TASK.size + EXIT);
    if (exited === 0) return true;
    const used = wordsToNumber(words, slot * SCHED_TASK.size + USER) +
      wordsToNumber(words, slot * SCHED_TASK.size + SYSTEM);
    return now - exited <= EXITED_KEPT_NS && used >= EXITED_LEAST_NS;
  };

  return {
    read() {
      const high = highestSlot(cpus, source.possibleCpus);
      const now = options.now();
      const present: number[] = [];
      const expired: number[] = [];
      let changed = false;
      for (let slot = 0; slot < high; slot++) {
        const at = slot * STRIDE;
        if (words[at] === 0 && words[at + 1] === 0) continue;
        if (!isTold(slot, now)) {
          expired.push(slot);
          // One that was never told, as most of a build's, changes nothing.
          if (entries[slot] !== undefined) changed = true;
          continue;
        }
        if (entries[slot] === undefined || !isSame(slot)) {
          remember(slot);
          changed = true;
        }
        present.push(slot);
      }
      if (changed) {
        slots = present;
        const counters = [0, 1].flatMap((which) => slots.map((slot) => entries[slot]![which]!));
        columns = new Columns(columns.name, { counters, gauges: [], histograms: [] });
      }
      let to = 0;
      for (const field of [USER, SYSTEM]) {
        for (const slot of slots) {
          const from = slot * STRIDE + 2 * field;
          columns.counters[to++] = words[from]!;
          columns.counters[to++] = words[from + 1]!;
        }
      }
      release(expired);
      return columns.toGroup();
    },
  };

  /** The start is cleared first: a slot without one is free, whatever else it still holds. */
  function release(expired: readonly number[]): void {
    for (const slot of expired) {
      words.fill(0, slot * STRIDE, (slot + 1) * STRIDE);
      entries[slot] = undefined;
    }
    if (expired.length > 0) source.object.push("free_tasks", Uint32Array.from(expired.toReversed()));
  }
}

const TEXT = new TextDecoder();

function highestSlot(cpus: Uint32Array, count: number): number {
  let high = 0;
  for (let cpu = 0; cpu < count; cpu++) {
    high = Math.max(high, cpus[2 * (cpu * SCHED_CPU.size + SCHED_CPU.index.tasks_high)]!);
  }
  return high;
}
