/** Time from issue to completion of block requests; source `block_rq_issue`, `block_rq_complete`. @module */
import { histogram } from "../../metrics/mod.ts";
import { BLOCKIO, BLOCKIO_OPS } from "../bpf/blockio.ts";
import { bpfSampler } from "../bpf/sampler.ts";

const LATENCY = BLOCKIO_OPS.map((op) =>
  histogram("blockio_latency", {
    unit: "nanoseconds",
    help: "Time from issue to completion of block requests",
    labels: { op },
  })
);

export const blockioLatency = bpfSampler({
  name: "blockio_latency",
  summary: "Latency of block requests by operation.",
  spec: BLOCKIO,
  histograms: { map: "latency", rows: LATENCY.map((metric, op) => [metric, op]) },
});
