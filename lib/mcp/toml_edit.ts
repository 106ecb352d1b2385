/** Sets or removes one table of a TOML text that is written with a header of its own. @module */
import { parse, stringify } from "@std/toml";
import { sameJson } from "./schema_check.ts";

/** A table of a document. */
type Table = Record<string, unknown>;

/**
 * Sets `[parent.name]`. Everything else keeps its bytes.
 * @throws {SyntaxError} When the text is damaged; {TypeError} when the table is written in a way that cannot be
 * changed safely, such as inline.
 */
export function setTomlTable(text: string, parent: string, name: string, value: Table): string {
  const before = read(text);
  const rest = withoutTable(text, parent, name);
  const block = tableText(parent, name, value);
  const gap = rest === "" || rest.endsWith("\n\n") ? "" : rest.endsWith("\n") ? "\n" : "\n\n";
  const after = `${rest}${gap}${block}`;
  const tables = { ...tableOf(before, parent), [name]: value };
  return checked(after, { ...before, [parent]: tables }, `${parent}.${name}`);
}

/** Removes `[parent.name]` and the tables in it; the text itself when it is not there. @throws As `setTomlTable`. */
export function removeTomlTable(text: string, parent: string, name: string): string {
  const before = read(text);
  const tables = tableOf(before, parent);
  if (!Object.hasOwn(tables, name)) return text;
  const { [name]: _, ...others } = tables;
  const after = withoutTable(text, parent, name);
  const { [parent]: __, ...top } = before;
  // A table that nothing is in any more is gone with its last header.
  const gone = Object.keys(others).length === 0 && !Object.hasOwn(read(after), parent);
  return checked(after, gone ? top : { ...before, [parent]: others }, `${parent}.${name}`);
}

/** The table `[parent.name]`, or `undefined`. @throws {SyntaxError} When the text is damaged. */
export function tomlTable(text: string, parent: string, name: string): unknown {
  const tables = tableOf(read(text), parent);
  return Object.hasOwn(tables, name) ? tables[name] : undefined;
}

/** The table as text, with its header. */
export function tableText(parent: string, name: string, value: Table): string {
  return stringify({ [parent]: { [name]: value } }).replace(new RegExp(`^\\[${parent}\\]\n+`), "").trimEnd() +
    "\n";
}

function read(text: string): Table {
  try {
    return parse(text) as Table;
  } catch (error) {
    // The parser's message has a picture of the place below its first line.
    const [first] = (error instanceof Error ? error.message : String(error)).split("\n");
    const { line, column } = error as { line?: number; column?: number };
    const place = line === undefined ? "" : `line ${line}, column ${column}: `;
    throw new SyntaxError(`${place}${first}`);
  }
}

function tableOf(document: Table, name: string): Table {
  const table = document[name] ?? {};
  if (typeof table !== "object" || Array.isArray(table)) throw new TypeError(`"${name}" is no table`);
  return table as Table;
}

/** The text without the lines from the table's header, and those of tables in it, to the next other header. */
function withoutTable(text: string, parent: string, name: string): string {
  const keys = [name, JSON.stringify(name), `'${name}'`].map((key) =>
    key.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  const own = new RegExp(`^\\s*\\[\\s*${parent}\\s*\\.\\s*(?:${keys.join("|")})\\s*[.\\]]`);
  let inside = false;
  const kept = text.split(/(?<=\n)/).filter((line) => {
    if (/^\s*\[/.test(line)) inside = own.test(line);
    return !inside;
  });
  return kept.join("");
}

function checked(text: string, expected: Table, what: string): string {
  if (sameJson(plain(read(text)), plain(expected))) return text;
  throw new TypeError(`"${what}" is written in a way that cannot be changed safely`);
}

/** Dates and such as text, so that they can be compared. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each) => typeof each === "bigint" ? `${each}n` : each));
}
