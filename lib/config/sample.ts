/** Sample files: every key with its help and default, made of the description. @module */
import type { Key } from "./key.ts";
import type { Table, TableList, TableMap } from "./table.ts";

/** Width at which help is wrapped. */
const WIDTH = 80;

/** TOML text with every key of the table: those with a default set to it, the others and examples commented out. */
export function sampleConfig(shape: Table, title: string): string {
  return `${comment(title)}${tableText(shape, [])}`;
}

function tableText(shape: Table, path: readonly string[], isList = false): string {
  const keys: string[] = [];
  const tables: string[] = [];
  for (const [name, entry] of Object.entries(shape.entries)) {
    if (entry.kind === "table") tables.push(tableText(entry as Table, [...path, name]));
    else if (entry.kind === "tables") {
      tables.push(tableText((entry as TableList).each, [...path, name], true));
    } else if (entry.kind === "named") {
      const { each, example } = entry as TableMap;
      // As it stands it would be a table of that name.
      tables.push(tableText(each, [...path, name, example]).replaceAll(/^(?=[^#\n])/gm, "# "));
    } else keys.push(keyText(name, entry as Key<unknown>));
  }
  const name = isList ? `[[${path.join(".")}]]` : `[${path.join(".")}]`;
  const header = path.length > 0 ? `\n${comment(shape.help)}${name}\n` : "\n";
  const body = keys.join("\n");
  return (path.length > 0 || body !== "" ? header + body : "") + tables.join("");
}

function keyText(name: string, key: Key<unknown>): string {
  const mark = key.fallback === undefined || key.isExample === true ? "# " : "";
  return `${comment(key.help)}${mark}${name} = ${key.sample}\n`;
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line].map((each) => `${each}\n`).join("");
}
