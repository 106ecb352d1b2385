/** What the agent's own programs cost, by the kernel's count. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { rezolusBpf } from "../../lib/telemetry/samplers/rezolus_bpf.ts";
import type { BpfSource } from "../../lib/telemetry/bpf/source.ts";
import type { SamplerEnv } from "../../lib/telemetry/sampler.ts";
import { wordsToBigint } from "../../lib/metrics/mod.ts";

/** A source of which only the statistics are asked. */
function source(name: string, runs: () => number): BpfSource {
  const programs =
    () => [{ program: `${name}_program`, runCount: runs(), runNs: 100 * runs(), instructions: 1 }];
  return { name, programs } as unknown as BpfSource;
}

Deno.test("runs and times of every program are told while the kernel counts, and nothing else", () => {
  let runs = 0;
  const sources = () => [source("sched", () => runs), source("tcp", () => 2 * runs)];
  const sampling = rezolusBpf.open({ sources } as unknown as SamplerEnv);
  ok(!("unavailable" in sampling));
  using _open = sampling;
  deepStrictEqual(sampling.sample(), []);
  runs = 7;
  const [group] = sampling.sample();
  deepStrictEqual(
    group!.schema.counters.map(({ metadata }, at) => [
      metadata.metric,
      metadata.object,
      Number(wordsToBigint(group!.counters.words, at)),
    ]),
    [
      ["rezolus_bpf_run_count", "sched", 7],
      ["rezolus_bpf_run_count", "tcp", 14],
      ["rezolus_bpf_run_time", "sched", 700],
      ["rezolus_bpf_run_time", "tcp", 1_400],
    ],
  );
});
