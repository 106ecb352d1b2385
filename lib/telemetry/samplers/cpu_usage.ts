/**
 * CPU time by CPU, cgroup and task, and softirqs by kind.
 *
 * Time of tasks is the scheduler's exact account, split into user and system as `/proc/PID/stat` does; source
 * `sched_switch` (see `bpf/sched.bpf.c`).
 * @module
 */
import { clockNs } from "../../../ffi/sys/mod.ts";
import { counter, type Metric } from "../../metrics/mod.ts";
import { CgroupTable } from "../bpf/cgroup_table.ts";
import { cpuReader, type GroupReader } from "../bpf/readers.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { SCHED, SCHED_CGROUP, SCHED_CPU } from "../bpf/sched.ts";
import { taskReader } from "../bpf/tasks.ts";
import { SOFTIRQ, SOFTIRQ_CPU, SOFTIRQ_KINDS } from "../bpf/softirq.ts";
import { procStatReader } from "../fallbacks.ts";
import { onlineCpus } from "../kernel.ts";
import type { SamplerEnv } from "../sampler.ts";

function usage(name: string, state: "user" | "system", of: string): Metric {
  return counter(name, {
    unit: "nanoseconds",
    help: `CPU time ${of} spent in user or system mode`,
    labels: { state },
  });
}

const USER = usage("cpu_usage", "user", "the CPU");
const SYSTEM = usage("cpu_usage", "system", "the CPU");
const EXITED = counter("cpu_usage_exited_tasks", {
  unit: "nanoseconds",
  help: "Whole CPU time of tasks that have exited on the CPU",
});
const CGROUP_EXITED = counter("cgroup_cpu_usage_exited_tasks", {
  unit: "nanoseconds",
  help: "Whole CPU time of the cgroup's tasks that have exited",
});
const DROPPED = counter("task_cpu_usage_dropped", {
  unit: "events",
  help: "Times that a task's CPU time was not told by itself, since more tasks live than there is room for",
});
const SOFTIRQS = SOFTIRQ_KINDS.map((kind) =>
  counter("softirq", {
    unit: "interrupts",
    help: "Softirqs that the CPU handled, by kind",
    labels: { kind },
  })
);
const SOFTIRQ_TIMES = SOFTIRQ_KINDS.map((kind) =>
  counter("softirq_time", {
    unit: "nanoseconds",
    help: "Time the CPU spent in softirqs, by kind",
    labels: { kind },
  })
);
const TASK_USER = usage("task_cpu_usage", "user", "the task");
const TASK_SYSTEM = usage("task_cpu_usage", "system", "the task");

export const cpuUsage = bpfSampler({
  name: "cpu_usage",
  summary: "CPU time by CPU, cgroup and task; softirqs by kind.",
  spec: SCHED,
  cpuSize: SCHED_CPU.size,
  cgroupSize: SCHED_CGROUP.size,
  host: [[DROPPED, SCHED_CPU.index.tasks_dropped]],
  cpu: [
    [USER, SCHED_CPU.index.user_ns],
    [SYSTEM, SCHED_CPU.index.system_ns],
    [EXITED, SCHED_CPU.index.exited_ns],
  ],
  cgroup: [
    [usage("cgroup_cpu_usage", "user", "the cgroup"), SCHED_CGROUP.index.user_ns],
    [usage("cgroup_cpu_usage", "system", "the cgroup"), SCHED_CGROUP.index.system_ns],
    [CGROUP_EXITED, SCHED_CGROUP.index.exited_ns],
  ],
  moreMetrics: [TASK_USER, TASK_SYSTEM, ...SOFTIRQS, ...SOFTIRQ_TIMES],
  more(source, env) {
    const cgroups = new CgroupTable(source, env.procfs);
    // The clock that `bpf_ktime_get_ns` reads.
    const now = () => Number(clockNs("monotonic"));
    const tasks = taskReader("cpu_usage", source, { user: TASK_USER, system: TASK_SYSTEM, cgroups, now });
    return [
      {
        read() {
          cgroups.refresh();
          return tasks.read();
        },
      },
      ...softirqs(env),
    ];
  },
  instead: {
    from: "/proc/stat (by CPU, in ticks)",
    open: ({ procfs }) => procStatReader("cpu_usage", { user: USER, system: SYSTEM }, procfs),
  },
  before(source, env) {
    const program = source.variant === "tp_btf" ? "flush__storage" : "flush";
    // One that has gone offline in between has nothing running.
    for (const cpu of onlineCpus(env.procfs)) source.object.runOn(program, cpu);
  },
});

/** Softirqs are an object of their own: without it the rest of the sampler works. */
function softirqs(env: SamplerEnv): GroupReader[] {
  const source = env.bpf(SOFTIRQ);
  if ("unavailable" in source) return [];
  const { count, time_ns } = SOFTIRQ_CPU.index;
  return [cpuReader("cpu_usage", source, SOFTIRQ_CPU.size, [
    ...SOFTIRQS.map((metric, kind) => [metric, count + kind] as const),
    ...SOFTIRQ_TIMES.map((metric, kind) => [metric, time_ns + kind] as const),
  ], { procfs: env.procfs, group: "softirq" })];
}
