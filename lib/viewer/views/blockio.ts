/** Disks. @module */
import { buckets, percentiles, type SectionDef } from "./chart_def.ts";

const OPS = ["read", "write", "flush", "discard"];

export const BLOCKIO: SectionDef = {
  id: "blockio",
  title: "BlockIO",
  groups: [
    {
      title: "Traffic",
      charts: [
        {
          id: "bytes",
          title: "Throughput",
          unit: "bytes/s",
          help: "Bytes moved by completed requests.",
          queries: [{ query: "sum by (op) ($rate(blockio_bytes))", name: "{{op}}" }],
        },
        {
          id: "operations",
          title: "Operations",
          unit: "per second",
          help: "Completed requests.",
          queries: [{ query: "sum by (op) ($rate(blockio_operations))", name: "{{op}}" }],
        },
        percentiles({
          id: "size",
          title: "Request size",
          unit: "bytes",
          help: "Bytes of completed requests.",
        }, "blockio_size"),
        buckets({
          id: "size_heat",
          title: "Request size, all",
          unit: "bytes",
          help: "Every request, by its size.",
        }, "blockio_size"),
        {
          id: "errors",
          title: "Errors",
          unit: "per second",
          help: "Requests that failed, and those that were put back.",
          queries: [
            { query: "sum by (error) ($rate(blockio_errors)) > 0", name: "{{error}}" },
            { query: "sum($rate(blockio_requeues))", name: "requeued" },
          ],
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
          help: "From a request's insertion to its completion.",
        }, "blockio_latency"),
        buckets({
          id: "latency_heat",
          title: "Latency, all",
          unit: "ns",
          help: "Every request, by its length.",
        }, "blockio_latency"),
        ...OPS.map((op) =>
          percentiles({
            id: `latency_${op}`,
            title: `Latency of ${op}`,
            unit: "ns",
            help: `From insertion to completion, of ${op} requests.`,
          }, `blockio_latency{op="${op}"}`)
        ),
      ],
    },
  ],
};
