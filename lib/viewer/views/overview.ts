/** What to look at first. @module */
import { busyShare, percentiles, type SectionDef } from "./chart_def.ts";

export const OVERVIEW: SectionDef = {
  id: "overview",
  title: "Overview",
  groups: [
    {
      title: "Compute",
      charts: [
        {
          id: "cpu",
          title: "CPU",
          unit: "ratio",
          max: 1,
          style: "stack",
          help: "Share of all CPUs that was busy, by what it was busy with.",
          queries: [{ query: busyShare(" by (state)"), name: "{{state}}" }],
        },
        {
          id: "cores",
          title: "CPU by core",
          unit: "ratio",
          max: 1,
          help: "How busy each CPU was.",
          queries: [{ query: "sum by (id) ($rate(cpu_usage)) / 1e9" }],
        },
        percentiles({
          id: "runqueue",
          title: "Run queue latency",
          unit: "ns",
          help: "How long runnable tasks waited for a CPU.",
        }, "scheduler_runqueue_latency"),
        {
          id: "switches",
          title: "Context switches",
          unit: "per second",
          help: "How often CPUs changed from one task to another.",
          queries: [{ query: "sum by (kind) ($rate(scheduler_context_switch))", name: "{{kind}}" }],
        },
        {
          id: "pressure",
          title: "Pressure",
          unit: "ratio",
          help: "Share of time in which some task was held up for want of a resource (PSI).",
          queries: [
            { query: 'sum by (resource) ($rate(pressure_stalled{kind="some"})) / 1e9', name: "{{resource}}" },
          ],
        },
        {
          id: "memory",
          title: "Memory",
          unit: "bytes",
          help: "Memory in use, and what could be had without swapping.",
          queries: [
            { query: "sum(memory_total) - sum(memory_available)", name: "used" },
            { query: "sum(memory_available)", name: "available" },
          ],
        },
      ],
    },
    {
      title: "System calls",
      charts: [
        {
          id: "syscalls",
          title: "System calls",
          unit: "per second",
          help: "System calls of the whole host.",
          queries: [{ query: "sum($rate(syscall))", name: "all" }],
        },
        percentiles({
          id: "syscall_latency",
          title: "System call latency",
          unit: "ns",
          help: "Time spent in system calls of every kind, waiting included.",
        }, "syscall_latency"),
      ],
    },
    {
      title: "Input and output",
      charts: [
        {
          id: "network",
          title: "Network traffic",
          unit: "bytes/s",
          help: "Bytes through all interfaces.",
          queries: [{ query: "sum by (direction) ($rate(network_bytes))", name: "{{direction}}" }],
        },
        {
          id: "packets",
          title: "Packets",
          unit: "per second",
          help: "Packets through all interfaces.",
          queries: [{ query: "sum by (direction) ($rate(network_packets))", name: "{{direction}}" }],
        },
        {
          id: "blockio",
          title: "Block throughput",
          unit: "bytes/s",
          help: "Bytes moved by completed block requests.",
          queries: [{ query: "sum by (op) ($rate(blockio_bytes))", name: "{{op}}" }],
        },
        percentiles({
          id: "blockio_latency",
          title: "Block latency",
          unit: "ns",
          help: "From a block request's insertion to its completion.",
        }, "blockio_latency"),
      ],
    },
  ],
};
