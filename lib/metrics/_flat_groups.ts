/** Puts the flat entries of old snapshots into groups, one per sampler. @module */
import type { SchemaCache } from "./schema_cache.ts";
import type { Group, HistogramValue, Schema, SchemaEntry, Window } from "./snapshot.ts";

/** Name of the group of entries that name no sampler. */
const NO_SAMPLER = "unknown";

interface Pending {
  readonly counters: SchemaEntry[];
  readonly gauges: SchemaEntry[];
  readonly histograms: SchemaEntry[];
  readonly counterWords: number[];
  readonly gaugeWords: number[];
  readonly values: HistogramValue[];
  window: Window | undefined;
}

/** Collects entries in the order they come. */
export class FlatGroups {
  readonly #bySampler = new Map<string, Pending>();

  add(
    kind: keyof Schema,
    entry: SchemaEntry,
    value: HistogramValue | { readonly low: number; readonly high: number },
    window: Window | undefined,
  ): void {
    const group = this.#group(entry.metadata["sampler"] ?? NO_SAMPLER);
    group[kind].push(entry);
    if ("words" in value) group.values.push(value);
    else (kind === "counters" ? group.counterWords : group.gaugeWords).push(value.low, value.high);
    if (window !== undefined) {
      group.window = group.window === undefined ? window : union(group.window, window);
    }
  }

  groups(cache: SchemaCache): Group[] {
    return [...this.#bySampler].map(([name, group]) => ({
      name,
      schema: cache.intern({ counters: group.counters, gauges: group.gauges, histograms: group.histograms }),
      ...(group.window && { window: group.window }),
      counters: { words: Uint32Array.from(group.counterWords) },
      gauges: { words: Uint32Array.from(group.gaugeWords) },
      histograms: group.values,
    }));
  }

  #group(name: string): Pending {
    let group = this.#bySampler.get(name);
    if (group === undefined) {
      group = {
        counters: [],
        gauges: [],
        histograms: [],
        counterWords: [],
        gaugeWords: [],
        values: [],
        window: undefined,
      };
      this.#bySampler.set(name, group);
    }
    return group;
  }
}

/** Entries of a sampler may have been read in several goes: the group's window spans them all. */
function union(left: Window, right: Window): Window {
  const beginNs = left.beginNs < right.beginNs ? left.beginNs : right.beginNs;
  const leftEnd = left.beginNs + BigInt(left.widthNs);
  const rightEnd = right.beginNs + BigInt(right.widthNs);
  return { beginNs, widthNs: Number((leftEnd > rightEnd ? leftEnd : rightEnd) - beginNs) };
}
