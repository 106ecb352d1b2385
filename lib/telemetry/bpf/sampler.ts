/** Samplers that read a BPF object's arrays: a table of metrics and places is all they are. @module */
import type { Entries } from "../../config/mod.ts";
import type { Metric } from "../../metrics/mod.ts";
import { type Sampler, type SamplerEnv, type Sampling, type Unavailable } from "../sampler.ts";
import { CgroupTable } from "./cgroup_table.ts";
import {
  cgroupReader,
  cpuReader,
  type Field,
  type GroupReader,
  histogramReader,
  hostReader,
} from "./readers.ts";
import type { BpfSource, BpfSpec } from "./source.ts";

/** What a sampler takes from its object. */
export interface BpfSamplerOptions {
  readonly name: string;
  readonly summary: string;
  readonly spec: BpfSpec;
  /** Configuration keys beside `enabled`. */
  readonly settings?: Entries;
  /** u64 in one bank of the map `cpus`, and in one entry of `cgroup_counters`. */
  readonly cpuSize?: number;
  readonly cgroupSize?: number;
  readonly host?: readonly Field[];
  readonly cpu?: readonly Field[];
  readonly cgroup?: readonly Field[];
  readonly histograms?: { readonly map: string; readonly rows: readonly Field[] };
  /** Metrics of the readers that `more` adds. */
  readonly moreMetrics?: readonly Metric[];
  /** Readers beside the four shapes. */
  more?(source: BpfSource, env: SamplerEnv): readonly GroupReader[];
  /** What can be told without the object, and from where. */
  readonly instead?: { readonly from: string; open(env: SamplerEnv): GroupReader | undefined };
  /** Called before each reading. */
  before?(source: BpfSource, env: SamplerEnv): void;
}

/** Makes a sampler of its table. */
export function bpfSampler(options: BpfSamplerOptions): Sampler {
  const { name, spec, host = [], cpu = [], cgroup = [], histograms, moreMetrics = [] } = options;
  const fields = [...host, ...cpu, ...cgroup, ...(histograms?.rows ?? [])];
  return {
    name,
    summary: options.summary,
    settings: options.settings ?? {},
    metrics: [...fields.map(([metric]) => metric), ...moreMetrics],
    open(env: SamplerEnv): Sampling | Unavailable {
      const source = env.bpf(spec);
      if ("unavailable" in source) return withoutObject(options, env, source);
      const readers: GroupReader[] = [];
      if (host.length > 0) readers.push(hostReader(name, source, options.cpuSize ?? 0, host));
      if (cpu.length > 0) readers.push(cpuReader(name, source, options.cpuSize ?? 0, cpu, env));
      if (cgroup.length > 0) {
        const table = new CgroupTable(source, env.procfs);
        readers.push(cgroupReader(name, source, options.cgroupSize ?? 0, cgroup, table));
      }
      if (histograms !== undefined) {
        readers.push(histogramReader(name, source, histograms.map, histograms.rows));
      }
      readers.push(...(options.more?.(source, env) ?? []));
      return {
        sample() {
          options.before?.(source, env);
          return readers.map((reader) => reader.read());
        },
        // The source belongs to the agent: other samplers read it too.
        [Symbol.dispose]() {},
      };
    },
  };
}

/** A sampler that reads the kernel's files for want of its object, and says so. */
function withoutObject(
  options: BpfSamplerOptions,
  env: SamplerEnv,
  why: Unavailable,
): Sampling | Unavailable {
  const reader = options.instead?.open(env);
  if (reader === undefined) return why;
  return {
    degraded: { ...why, unavailable: `${why.unavailable}; read from ${options.instead!.from} instead` },
    sample: () => [reader.read()],
    [Symbol.dispose]() {},
  };
}
