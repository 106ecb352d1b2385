/** What programs ask of the kernel. @module */
import { buckets, largest, percentiles, type SectionDef } from "./chart_def.ts";

export const SYSCALL: SectionDef = {
  id: "syscall",
  title: "Syscall",
  groups: [
    {
      title: "Rate",
      charts: [
        {
          id: "total",
          title: "System calls",
          unit: "per second",
          help: "System calls of the whole host.",
          queries: [{ query: "sum($rate(syscall))", name: "all" }],
        },
        {
          id: "ops",
          title: "By kind",
          unit: "per second",
          help: "System calls by what they do.",
          queries: [{ query: "sum by (op) ($rate(syscall))", name: "{{op}}" }],
        },
        {
          id: "cgroups",
          title: "By control group",
          unit: "per second",
          help: "The ten control groups with the most system calls.",
          order: "largest",
          queries: [{ query: largest(10, "name", 'cgroup_syscall{name!=""}'), name: "{{name}}" }],
        },
      ],
    },
    {
      title: "Latency",
      charts: [
        percentiles({
          id: "latency",
          title: "Latency",
          unit: "ns",
          help: "Time spent in system calls of every kind, waiting included.",
        }, "syscall_latency"),
        buckets({
          id: "latency_heat",
          title: "Latency, all",
          unit: "ns",
          help: "Every system call, by its length.",
        }, "syscall_latency"),
        {
          id: "p99",
          title: "p99 by kind",
          unit: "ns",
          style: "log",
          help: "The 99th percentile of each kind.",
          queries: [{
            query: "histogram_quantile(0.99, sum by (op) ($rate(syscall_latency)))",
            name: "{{op}}",
          }],
        },
        ...["read", "write", "poll", "lock", "socket", "filesystem"].map((op) =>
          percentiles({
            id: `latency_${op}`,
            title: `Latency of ${op}`,
            unit: "ns",
            help: `Time spent in system calls of the kind ${op}.`,
          }, `syscall_latency{op="${op}"}`)
        ),
      ],
    },
  ],
};
