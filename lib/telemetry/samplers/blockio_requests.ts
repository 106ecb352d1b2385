/** Block requests: operations, bytes, sizes, errors, requeues; source `block_rq_complete`, `block_rq_requeue`. @module */
import { counter, histogram } from "../../metrics/mod.ts";
import { BLOCKIO, BLOCKIO_CPU, BLOCKIO_ERRORS, BLOCKIO_OPS } from "../bpf/blockio.ts";
import type { Field } from "../bpf/readers.ts";
import { bpfSampler } from "../bpf/sampler.ts";

const { operations, bytes, requeues, errors } = BLOCKIO_CPU.index;

function byOp(name: string, first: number, unit: string, help: string): Field[] {
  return BLOCKIO_OPS.map((op, at) => [counter(name, { unit, help, labels: { op } }), first + at]);
}

const ERRORS: Field[] = BLOCKIO_OPS.flatMap((op, row) =>
  BLOCKIO_ERRORS.map((error, column) =>
    [
      counter("blockio_errors", {
        unit: "operations",
        help: "Completed block requests that failed, by class of error",
        labels: { op, error },
      }),
      errors + row * BLOCKIO_ERRORS.length + column,
    ] as const
  )
);

export const blockioRequests = bpfSampler({
  name: "blockio_requests",
  summary: "Block requests: operations, bytes, sizes, errors and requeues by operation.",
  spec: BLOCKIO,
  cpuSize: BLOCKIO_CPU.size,
  host: [
    ...byOp("blockio_operations", operations, "operations", "Completed block requests"),
    ...byOp("blockio_bytes", bytes, "bytes", "Bytes of completed block requests"),
    ...byOp(
      "blockio_requeues",
      requeues,
      "operations",
      "Times that block requests went back to their queue",
    ),
    ...ERRORS,
  ],
  histograms: {
    map: "sizes",
    rows: BLOCKIO_OPS.map((op, at) => [
      histogram("blockio_size", { unit: "bytes", help: "Sizes of completed block requests", labels: { op } }),
      at,
    ]),
  },
});
