/**
 * What the agent's own programs cost: run counts and times, which the kernel keeps while `kernel.bpf_stats_enabled`
 * is 1 (Linux 5.1).
 * @module
 */
import { counter } from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import type { Sampler } from "../sampler.ts";

const METRICS = [
  counter("rezolus_bpf_run_count", { help: "Times that a BPF program of the agent has run" }),
  counter("rezolus_bpf_run_time", {
    unit: "nanoseconds",
    help: "Time that a BPF program of the agent has run",
  }),
];

export const rezolusBpf: Sampler = {
  name: "rezolus_bpf",
  summary: "What the agent's BPF programs cost, while the kernel keeps count (kernel.bpf_stats_enabled).",
  metrics: METRICS,
  open({ sources }) {
    let columns: Columns | undefined;
    return {
      sample() {
        const programs = sources().flatMap((source) =>
          source.programs().map((info) => ({ ...info, object: source.name }))
        );
        // Zeros in all of them say that the kernel does not count.
        if (programs.every(({ runCount }) => runCount === 0)) return [];
        columns ??= Columns.of(
          "rezolus_bpf",
          "programs",
          METRICS.flatMap((metric) =>
            programs.map(({ object, program }) => ({ metric, labels: { object, program } }))
          ),
        );
        for (const [at, { runCount, runNs }] of programs.entries()) {
          columns.setCounter(at, BigInt(runCount));
          columns.setCounter(programs.length + at, BigInt(runNs));
        }
        return [columns.toGroup()];
      },
      [Symbol.dispose]() {},
    };
  },
};
