/**
 * Tasks that used the CPU (`struct sched_task`): two counters each, also for a while after they have exited, so that
 * a reader that comes every minute still sees the last value. Then the slot is free for another task.
 *
 * Of tasks that have exited only those are told that used the CPU noticeably: a build starts a thousand a second, and
 * each would be a series for ever in a recording. The time of the others is in the totals of CPU and cgroup.
 * @module
 */
import { type Metric, wordsToNumber } from "../../metrics/mod.ts";
import { Columns, type Member } from "../columns.ts";
import type { CgroupTable } from "./cgroup_table.ts";
import type { GroupReader } from "./readers.ts";
import { SCHED_CPU, SCHED_TASK } from "./sched.ts";
import type { BpfSource } from "./source.ts";

/** How long an exited task is still told. */
export const EXITED_KEPT_NS = 60e9;

/** A task that has exited and used less than this is not told. */
export const EXITED_LEAST_NS = 10e6;

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

/**
 * Reads the tasks. Labels: `pid`, `tgid`, `comm`, `cgroup` (path), `start` (nanoseconds since boot: with the pid it
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
  /** What a slot's labels were made of; another value makes new columns. */
  const identities: string[] = [];
  let slots: number[] = [];
  let columns = new Columns(sampler, "task", []);

  const identity = (slot: number): string => {
    const at = slot * STRIDE;
    const comm = words.subarray(at + 2 * COMM, at + 2 * COMM + 4);
    return `${words[at]},${words[at + 1]},${words[at + 2 * GROUP]},${comm.join()}`;
  };
  const labelsOf = (slot: number): Member["labels"] => {
    const at = slot * STRIDE;
    const comm = bytes.subarray(4 * (at + 2 * COMM), 4 * (at + 2 * COMM) + 16);
    const cgroup = words[at + 2 * GROUP]!;
    return {
      pid: String(words[at + 2 * IDS]),
      tgid: String(words[at + 2 * IDS + 1]),
      comm: TEXT.decode(comm.subarray(0, comm.indexOf(0))),
      cgroup: options.cgroups.cgroups.find(({ id }) => id === cgroup)?.path ?? "",
      start: String(wordsToNumber(words, slot * SCHED_TASK.size + START)),
    };
  };

  const usedNs = (slot: number): number =>
    wordsToNumber(words, slot * SCHED_TASK.size + USER) +
    wordsToNumber(words, slot * SCHED_TASK.size + SYSTEM);

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
        const exited = wordsToNumber(words, slot * SCHED_TASK.size + EXIT);
        if (exited !== 0 && (now - exited > EXITED_KEPT_NS || usedNs(slot) < EXITED_LEAST_NS)) {
          expired.push(slot);
          changed = true;
          continue;
        }
        const is = identity(slot);
        if (identities[slot] !== is) {
          identities[slot] = is;
          changed = true;
        }
        present.push(slot);
      }
      if (changed || present.length !== slots.length) {
        slots = present;
        const labels = slots.map(labelsOf);
        columns = new Columns(
          sampler,
          "task",
          [options.user, options.system].flatMap((metric) =>
            labels.map((each) => ({ metric, labels: each! }))
          ),
        );
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
      delete identities[slot];
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
