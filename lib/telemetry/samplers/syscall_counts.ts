/** System calls by kind, of the host and by cgroup; source `raw_syscalls:sys_enter`. @module */
import { counter } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { SYSCALL, SYSCALL_COUNTERS } from "../bpf/syscall.ts";
import { SYSCALL_KINDS } from "../bpf/syscall_kinds.ts";

const HOST = SYSCALL_KINDS.map((op) =>
  counter("syscall", { unit: "syscalls", help: "System calls, by kind", labels: { op } })
);
const CGROUP = SYSCALL_KINDS.map((op) =>
  counter("cgroup_syscall", {
    unit: "syscalls",
    help: "System calls of the cgroup's tasks, by kind",
    labels: { op },
  })
);
const { calls } = SYSCALL_COUNTERS.index;

export const syscallCounts = bpfSampler({
  name: "syscall_counts",
  summary: "System calls by kind, of the host and by cgroup.",
  spec: SYSCALL,
  cpuSize: SYSCALL_COUNTERS.size,
  cgroupSize: SYSCALL_COUNTERS.size,
  host: HOST.map((metric, kind) => [metric, calls + kind]),
  cgroup: CGROUP.map((metric, kind) => [metric, calls + kind]),
});
