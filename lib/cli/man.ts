/** Manual pages in roff, one a tool with all its commands. @module */
import type { Command } from "./command.ts";
import { optionRows, usageLines } from "./help.ts";
import { names } from "./parse.ts";

/** Returns the page of section 1. */
export function manPage(tool: Command, options: { version: string }): string {
  return [
    `.TH ${tool.name.toUpperCase()} 1 "" "hostkit ${options.version}" "User Commands"`,
    `.SH NAME\n${roff(tool.name)} \\- ${roff(tool.summary)}`,
    ...pages([tool]),
    "",
  ].join("\n");
}

function pages(path: readonly Command[]): string[] {
  const target = path.at(-1)!;
  const lines = path.length > 1
    ? [`.SH ${roff(names(path).toUpperCase())}`, roff(`${target.summary}.`)]
    : [".SH SYNOPSIS"];
  lines.push(...usageLines(path).map((line) => `.P\n.B ${roff(line)}`));
  if (target.description !== undefined) {
    lines.push(...target.description.split("\n\n").map((each) => `.P\n${roff(each)}`));
  }
  for (const { name, help } of target.positionals) lines.push(`.TP\n.B ${roff(name)}\n${roff(help)}`);
  for (const [flags, help] of optionRows(target)) lines.push(`.TP\n.B ${roff(flags.trim())}\n${roff(help)}`);
  for (const [line, does] of target.examples) lines.push(`.P\n${roff(does)}:\n.P\n.B ${roff(line)}`);
  return [...lines, ...target.commands.flatMap((each) => pages([...path, each]))];
}

function roff(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^([.'])/gm, "\\&$1");
  return escaped.replaceAll(
    /\P{ASCII}/gu,
    (letter) => `\\[u${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
