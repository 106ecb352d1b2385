/** The object `softirq`: see `bpf/softirq.bpf.c` and `bpf/softirq.h`. @module */
import { layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";

/** Kinds in the kernel's order (include/linux/interrupt.h). */
export const SOFTIRQ_KINDS = [
  "hi",
  "timer",
  "net_tx",
  "net_rx",
  "block",
  "irq_poll",
  "tasklet",
  "sched",
  "hrtimer",
  "rcu",
] as const;

/** One CPU's bank. */
export const SOFTIRQ_CPU = layout("softirq.h", "softirq_cpu", [
  ["count", SOFTIRQ_KINDS.length],
  ["time_ns", SOFTIRQ_KINDS.length],
  "started_at",
  ["reserved", 3],
]);

export const SOFTIRQ: BpfSpec = {
  object: "softirq",
  hooks: ["softirq_entry", "softirq_exit"].map((event) => ({ event, variants: ["tp_btf", "raw_tp"] })),
  uniform: false,
  mapsOf: {},
  helpersOf: {},
  sizes: ({ possibleCpus }) => ({ cpus: possibleCpus }),
  settings: () => ({}),
};
