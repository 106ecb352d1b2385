/**
 * Configuration tables: one description gives the type, the check, the defaults and the sample file.
 *
 * Own configurations are strict: an unknown key is an error that names the nearest known one. Keys of the original
 * that have no meaning here are listed as `foreign`: they are read over with a warning.
 * @module
 */
import { parse, TomlError } from "@std/toml";
import { type Key } from "./key.ts";

/** A table: keys and tables by name. */
export interface Table<E extends Entries = Entries> {
  readonly kind: "table";
  readonly help: string;
  readonly entries: E;
  /** Keys of other programs' files that mean nothing here. */
  readonly foreign: readonly string[];
}

/** A list of tables, written as `[[name]]`; empty when there is none. */
export interface TableList<E extends Entries = Entries> {
  readonly kind: "tables";
  readonly each: Table<E>;
}

/** Tables by names that the file chooses, written as `[name.<any>]`; in the file's order. */
export interface TableMap<E extends Entries = Entries> {
  readonly kind: "named";
  readonly each: Table<E>;
  /** What stands for the name in samples and in documentation. */
  readonly example: string;
}

// deno-lint-ignore no-explicit-any
export type Entries = Readonly<Record<string, Key<any> | Table<any> | TableList<any> | TableMap<any>>>;

/** The value that a table reads as. */
export type ConfigOf<T> = T extends Table<infer E> ? { readonly [K in keyof E]: ConfigOf<E[K]> }
  : T extends TableList<infer E> ? readonly ConfigOf<Table<E>>[]
  : T extends TableMap<infer E> ? Readonly<Record<string, ConfigOf<Table<E>>>>
  : T extends Key<infer V> ? V
  : never;

/** Describes a table. */
export function table<const E extends Entries>(
  entries: E,
  options: { readonly help: string; readonly foreign?: readonly string[] },
): Table<E> {
  return { kind: "table", help: options.help, entries, foreign: options.foreign ?? [] };
}

/** Describes a list of tables. */
export function tables<const E extends Entries>(
  entries: E,
  options: { readonly help: string; readonly foreign?: readonly string[] },
): TableList<E> {
  return { kind: "tables", each: table(entries, options) };
}

/** Describes tables by name. */
export function namedTables<const E extends Entries>(
  entries: E,
  options: { readonly help: string; readonly example: string; readonly foreign?: readonly string[] },
): TableMap<E> {
  return { kind: "named", each: table(entries, options), example: options.example };
}

/** What was wrong with a file, with the place. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** What a configuration reads as, and what a person should know about it. */
export interface Loaded<C> {
  readonly config: C;
  readonly warnings: readonly string[];
}

/** How a file is read. */
export interface ReadOptions {
  /** Whether an unknown key is only a warning: for files that another program reads so, too. */
  readonly lenient?: boolean;
}

/**
 * Reads TOML text. `file` is only for messages.
 * @throws {ConfigError} Naming the file, line, key, and what was expected.
 */
export function parseConfig<E extends Entries>(
  shape: Table<E>,
  toml: string,
  file: string,
  { lenient = false }: ReadOptions = {},
): Loaded<ConfigOf<Table<E>>> {
  const warnings: string[] = [];
  const found = parseToml(toml, file);
  const config = readTable(shape, found, { file, toml, path: [], warnings, lenient });
  return { config: config as ConfigOf<Table<E>>, warnings };
}

/** Reads a file. @throws {ConfigError} Also when it cannot be read. */
export function loadConfig<E extends Entries>(
  shape: Table<E>,
  file: string,
  options: ReadOptions = {},
): Loaded<ConfigOf<Table<E>>> {
  let toml: string;
  try {
    toml = Deno.readTextFileSync(file);
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new ConfigError(`Cannot read configuration ${file}: ${found}`, { cause });
  }
  return parseConfig(shape, toml, file, options);
}

/** The configuration of an empty file. */
export function defaults<E extends Entries>(shape: Table<E>): ConfigOf<Table<E>> {
  return parseConfig(shape, "", "").config;
}

/** Every key with its path, for sample files and documentation. */
export function allKeys(shape: Table, path: readonly string[] = []): { path: string; key: Key<unknown> }[] {
  return Object.entries(shape.entries).flatMap(([name, entry]) => {
    const inner = [...path, name];
    if (entry.kind === "key") return [{ path: inner.join("."), key: entry as Key<unknown> }];
    if (entry.kind === "table") return allKeys(entry as Table, inner);
    return allKeys(entry.each, entry.kind === "named" ? [...inner, entry.example] : inner);
  });
}

interface Reading {
  readonly file: string;
  readonly toml: string;
  readonly path: readonly string[];
  readonly warnings: string[];
  readonly lenient: boolean;
  /** Which of the tables of that name, for one in a list. */
  readonly index?: number;
}

