/** Memory and NUMA. @module */
import type { SectionDef } from "./chart_def.ts";

export const MEMORY: SectionDef = {
  id: "memory",
  title: "Memory",
  groups: [
    {
      title: "Usage",
      charts: [
        {
          id: "used",
          title: "In use",
          unit: "ratio",
          max: 1,
          help: "Share of memory that could not be had without swapping.",
          queries: [{ query: "1 - sum(memory_available) / sum(memory_total)", name: "used" }],
        },
        {
          id: "parts",
          title: "Memory",
          unit: "bytes",
          help: "As /proc/meminfo has it.",
          queries: [
            { query: "sum(memory_total)", name: "total" },
            { query: "sum(memory_available)", name: "available" },
            { query: "sum(memory_free)", name: "free" },
            { query: "sum(memory_cached)", name: "cached" },
            { query: "sum(memory_buffers)", name: "buffers" },
          ],
        },
      ],
    },
    {
      title: "NUMA",
      charts: [
        {
          id: "numa",
          title: "Allocations",
          unit: "per second",
          help: "Pages from the wanted node, and from another.",
          queries: [
            { query: "sum($rate(memory_numa_hit))", name: "hit" },
            { query: "sum($rate(memory_numa_miss))", name: "miss" },
            { query: "sum($rate(memory_numa_foreign))", name: "foreign" },
          ],
        },
        {
          id: "numa_local",
          title: "Locality",
          unit: "per second",
          help: "Pages on the node of the asking CPU, and on others.",
          queries: [
            { query: "sum($rate(memory_numa_local))", name: "local" },
            { query: "sum($rate(memory_numa_other))", name: "other" },
          ],
        },
      ],
    },
  ],
};
