/** Help texts: usage, commands, options with defaults, examples. @module */
import { type Command, flagName, type Option } from "./command.ts";
import { names } from "./parse.ts";

/** Text is wrapped to at most so many columns. */
const MAX_WIDTH = 100;

/** Returns the help of the last command of the path. */
export function helpText(
  path: readonly Command[],
  options: { colour?: boolean; width?: number } = {},
): string {
  const target = path.at(-1)!;
  const width = Math.min(options.width ?? MAX_WIDTH, MAX_WIDTH);
  const bold = (text: string) => options.colour === true ? `\x1b[1m${text}\x1b[0m` : text;
  const parts = [
    `${names(path)}: ${target.summary}\n`,
    section(bold("Usage"), usageLines(path).map((line) => `  ${line}`)),
  ];
  if (target.description !== undefined) parts.push(paragraphs(target.description, width));
  if (target.commands.length > 0) {
    parts.push(
      section(bold("Commands"), columns(target.commands.map((each) => [each.name, each.summary]), width)),
    );
  }
  if (target.positionals.length > 0) {
    parts.push(
      section(bold("Arguments"), columns(target.positionals.map((each) => [each.name, each.help]), width)),
    );
  }
  parts.push(section(bold("Options"), columns(optionRows(target), width)));
  if (target.examples.length > 0) {
    parts.push(
      section(bold("Examples"), target.examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`])),
    );
  }
  return parts.join("\n");
}

/** The forms in which a command can be called. */
export function usageLines(path: readonly Command[]): string[] {
  const target = path.at(-1)!;
  const lines: string[] = [];
  if (target.run !== undefined) {
    const words = target.positionals.map(({ name, optional, many }) => {
      const word = many === true ? `${name}…` : name;
      return optional === true ? `[${word}]` : word;
    });
    const rest = target.rest === undefined ? [] : [`[-- ${target.rest}…]`];
    lines.push([names(path), "[OPTIONS]", ...words, ...rest].join(" "));
  }
  if (target.commands.length > 0) lines.push(`${names(path)} COMMAND …`);
  return lines;
}

/** Flags and help of each option, the two that every command has included. */
export function optionRows(target: Command): [flags: string, help: string][] {
  const own = Object.entries(target.options).map(([name, option]): [string, string] => [
    optionFlags(name, option),
    `${option.key.help}${defaultText(option)}`,
  ]);
  return [...own, ["-h, --help", "Shows this help."], [
    "-V, --version",
    "Shows version, commit and format numbers.",
  ]];
}

/** `-i, --interval DURATION`. */
function optionFlags(name: string, option: Option): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return `${short}--${flagName(name)}${option.value === undefined ? "" : ` ${option.value}`}`;
}

function defaultText({ key, value, multiple }: Option): string {
  if (multiple === true) return " May be given several times.";
  return value === undefined || key.fallback === undefined || key.fallback === ""
    ? ""
    : ` [default: ${key.sample.replaceAll('"', "")}]`;
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${lines.join("\n")}\n`;
}

/** Two columns; the second is wrapped under itself. */
function columns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const left = Math.min(34, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, help]) => {
    const wrapped = wrap(help, Math.max(20, width - left - 6));
    const first = name.length > left
      ? [`  ${name}`, `  ${" ".repeat(left)}  ${wrapped[0]}`]
      : [`  ${name.padEnd(left)}  ${wrapped[0]}`];
    return [...first, ...wrapped.slice(1).map((line) => `  ${" ".repeat(left)}  ${line}`)];
  });
}

function paragraphs(text: string, width: number): string {
  return text.split("\n\n").map((each) => wrap(each, width).join("\n")).join("\n\n") + "\n";
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
