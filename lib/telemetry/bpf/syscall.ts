/** The object `syscall`: see `bpf/syscall.bpf.c` and `bpf/syscall.h`. @module */
import { flag, layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";
import { fillSyscallKinds, SYSCALL_KINDS } from "./syscall_kinds.ts";

/** Counters of one CPU or cgroup, by kind. */
export const SYSCALL_COUNTERS = layout("syscall.h", "syscall_counters", [["calls", SYSCALL_KINDS.length]]);

export const SYSCALL: BpfSpec = {
  object: "syscall",
  hooks: ["sys_enter", "sys_exit"].map((event) => ({ event, variants: ["tp_btf", "raw_tp"] })),
  uniform: true,
  mapsOf: { tp_btf: ["storage"], raw_tp: ["calls"] },
  helpersOf: {},
  sizes: ({ possibleCpus, shards }) => ({ cpus: possibleCpus, latency: SYSCALL_KINDS.length * shards }),
  fill: fillSyscallKinds,
  settings: (enabled) => ({
    count_calls: flag(enabled.has("syscall_counts")),
    time_calls: flag(enabled.has("syscall_latency")),
  }),
};
