/** The object `blockio`: see `bpf/blockio.bpf.c` and `bpf/blockio.h`. @module */
import { isBefore } from "../kernel.ts";
import { flag, layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";

/** Operations and classes of errors, in the order of the header. */
export const BLOCKIO_OPS = ["read", "write", "flush", "discard"] as const;
export const BLOCKIO_ERRORS = [
  "io",
  "timeout",
  "nospc",
  "target",
  "protection",
  "unsupported",
  "other",
] as const;

/** One CPU's bank; `errors` is by operation, then class. */
export const BLOCKIO_CPU = layout("blockio.h", "blockio_counters", [
  ["operations", BLOCKIO_OPS.length],
  ["bytes", BLOCKIO_OPS.length],
  ["requeues", BLOCKIO_OPS.length],
  ["errors", BLOCKIO_OPS.length * BLOCKIO_ERRORS.length],
  "starts_dropped",
  ["reserved", 7],
]);

export const BLOCKIO: BpfSpec = {
  object: "blockio",
  hooks: ["block_rq_insert", "block_rq_issue", "block_rq_requeue", "block_rq_complete"].map((event) => ({
    event,
    variants: ["tp_btf", "raw_tp"],
  })),
  uniform: false,
  mapsOf: {},
  helpersOf: {},
  sizes: ({ possibleCpus, shards }) => ({
    cpus: possibleCpus,
    latency: BLOCKIO_OPS.length * shards,
    sizes: BLOCKIO_OPS.length * shards,
  }),
  settings: (enabled, _settings, { kernel }) => ({
    // The queue came first before Linux 5.11; its long-term predecessors took the change over, each in its time. Only
    // they are asked: it costs 9 MiB of memory.
    queue_first: flag(isBefore(kernel.release, 5, 11) && kernel.tracepointArguments("block_rq_issue") === 2),
    time_requests: flag(enabled.has("blockio_latency")),
    count_requests: flag(enabled.has("blockio_requests")),
  }),
};