function parseToml(toml: string, file: string): Record<string, unknown> {
  try {
    return parse(toml);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const what = cause.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    throw new ConfigError(`Cannot parse configuration ${file}:${cause.line}:${cause.column}: ${what}`, {
      cause,
    });
  }
}

function readTable(shape: Table, found: Record<string, unknown>, reading: Reading): Record<string, unknown> {
  for (const name of Object.keys(found)) {
    if (Object.hasOwn(shape.entries, name)) continue;
    const path = [...reading.path, name].join(".");
    if (shape.foreign.includes(name)) {
      reading.warnings.push(`${place(reading, name)}: "${path}" has no meaning here and is passed over`);
      continue;
    }
    const nearest = nearestName(name, [...Object.keys(shape.entries), ...shape.foreign]);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    if (reading.lenient) {
      reading.warnings.push(`${place(reading, name)}: unknown key "${path}" is passed over${hint}`);
      continue;
    }
    throw new ConfigError(`Cannot read configuration ${place(reading, name)}: unknown key "${path}"${hint}`);
  }
  const result: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(shape.entries)) {
    const value = found[name];
    if (entry.kind === "tables") result[name] = readTables(entry as TableList, name, value ?? [], reading);
    else if (entry.kind === "named") result[name] = readNamed(entry as TableMap, name, value ?? {}, reading);
    else if (entry.kind === "table") {
      if (value !== undefined && !isTable(value)) throw mismatch(reading, name, "a table", value);
      result[name] = readTable(entry as Table, value ?? {}, { ...reading, path: [...reading.path, name] });
    } else {
      if (value === undefined && entry.isRequired === true) throw missing(reading, name, entry.expected);
      const read = value === undefined ? entry.fallback : entry.read(value);
      if (value !== undefined && read === undefined) throw mismatch(reading, name, entry.expected, value);
      result[name] = read;
    }
  }
  return result;
}

function readTables(list: TableList, name: string, value: unknown, reading: Reading): unknown[] {
  if (!Array.isArray(value) || !value.every(isTable)) {
    throw mismatch(reading, name, `tables [[${name}]]`, value);
  }
  const path = [...reading.path, name];
  return value.map((each, index) => readTable(list.each, each, { ...reading, path, index }));
}

function readNamed(map: TableMap, name: string, value: unknown, reading: Reading): Record<string, unknown> {
  if (!isTable(value)) throw mismatch(reading, name, `tables [${name}.<name>]`, value);
  const path = [...reading.path, name];
  return Object.fromEntries(
    Object.entries(value).map(([key, found]) => {
      if (!isTable(found)) throw mismatch({ ...reading, path }, key, "a table", found);
      return [key, readTable(map.each, found, { ...reading, path: [...path, key] })];
    }),
  );
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function missing(reading: Reading, name: string, expected: string): ConfigError {
  const table = reading.path.at(-1) ?? "";
  const at = place({ ...reading, path: reading.path.slice(0, -1) }, table);
  const path = [...reading.path, name].join(".");
  return new ConfigError(`Cannot read configuration ${at}: "${path}" is missing, expected ${expected}`);
}

function mismatch(reading: Reading, name: string, expected: string, value: unknown): ConfigError {
  const path = [...reading.path, name].join(".");
  // Tables have no prototype, and so no text.
  const shown = Array.isArray(value)
    ? "a list"
    : isTable(value)
    ? "a table"
    : typeof value === "string"
    ? JSON.stringify(value)
    : String(value);
  return new ConfigError(
    `Cannot read configuration ${place(reading, name)}: "${path}" is ${shown}, expected ${expected}`,
  );
}

/** `file:line` of a key: the first line that gives it in its table, for the parser keeps no positions. */
function place(reading: Reading, name: string): string {
  const lines = reading.toml.split("\n");
  const table = reading.path.join(".");
  let current = "";
  let index = -1;
  for (const [at, line] of lines.entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) current = header.replaceAll(/["'\s]/g, "");
    if (header !== undefined && current === table) index++;
    if (reading.index !== undefined && index !== reading.index) continue;
    const isKey = new RegExp(`^\\s*["']?${escape(name)}["']?\\s*[=.]`).test(line) && current === table;
    const isHeader = header !== undefined && current === [...reading.path, name].join(".");
    if (isKey || isHeader) return `${reading.file}:${at + 1}`;
  }
  return reading.file;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The known name that is few edits away; `undefined` when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  const ranked = known.map((each) => [editDistance(name, each), each] as const).sort(([a], [b]) => a - b);
  const [best] = ranked;
  return best !== undefined && best[0] <= limit ? best[1] : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
      }
    }
    rows.push(row);
  }
  return rows[left.length]![right.length]!;
}
