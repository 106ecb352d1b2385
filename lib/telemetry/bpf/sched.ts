/** The object `sched`: see `bpf/sched.bpf.c` and `bpf/sched.h`. @module */
import { flag, layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";

/** One CPU's bank. */
export const SCHED_CPU = layout("sched.h", "sched_cpu", [
  "user_ns",
  "system_ns",
  "exited_ns",
  "migrations_from",
  "migrations_to",
  "voluntary",
  "involuntary",
  "wait_ns",
  "discarded",
  "tasks_dropped",
  "tasks_high",
  ["reserved", 5],
]);

/** One cgroup's counters. */
export const SCHED_CGROUP = layout("sched.h", "sched_cgroup", [
  "user_ns",
  "system_ns",
  "exited_ns",
  "migrations",
  "wait_ns",
  "offcpu_ns",
  "voluntary",
  "involuntary",
]);

/** One task's slot; `ids` is pid and tgid, `group` the cgroup's id, `comm` 16 bytes. */
export const SCHED_TASK = layout("sched.h", "sched_task", [
  "start_ns",
  "user_ns",
  "system_ns",
  "exit_ns",
  "ids",
  "group",
  ["comm", 2],
]);

/** Rows of the map `histograms`. */
export const SCHED_ROWS = { runqueueLatency: 0, running: 1, offcpu: 2 } as const;
const ROW_COUNT = 3;

/** `MAX_TASKS` of the program. */
export const MAX_TASKS = 16_384;

const EVENTS = ["sched_switch", "sched_wakeup", "sched_wakeup_new", "sched_process_exit", "task_rename"];

export const SCHED: BpfSpec = {
  object: "sched",
  hooks: EVENTS.map((event) => ({ event, variants: ["tp_btf", "raw_tp"] })),
  uniform: true,
  mapsOf: { tp_btf: ["storage"], raw_tp: ["states"] },
  helpersOf: { tp_btf: ["flush__storage"], raw_tp: ["flush"] },
  sizes: ({ possibleCpus, shards }) => ({ cpus: possibleCpus, histograms: ROW_COUNT * shards }),
  // All slots for tasks are free at first, the lowest on top.
  fill: (object) => {
    object.push("free_tasks", Uint32Array.from({ length: MAX_TASKS }, (_, at) => MAX_TASKS - 1 - at));
  },
  settings: (enabled) => ({
    count_usage: flag(enabled.has("cpu_usage")),
    count_migrations: flag(enabled.has("cpu_migrations")),
    count_runqueue: flag(enabled.has("scheduler_runqueue")),
  }),
};
