/** How long tasks wait for a CPU, run, and are off it; context switches. Source `sched_switch`, `sched_wakeup`. @module */
import { counter, histogram } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { SCHED, SCHED_CGROUP, SCHED_CPU, SCHED_ROWS } from "../bpf/sched.ts";

const NS = "nanoseconds";
const LATENCY = histogram("scheduler_runqueue_latency", { unit: NS, help: "Time from runnable to running" });
const RUNNING = histogram("scheduler_running", { unit: NS, help: "Time on the CPU from switch to switch" });
const OFFCPU = histogram("scheduler_offcpu", { unit: NS, help: "Time blocked, without the wait for a CPU" });

const SWITCHES = "scheduler_context_switch";
const SWITCHES_HELP = "Switches away from a task: voluntary when it blocked";
const VOLUNTARY = counter(SWITCHES, {
  help: SWITCHES_HELP,
  labels: { kind: "voluntary" },
});
const INVOLUNTARY = counter(SWITCHES, {
  help: SWITCHES_HELP,
  labels: { kind: "involuntary" },
});
const WAIT = counter("scheduler_runqueue_wait", {
  unit: NS,
  help: "Time that tasks which then ran here had waited",
});
const DISCARDED = counter("scheduler_discarded_samples", {
  help: "Switches that were not measured: a clock that went backwards, or no room for the task's state",
});

const CGROUP_WAIT = counter("cgroup_scheduler_runqueue_wait", {
  unit: NS,
  help: "Time the cgroup's tasks waited",
});
const CGROUP_OFFCPU = counter("cgroup_scheduler_offcpu", {
  unit: NS,
  help: "Time the cgroup's tasks were blocked",
});
const CGROUP_SWITCHES = "cgroup_scheduler_context_switch";
const CGROUP_SWITCHES_HELP = "Switches away from the cgroup's tasks: voluntary when they blocked";
const CGROUP_VOLUNTARY = counter(CGROUP_SWITCHES, {
  help: CGROUP_SWITCHES_HELP,
  labels: { kind: "voluntary" },
});
const CGROUP_INVOLUNTARY = counter(CGROUP_SWITCHES, {
  help: CGROUP_SWITCHES_HELP,
  labels: { kind: "involuntary" },
});

export const schedulerRunqueue = bpfSampler({
  name: "scheduler_runqueue",
  summary: "Waits for a CPU, time slices, time off the CPU, context switches.",
  spec: SCHED,
  cpuSize: SCHED_CPU.size,
  cgroupSize: SCHED_CGROUP.size,
  host: [[DISCARDED, SCHED_CPU.index.discarded]],
  cpu: [
    [VOLUNTARY, SCHED_CPU.index.voluntary],
    [INVOLUNTARY, SCHED_CPU.index.involuntary],
    [WAIT, SCHED_CPU.index.wait_ns],
  ],
  cgroup: [
    [CGROUP_WAIT, SCHED_CGROUP.index.wait_ns],
    [CGROUP_OFFCPU, SCHED_CGROUP.index.offcpu_ns],
    [CGROUP_VOLUNTARY, SCHED_CGROUP.index.voluntary],
    [CGROUP_INVOLUNTARY, SCHED_CGROUP.index.involuntary],
  ],
  histograms: {
    map: "histograms",
    rows: [
      [LATENCY, SCHED_ROWS.runqueueLatency],
      [RUNNING, SCHED_ROWS.running],
      [OFFCPU, SCHED_ROWS.offcpu],
    ],
  },
});
