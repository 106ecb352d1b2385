/** What our own programs cost: run counts and times, where the kernel keeps them (`kernel.bpf_stats_enabled`). @module */
import { counter, type Group } from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import type { BpfSource } from "./source.ts";

const RUN_COUNT = counter("rezolus_bpf_run_count", { help: "Times that a BPF program of the agent has run" });
const RUN_TIME = counter("rezolus_bpf_run_time", {
  unit: "nanoseconds",
  help: "Time that a BPF program of the agent has run",
});

/** Statistics of all programs; `undefined` while the kernel keeps none, which its zeros tell. */
export function programGroup(sources: readonly BpfSource[]): Group | undefined {
  const programs = sources.flatMap((source) =>
    source.programs().map((info) => ({ ...info, object: source.name }))
  );
  if (programs.every(({ runCount }) => runCount === 0)) return undefined;
  const labels = programs.map(({ program, object }) => ({ object, program }));
  const columns = Columns.of(
    "rezolus_bpf",
    "programs",
    [RUN_COUNT, RUN_TIME].flatMap((metric) => labels.map((each) => ({ metric, labels: each }))),
  );
  programs.forEach(({ runCount, runNs }, at) => {
    columns.setCounter(at, BigInt(runCount));
    columns.setCounter(programs.length + at, BigInt(runNs));
  });
  return columns.toGroup();
}
