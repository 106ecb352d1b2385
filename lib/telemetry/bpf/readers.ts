/**
 * Readers: from an array that the kernel writes to a group of values. There are four shapes: summed over CPUs, by
 * CPU, by cgroup, and histograms. All copy words; none converts a number.
 * @module
 */
import { addWords, type Group, HISTOGRAM_LAYOUT, type Metric } from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import { onlineCpus } from "../kernel.ts";
import type { Procfs } from "../procfs.ts";
import type { Cgroup, CgroupTable } from "./cgroup_table.ts";
import type { BpfSource } from "./source.ts";

/** Reads one group. */
export interface GroupReader {
  read(): Group;
}

/** A counter and the place of its u64 in a structure. */
export type Field = readonly [metric: Metric, index: number];

/** Counters of the whole host: the sum over all CPUs' banks. */
export function hostReader(
  sampler: string,
  source: BpfSource,
  size: number,
  fields: readonly Field[],
): GroupReader {
  const words = source.words("cpus");
  const columns = Columns.of(sampler, "host", fields.map(([metric]) => ({ metric })));
  return {
    read() {
      columns.counters.fill(0);
      fields.forEach(([, index], at) => {
        const sum = columns.counters.subarray(2 * at, 2 * at + 2);
        for (let cpu = 0; cpu < source.possibleCpus; cpu++) {
          const from = 2 * (cpu * size + index);
          addWords(sum, words.subarray(from, from + 2));
        }
      });
      return columns.toGroup();
    },
  };
}

/** Counters by CPU, label `id`; CPUs that are online now. */
export function cpuReader(
  sampler: string,
  source: BpfSource,
  size: number,
  fields: readonly Field[],
  { procfs, group = "cpu" }: { procfs: Procfs; group?: string },
): GroupReader {
  const words = source.words("cpus");
  let cpus = onlineCpus(procfs);
  const build = () =>
    Columns.of(
      sampler,
      group,
      fields.flatMap(([metric]) => cpus.map((cpu) => ({ metric, labels: { id: String(cpu) } }))),
    );
  let columns = build();
  return {
    read() {
      const online = onlineCpus(procfs);
      if (online.join() !== cpus.join()) {
        cpus = online;
        columns = build();
      }
      let to = 0;
      for (const [, index] of fields) {
        for (const cpu of cpus) {
          const from = 2 * (cpu * size + index);
          columns.counters[to++] = words[from]!;
          columns.counters[to++] = words[from + 1]!;
        }
      }
      return columns.toGroup();
    },
  };
}

/** Counters by cgroup, labels `id` and `name` (the path). */
export function cgroupReader(
  sampler: string,
  source: BpfSource,
  size: number,
  fields: readonly Field[],
  table: CgroupTable,
): GroupReader {
  const words = source.words("cgroup_counters");
  let cgroups: readonly Cgroup[] | undefined;
  let columns = Columns.of(sampler, "cgroup", []);
  return {
    read() {
      table.refresh();
      if (table.cgroups !== cgroups) {
        cgroups = table.cgroups;
        const labels = cgroups.map(({ id, path }) => ({ id: String(id), name: path }));
        columns = Columns.of(
          sampler,
          "cgroup",
          fields.flatMap(([metric]) => labels.map((each) => ({ metric, labels: each }))),
        );
      }
      let to = 0;
      for (const [, index] of fields) {
        for (const { id } of table.cgroups) {
          const from = 2 * (id * size + index);
          columns.counters[to++] = words[from]!;
          columns.counters[to++] = words[from + 1]!;
        }
      }
      return columns.toGroup();
    },
  };
}

/** Histograms: row `index` of a map of histograms, its shards added up. */
export function histogramReader(
  sampler: string,
  source: BpfSource,
  map: string,
  fields: readonly Field[],
): GroupReader {
  const words = source.words(map);
  const columns = Columns.of(sampler, "histogram", fields.map(([metric]) => ({ metric })));
  const size = 2 * HISTOGRAM_LAYOUT.bucketCount;
  return {
    read() {
      fields.forEach(([, row], at) => {
        const out = columns.histograms[at]!.words;
        const first = row * source.shards * size;
        out.set(words.subarray(first, first + size));
        for (let shard = 1; shard < source.shards; shard++) {
          addWords(out, words.subarray(first + shard * size, first + (shard + 1) * size));
        }
      });
      return columns.toGroup();
    },
  };
}
