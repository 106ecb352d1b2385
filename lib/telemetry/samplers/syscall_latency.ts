/** How long system calls take, by kind; source `raw_syscalls:sys_enter` and `sys_exit`. @module */
import { histogram } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { SYSCALL } from "../bpf/syscall.ts";
import { SYSCALL_KINDS } from "../bpf/syscall_kinds.ts";

const LATENCY = SYSCALL_KINDS.map((op) =>
  histogram("syscall_latency", {
    unit: "nanoseconds",
    help: "Time in system calls, by kind",
    labels: { op },
  })
);

export const syscallLatency = bpfSampler({
  name: "syscall_latency",
  summary: "Latency of system calls by kind.",
  spec: SYSCALL,
  histograms: { map: "latency", rows: LATENCY.map((metric, kind) => [metric, kind]) },
});
