/**
 * Several recordings as one: each column under `<name>::<id>`, with the labels that tell its recording from the others.
 * Pure.
 *
 * Source: upstream's combined files (`<node>::<id>`, `source` as a list, `per_source_metadata`, descriptions of all).
 * @module
 */
import type { ArrowField } from "./parquet/mod.ts";
import { jsonObject } from "./_json.ts";
import type { Opened } from "./recording.ts";
import { RecordedTable } from "./table.ts";

type TextMap = Readonly<Record<string, string>>;

/** Separates a recording's name from what is in it, in names of tables and columns. */
export const NAME_SEPARATOR = "::";

/** Returns the recordings as one; `ids` are their numbers, for those that nothing else tells apart. Owns them. */
export function combineRecordings(recordings: readonly Opened[], ids: readonly number[]): Opened {
  const labels = recordings.map((each) => each.labels);
  const telling = distinguishing(labels);
  const given = recordings.map(({ metadata }) => metadata["node"] ?? metadata["instance"] ?? "");
  const names = namesOf(given, labels.map((each) => only(each, telling)), ids);
  // Labels that are equal throughout tell nothing apart; where nothing does, the number has to.
  const added = labels.map((each, at) =>
    telling.length > 0 ? only(each, telling) : { recording: String(ids[at]) }
  );
  return {
    format: recordings[0]!.format,
    complete: recordings.every(({ complete }) => complete),
    metadata: combinedMetadata(recordings.map(({ metadata }) => metadata), names),
    labels: Object.fromEntries(Object.entries(labels[0]!).filter(([key]) => !telling.includes(key))),
    tables: recordings.flatMap(({ tables }, at) =>
      tables.map((table) => relabelled(table, names[at]!, added[at]!))
    ),
    durations: new Map(recordings.flatMap(({ durations }) => [...durations])),
    notes: recordings.flatMap(({ notes = [] }, at) => notes.map((note) => `${names[at]}: ${note}`)),
    [Symbol.dispose]: () => recordings.forEach((each) => each[Symbol.dispose]()),
  };
}

/** Names of labels whose values are not the same throughout. */
function distinguishing(labels: readonly TextMap[]): string[] {
  const all = new Set(labels.flatMap((each) => Object.keys(each)));
  return [...all].filter((key) => new Set(labels.map((each) => each[key])).size > 1);
}

function only(labels: TextMap, keys: readonly string[]): TextMap {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => keys.includes(key)));
}

/** A plain word for each: its node or instance, else the labels that tell it apart, else the number. */
function namesOf(given: readonly string[], telling: readonly TextMap[], ids: readonly number[]): string[] {
  const candidates = [
    given,
    telling.map(({ endpoint: _endpoint, ...rest }) => Object.values(rest).join("-")),
    telling.map(({ endpoint = "" }) => endpoint.replace(/^https?:\/\//, "")),
    ids.map(String),
  ].map((names) => names.map((name) => name.replaceAll(/[:/\s]+/g, "-").replaceAll(/^-+|-+$/g, "")));
  return candidates.find((names) => new Set(names).size === names.length && !names.includes(""))!;
}

function relabelled(table: RecordedTable, name: string, labels: TextMap): RecordedTable {
  const known = new Map<readonly ArrowField[], readonly ArrowField[]>(); // parts share their fields
  const roles = new Map(table.columns.map(({ field, role }) => [field.name, role.kind]));
  const rename = (fields: readonly ArrowField[]) => {
    let renamed = known.get(fields);
    if (renamed === undefined) {
      renamed = fields.map((field) => {
        if (["timestamp", "duration", "sidecar"].includes(roles.get(field.name)!)) return field;
        return {
          ...field,
          name: name + NAME_SEPARATOR + field.name,
          metadata: { ...field.metadata, ...labels },
        };
      });
      known.set(fields, renamed);
    }
    return renamed;
  };
  return new RecordedTable(
    name + NAME_SEPARATOR + table.name,
    table.parts.map((part) => ({
      rowCount: part.rowCount,
      fields: rename(part.fields),
      span: part.span,
      read: (column) => part.read(column),
    })),
  );
}

/** Keys that all agree on stay as they are; of those that differ each recording's own go under its name. */
function combinedMetadata(all: readonly TextMap[], names: readonly string[]): TextMap {
  const keys = [...new Set(all.flatMap((each) => Object.keys(each)))];
  const combined: Record<string, string> = {};
  const perSource: Record<string, Record<string, unknown>> = {};
  for (const key of keys) {
    const values = [...new Set(all.flatMap((each) => each[key] ?? []))];
    if (values.length === 1) combined[key] = values[0]!;
    else if (key === "source") combined[key] = JSON.stringify(values.sort());
    else if (key === "descriptions") {
      combined[key] = JSON.stringify(Object.assign({}, ...values.map(objectOf).reverse()));
    } else if (key === "events") combined[key] = combinedEvents(values);
    else if (key === "per_source_metadata") {
      for (const value of values) Object.assign(perSource, objectOf(value));
    } else {
      if (key === "systeminfo") combined[key] = values[0]!;
      names.forEach((name, at) => {
        if (all[at]![key] !== undefined) perSource[name] = { ...perSource[name], [key]: all[at]![key] };
      });
    }
  }
  if (Object.keys(perSource).length > 0) {
    const known = objectOf(combined["per_source_metadata"] ?? "{}");
    for (const [name, own] of Object.entries(perSource)) {
      known[name] = { ...known[name] as Record<string, unknown> | undefined, ...own };
    }
    combined["per_source_metadata"] = JSON.stringify(known);
  }
  return combined;
}

/** The events of all in order of time, each once: recordings of one run share what happened to the run. */
function combinedEvents(texts: readonly string[]): string {
  const all = texts.map((text) => jsonObject(text, exactly) ?? {});
  const rows = new Map(
    all.flatMap(({ events }) => Array.isArray(events) ? events : [])
      .map((event) => [JSON.stringify(event), timeOf(event)] as const),
  );
  const ordered = [...rows].sort(([, left], [, right]) => left < right ? -1 : left > right ? 1 : 0);
  const leftOut = Math.max(0, ...all.map((each) => Number(each["left_out"] ?? 0)));
  return `{"events":[${ordered.map(([row]) => row).join(",")}]${
    leftOut > 0 ? `,"left_out":${leftOut}` : ""
  }}`;
}

/** A number over 2⁵³ that stays the text it was read as. */
interface RawNumber {
  readonly rawJSON: string;
}

/** ES2025's, which TypeScript's library does not have yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): RawNumber };

/** Reviver that keeps the digits of times in nanoseconds. */
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isLarge = typeof value === "number" && !Number.isSafeInteger(value) && context?.source !== undefined;
  return isLarge ? rawJSON(context.source!) : value;
}

function timeOf(event: unknown): bigint {
  const timestamp = (event as { timestamp?: RawNumber | number } | null)?.timestamp;
  const text = typeof timestamp === "object" ? timestamp.rawJSON : String(timestamp);
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** A JSON object; empty for what is none: a key that is broken is no reason to lose the rest. */
function objectOf(text: string): Record<string, unknown> {
  return jsonObject(text) ?? {};
}
