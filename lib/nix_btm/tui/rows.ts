/** The rows of each view as a list that can be moved in: how many, and what each is. Pure. @module */
import { builderRows } from "./builder_rows.ts";
import { eagleRows, keyOf } from "./eagle_rows.ts";
import { jobRows } from "./job_rows.ts";
import { lineCount } from "./log_lines.ts";
import type { Model, Tab } from "./model.ts";

/** Rows of a list by their keys; a key names the same row when others came and went. */
export interface Rows {
  readonly count: number;
  keyAt(index: number): string | undefined;
  /** -1 when it has gone. */
  indexOf(key: string): number;
}

/** The rows of a view. */
export function rowsOf(model: Model, tab: Tab): Rows {
  switch (tab) {
    case "builders":
      return keyed(builderRows(model), ({ key }) => key);
    case "eagle":
      return keyed(eagleRows(model), keyOf);
    case "jobs":
      return keyed(jobRows(model), ({ id }) => String(id));
    case "history":
      return keyed(model.history, ({ id }) => String(id));
    case "hosts":
      return keyed([...model.source.worlds.keys()], (host) => host);
    case "build":
      return { count: lineCount(model), keyAt: String, indexOf: Number };
    default:
      return tab satisfies never;
  }
}

/** Rows with a key each. */
export function keyed<T>(rows: readonly T[], keyOf: (row: T) => string): Rows {
  return {
    count: rows.length,
    keyAt: (index) => rows[index] === undefined ? undefined : keyOf(rows[index]),
    indexOf: (key) => rows.findIndex((row) => keyOf(row) === key),
  };
}
