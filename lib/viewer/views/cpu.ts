/** Where CPU time goes. @module */
import { busyShare, largest, type SectionDef } from "./chart_def.ts";

export const CPU: SectionDef = {
  id: "cpu",
  title: "CPU",
  groups: [
    {
      title: "Utilization",
      charts: [
        {
          id: "busy",
          title: "Busy",
          unit: "ratio",
          max: 1,
          style: "stack",
          help: "Share of all CPUs that was busy, by what it was busy with.",
          queries: [{ query: busyShare(" by (state)"), name: "{{state}}" }],
        },
        {
          id: "busy_cores",
          title: "Busy by core",
          unit: "ratio",
          max: 1,
          help: "How busy each CPU was.",
          queries: [{ query: "sum by (id) ($rate(cpu_usage)) / 1e9" }],
        },
        {
          id: "user_cores",
          title: "User by core",
          unit: "ratio",
          max: 1,
          help: "Share of each CPU that ran programs.",
          queries: [{ query: 'sum by (id) ($rate(cpu_usage{state="user"})) / 1e9' }],
        },
        {
          id: "system_cores",
          title: "System by core",
          unit: "ratio",
          max: 1,
          help: "Share of each CPU that ran the kernel for programs.",
          queries: [{ query: 'sum by (id) ($rate(cpu_usage{state="system"})) / 1e9' }],
        },
      ],
    },
    {
      title: "Who uses it",
      charts: [
        {
          id: "cgroups",
          title: "Control groups",
          unit: "cores",
          help: "The ten control groups with the most CPU time in what is shown.",
          order: "largest",
          queries: [{ query: largest(10, "name", 'cgroup_cpu_usage{name!=""}', " / 1e9"), name: "{{name}}" }],
        },
        {
          id: "tasks",
          title: "Tasks",
          unit: "cores",
          help: "The ten programs with the most CPU time in what is shown.",
          order: "largest",
          queries: [{ query: largest(10, "comm", "task_cpu_usage", " / 1e9"), name: "{{comm}}" }],
        },
      ],
    },
    {
      title: "Interrupts",
      charts: [
        {
          id: "softirq",
          title: "Soft interrupts",
          unit: "per second",
          help: "How often soft interrupts ran, by kind.",
          queries: [{ query: "sum by (kind) ($rate(softirq))", name: "{{kind}}" }],
        },
        {
          id: "softirq_time",
          title: "Time in soft interrupts",
          unit: "cores",
          help: "CPU time spent in soft interrupts, by kind.",
          queries: [{ query: "sum by (kind) ($rate(softirq_time)) / 1e9", name: "{{kind}}" }],
        },
        {
          id: "softirq_cores",
          title: "Soft interrupts by core",
          unit: "ratio",
          help: "Share of each CPU spent in soft interrupts.",
          queries: [{ query: "sum by (id) ($rate(softirq_time)) / 1e9" }],
        },
      ],
    },
    {
      title: "Execution",
      charts: [
        {
          id: "ipc",
          title: "Instructions per cycle",
          unit: "count",
          help: "Instructions retired in each cycle, over all CPUs.",
          queries: [{ query: "sum($rate(cpu_instructions)) / sum($rate(cpu_cycles))", name: "IPC" }],
        },
        {
          id: "ipc_cores",
          title: "Instructions per cycle by core",
          unit: "count",
          help: "Instructions retired in each cycle.",
          queries: [{ query: "sum by (id) ($rate(cpu_instructions)) / sum by (id) ($rate(cpu_cycles))" }],
        },
        {
          id: "frequency",
          title: "Frequency by core",
          unit: "hertz",
          help: "Actual frequency, from APERF, MPERF and TSC.",
          queries: [{
            query:
              "sum by (id) ($rate(cpu_tsc)) * sum by (id) ($rate(cpu_aperf)) / sum by (id) ($rate(cpu_mperf))",
          }],
        },
        {
          id: "branch_misses",
          title: "Branch misses",
          unit: "ratio",
          help: "Share of branches that were predicted wrongly.",
          queries: [{
            query: "sum($rate(cpu_branch_misses)) / sum($rate(cpu_branch_instructions))",
            name: "missed",
          }],
        },
        {
          id: "migrations",
          title: "Migrations",
          unit: "per second",
          help: "How often tasks moved to another CPU.",
          queries: [{ query: 'sum($rate(cpu_migrations{direction!="from"}))', name: "moved" }],
        },
        {
          id: "migrations_cores",
          title: "Migrations by core",
          unit: "per second",
          help: "How often tasks came to each CPU from another.",
          queries: [{ query: 'sum by (id) ($rate(cpu_migrations{direction!="from"}))' }],
        },
        {
          id: "tlb",
          title: "TLB flushes",
          unit: "per second",
          help: "Flushes of the translation buffers, by reason.",
          queries: [{ query: "sum by (reason) ($rate(cpu_tlb_flush))", name: "{{reason}}" }],
        },
      ],
    },
  ],
};
