/** The store of a live viewer: the newest points of every series of a source, in memory. @module */
import type { Snapshot } from "../metrics/mod.ts";
import type { HistogramColumn, NumberColumn } from "./_column.ts";
import { Table } from "./_table.ts";
import type { Series, SeriesInfo, SeriesSource } from "./series.ts";

/** Points kept of each series when nothing else is said: half an hour at one second. */
export const LIVE_POINTS = 1_800;

/** A group that first comes when the store holds this many series is not taken; `droppedGroups` counts them. */
export const MAX_LIVE_SERIES = 200_000;

/** A clock that goes back further than this starts the store anew; a smaller step back is waited out. */
const CLOCK_STEP_SECONDS = 60;

/** How a `LiveStore` is made. */
export interface LiveOptions {
  /** Points kept of each series. */
  readonly points?: number;
  /** The distance of points that is meant, in seconds, until there are enough to measure it. */
  readonly intervalSeconds?: number;
}

/**
 * Appends snapshots and lets them be queried. What `read` returns are views that stay true until the next `append`;
 * evaluation is synchronous, so nothing is copied.
 */
export class LiveStore implements SeriesSource {
  readonly #points: number;
  readonly #interval: number;
  readonly #tables = new Map<string, Table>();
  #infos: SeriesInfo[] | undefined;
  #homes = new Map<SeriesInfo, [Table, NumberColumn | HistogramColumn]>();
  #help: Readonly<Record<string, string>> = {};
  /** Groups that were refused because the store was full. */
  droppedGroups = 0;

  constructor(options: LiveOptions = {}) {
    this.#points = options.points ?? LIVE_POINTS;
    this.#interval = options.intervalSeconds ?? 1;
    if (!(this.#points >= 2)) {
      throw new RangeError(`Cannot keep live series: ${this.#points} points, expected >= 2`);
    }
  }

  get intervalSeconds(): number {
    const measured = [...this.#tables.values()].map((table) => table.interval).filter((s) => s !== undefined);
    return measured.length === 0 ? this.#interval : Math.round(Math.min(...measured) * 1000) / 1000;
  }

  /**
   * Takes one snapshot. Returns `false` when it is not newer than the last one of any group and nothing was taken.
   * A source that restarts needs nothing special: its counters drop, which the engine sees as a reset.
   */
  append(snapshot: Snapshot): boolean {
    const base = unixSeconds(snapshot.timeNs);
    const last = this.range()?.end;
    if (last !== undefined && base < last - CLOCK_STEP_SECONDS) this.#clear();
    let taken = false;
    for (const group of snapshot.groups) {
      const time = group.window === undefined ? base : unixSeconds(group.window.beginNs);
      const table = this.#table(group.name);
      if (table === undefined) continue;
      if (table.lastTime !== undefined && time <= table.lastTime) continue;
      table.append(group, time);
      taken = true;
    }
    return taken;
  }

  /** Sets the sentences that `help()` gives, by metric name. */
  describe(help: Readonly<Record<string, string>>): void {
    this.#help = help;
  }

  range(): { readonly start: number; readonly end: number } | undefined {
    let [start, end] = [Infinity, -Infinity];
    for (const table of this.#tables.values()) {
      start = Math.min(start, table.firstTime ?? Infinity);
      end = Math.max(end, table.lastTime ?? -Infinity);
    }
    return end === -Infinity ? undefined : { start, end };
  }

  series(): readonly SeriesInfo[] {
    if (this.#infos !== undefined) return this.#infos;
    this.#infos = [];
    this.#homes.clear();
    for (const table of this.#tables.values()) {
      for (const column of table.columns.values()) {
        this.#infos.push(column.info);
        this.#homes.set(column.info, [table, column]);
      }
    }
    return this.#infos;
  }

  read(info: SeriesInfo): Series {
    this.series();
    const home = this.#homes.get(info);
    if (home === undefined) throw new RangeError(`Cannot read series ${info.labels.__name__}: it is gone`);
    return home[0].read(home[1]);
  }

  help(): Readonly<Record<string, string>> {
    return this.#help;
  }

  #table(name: string): Table | undefined {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    if (this.series().length >= MAX_LIVE_SERIES) {
      this.droppedGroups++;
      return undefined;
    }
    const table = new Table(this.#points, () => this.#infos = undefined);
    this.#tables.set(name, table);
    return table;
  }

  #clear(): void {
    this.#tables.clear();
    this.#infos = undefined;
  }
}

/** Seconds as the double nearest to the time in microseconds: nanoseconds of this century are beyond 2⁵³. */
function unixSeconds(ns: bigint): number {
  return Number(ns / 1000n) / 1e6;
}
