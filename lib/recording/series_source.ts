/**
 * A recording's series for the query engine: listed at once, decoded when first asked for, kept within a limit.
 * @module
 */
import type { Series, SeriesInfo, SeriesSource } from "../tsdb/mod.ts";
import { readHistogramSeries, readNumberSeries } from "./_read_series.ts";
import { ascending, medianDistance, type Times } from "./_times.ts";
import { type RecordedTable, sparsePartner, type TableColumn } from "./table.ts";

/** Decoded series kept by default: a dashboard of 50 histograms over an hour takes 100 MiB. */
const DEFAULT_CACHE_BYTES = 256 << 20;

/** What a source needs to know beside the tables. */
export interface SeriesOptions {
  readonly intervalSeconds?: number;
  readonly help?: Readonly<Record<string, string>>;
  /** Limit of decoded series; beyond it the one unused longest is dropped, and decoded again when needed. */
  readonly cacheBytes?: number;
  /** The recording's path, for errors. */
  readonly name?: string;
}

interface Origin {
  readonly table: RecordedTable;
  /** Usually one: more when a member was recorded under several names with the same labels. */
  readonly columns: TableColumn[];
}

/** Series over tables. */
export class RecordedSeries implements SeriesSource {
  /** What was left out of the recording and why, for people. */
  readonly notes: readonly string[];
  readonly #origins = new Map<SeriesInfo, Origin>();
  readonly #times = new Map<RecordedTable, Times>();
  readonly #cache = new Map<SeriesInfo, Series>();
  #cachedBytes = 0;
  readonly #cacheLimit: number;
  readonly #name: string;
  readonly #help: Readonly<Record<string, string>>;
  readonly #tables: readonly RecordedTable[];
  readonly #intervalSeconds: number | undefined;
  #range: { readonly start: number; readonly end: number } | undefined;

  constructor(tables: readonly RecordedTable[], options: SeriesOptions = {}) {
    this.#tables = tables;
    this.#cacheLimit = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
    this.#help = options.help ?? {};
    this.#name = options.name ?? "the recording";
    this.#intervalSeconds = options.intervalSeconds;
    this.notes = this.#list();
  }

  /** Distance of points: as recorded, else the median one. */
  get intervalSeconds(): number {
    return this.#intervalSeconds ??
      this.#named(
        "its interval",
        () => medianDistance(this.#tables.map((table) => ascending(table.sampleTimes()).seconds)),
      );
  }

  /** Times of the first and the last point. @throws {SyntaxError} When the data is damaged. */
  range(): { readonly start: number; readonly end: number } | undefined {
    if (this.#range === undefined) {
      const ranges = this.#named("its range of time", () => this.#tables.map((table) => table.range()))
        .filter((range) => range !== undefined);
      if (ranges.length === 0) return undefined;
      this.#range = {
        start: Math.min(...ranges.map(({ start }) => start)),
        end: Math.max(...ranges.map(({ end }) => end)),
      };
    }
    return this.#range;
  }

  series(): readonly SeriesInfo[] {
    return [...this.#origins.keys()];
  }

  help(): Readonly<Record<string, string>> {
    return this.#help;
  }

  /** @throws {RangeError} For an info that `series()` did not return. @throws {SyntaxError} When the data is damaged. */
  read(info: SeriesInfo): Series {
    const cached = this.#cache.get(info);
    if (cached !== undefined) {
      this.#cache.delete(info);
      this.#cache.set(info, cached);
      return cached;
    }
    const origin = this.#origins.get(info);
    if (origin === undefined) throw new RangeError("Cannot read series: this recording did not list it");
    const read = info.type === "histogram" ? readHistogramSeries : readNumberSeries;
    const series = this.#named(
      `${info.labels.__name__}`,
      () => read(info, origin.table, origin.columns, this.#timesOf(origin.table)),
    );
    this.#keep(info, series);
    return series;
  }

  /** Damaged data is told with what was read, and of which file. */
  #named<T>(what: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new SyntaxError(`Cannot read ${what} of ${this.#name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #keep(info: SeriesInfo, series: Series): void {
    this.#cache.set(info, series);
    this.#cachedBytes += seriesBytes(series);
    for (const [oldest, dropped] of this.#cache) {
      if (this.#cachedBytes <= this.#cacheLimit || oldest === info) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= seriesBytes(dropped);
    }
  }

  #timesOf(table: RecordedTable): Times {
    let times = this.#times.get(table);
    if (times === undefined) {
      times = ascending(table.times());
      this.#times.set(table, times);
    }
    return times;
  }

  #list(): string[] {
    const notes: string[] = [];
    const byIdentity = new Map<string, Origin>();
    for (const table of this.#tables) {
      for (const column of table.columns) {
        const { role, field } = column;
        if (role.kind === "ignored") notes.push(`column "${field.name}" is left out: ${role.reason}`);
        if (role.kind === "sparseCounts" && sparsePartner(table, role.id) === undefined) {
          notes.push(`column "${field.name}" is left out: "${role.id}:bucket_indices" is not there`);
          continue;
        }
        if (role.kind !== "number" && role.kind !== "histogram" && role.kind !== "sparseCounts") continue;
        const layout = role.kind === "number"
          ? ""
          : `${role.layout.groupingPower}/${role.layout.maxValuePower}`;
        const identity = JSON.stringify([
          role.series.type,
          layout,
          Object.entries(role.series.labels).sort(),
        ]);
        const known = byIdentity.get(identity);
        if (known?.table === table) known.columns.push(column);
        else if (known !== undefined) {
          notes.push(
            `column "${field.name}" of "${table.name}" is left out: "${known.table.name}" has the same labels`,
          );
        } else {
          const origin = { table, columns: [column] };
          byIdentity.set(identity, origin);
          this.#origins.set(role.series, origin);
        }
      }
    }
    return notes;
  }
}

function seriesBytes(series: Series): number {
  const points = series.kind === "number" ? series.values : series.counts;
  return points.byteLength + (series.missing?.byteLength ?? 0);
}
