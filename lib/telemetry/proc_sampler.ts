/** Samplers of one small file of the kernel whose numbers have fixed places. @module */
import type { Metric, Values } from "../metrics/mod.ts";
import { Columns } from "./columns.ts";
import { type Sampler, unavailable } from "./sampler.ts";

/** What such a sampler is. All metrics are of one type. */
export interface ProcSamplerOptions {
  readonly name: string;
  readonly summary: string;
  readonly path: string;
  readonly metrics: readonly Metric[];
  /** Values in the order of the metrics; `undefined` where the file has none. */
  parse(text: string): readonly (bigint | undefined)[];
}

/** Makes a sampler of a file. Metrics that the file lacks when it is opened are not told at all. */
export function procSampler(options: ProcSamplerOptions): Sampler {
  const { name, summary, path, metrics, parse } = options;
  return {
    name,
    summary,
    metrics,
    open({ procfs }) {
      const text = procfs.text(path);
      if (text === undefined) return unavailable(`${path} cannot be read on this host`);
      const first = parse(text);
      const places = metrics.map((_, at) => at).filter((at) => first[at] !== undefined);
      const columns = Columns.of(name, "host", places.map((at) => ({ metric: metrics[at]! })));
      const missing: Values["missing"] = new Uint8Array(places.length);
      return {
        sample() {
          const values = parse(procfs.text(path) ?? "");
          places.forEach((at, index) => {
            const value = values[at];
            missing[index] = Number(value === undefined);
            if (metrics[at]!.type === "gauge") columns.setGauge(index, value ?? 0n);
            else columns.setCounter(index, value ?? 0n);
          });
          const group = columns.toGroup();
          return [{
            ...group,
            counters: { ...group.counters, ...(group.schema.counters.length > 0 ? { missing } : {}) },
            gauges: { ...group.gauges, ...(group.schema.gauges.length > 0 ? { missing } : {}) },
          }];
        },
        [Symbol.dispose]() {},
      };
    },
  };
}
