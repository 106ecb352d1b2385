/** A `.mcp-run` of what was found: commented, in a stable order. Pure. @module */
import { BPM_CONFIG } from "../config.ts";
import type { FoundProcess, ProbeKeys, ProcessKeys } from "./found.ts";
import { isTable } from "./keys.ts";
import type { Plan } from "./merge.ts";

/** Width of comments, and of lines before a list is broken. */
const WIDTH = 100;
/** Order of keys: that of their description. */
const ORDER = Object.keys(BPM_CONFIG.entries.process.each.entries);

/** The text of a `.mcp-run`. */
export function writeConfig({ files, processes, notes }: Plan, { port }: { readonly port: number }): string {
  const head = [
    ...comment(`What bpm runs in this project, as "bpm init" found it in ${listed(files)}.`),
    ...comment('Change it as you like; "bpm up" runs it, and every key is in the sample config/bpm.mcp-run.'),
    ...(notes.length === 0 ? [] : ["#", ...notes.flatMap((each) => comment(each, "# - "))]),
    "",
    "# Port of the MCP endpoint on 127.0.0.1.",
    `mcp_port = ${port}`,
  ];
  return `${[head.join("\n"), ...processes.map(processText)].join("\n\n")}\n`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function processText({ name, about, keys, notes, suggestions = [] }: FoundProcess): string {
  const path = `process.${keyText(name)}`;
  const lines = [
    ...comment(about),
    ...notes.flatMap((each) => comment(each, "# - ")),
    `[${path}]`,
  ];
  const tables: string[] = [];
  for (const [key, value] of sorted(keys)) {
    const line = `${key} = ${valueText(value)}`;
    if (isTable(value) && line.length > WIDTH) {
      tables.push(`\n[${path}.${key}]`, ...sorted(value).map(([each, inner]) => entryText(each, inner)));
    } else lines.push(entryText(key, value));
  }
  for (const { why, keys } of suggestions) {
    lines.push(...comment(why), ...sorted(keys).map(([key, value]) => `# ${key} = ${valueText(value)}`));
  }
  return [...lines, ...tables].join("\n");
}

function sorted(keys: ProcessKeys | ProbeKeys | Record<string, unknown>): [string, unknown][] {
  const at = (key: string) => ORDER.indexOf(key);
  return Object.entries(keys).filter(([, value]) => value !== undefined).sort(([a], [b]) => at(a) - at(b));
}

/** A key with its value; a list that is too long for a line has several, and one with scripts a line for each. */
function entryText(key: string, value: unknown): string {
  const line = `${keyText(key)} = ${valueText(value)}`;
  if (!Array.isArray(value) || (line.length <= WIDTH && !line.includes("\n"))) return line;
  const lines: string[] = [];
  for (const each of value.map((each) => `${valueText(each)},`)) {
    const last = lines.at(-1);
    const joins = last !== undefined && !last.includes("\n") && !each.includes("\n") &&
      last.length + 1 + each.length <= WIDTH;
    if (joins) lines[lines.length - 1] = `${last} ${each}`;
    else lines.push(`  ${each}`);
  }
  return `${keyText(key)} = [\n${lines.join("\n")}\n]`;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return stringText(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (!isTable(value)) return String(value);
  const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{ ${pairs.map(([key, each]) => `${keyText(key)} = ${flatText(each)}`).join(", ")} }`;
}

/** Within a table on one line nothing may be on several. */
function flatText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatText).join(", ")}]`;
  return typeof value === "string" ? lineText(value) : valueText(value);
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : basicText(key);
}

// deno-lint-ignore no-control-regex -- what TOML wants escaped
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
// deno-lint-ignore no-control-regex -- the same, lines apart
const CONTROL_IN_LINES = /[\x00-\x08\x0b-\x1f\x7f]/;

/** As it reads best: scripts as lines, and what has quotes or backslashes as it is. */
function stringText(value: string): string {
  const text = value.toWellFormed();
  if (text.includes("\n") && !text.includes("'''") && !CONTROL_IN_LINES.test(text) && !text.endsWith("'")) {
    return `'''\n${text}'''`;
  }
  return lineText(text);
}

function lineText(value: string): string {
  const isLiteral = /["\\]/.test(value) && !value.includes("'") && !CONTROL.test(value);
  return isLiteral ? `'${value.toWellFormed()}'` : basicText(value);
}

function basicText(value: string): string {
  return JSON.stringify(value.toWellFormed()).replaceAll("\x7f", "\\u007f");
}

function comment(text: string, first = "# "): string[] {
  const lines: string[] = [];
  let line = first.trimEnd();
  // deno-lint-ignore no-control-regex -- a comment must not end early
  for (const word of text.replaceAll(/[\x00-\x1f\x7f]+/g, " ").toWellFormed().split(" ")) {
    if (line.length + 1 + word.length > WIDTH && line.length > first.length) {
      lines.push(line);
      line = `#${" ".repeat(first.length - 2)}`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
