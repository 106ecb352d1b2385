/**
 * What the packed file says without starting the runtime: help of every command, version, completion scripts and
 * manual pages, rendered from the command tree in the styles that terminals need.
 * @module
 */
import {
  type Command,
  completionScript,
  helpText,
  manPage,
  SHELLS,
  type ToolInfo,
  withCommon,
} from "../cli/mod.ts";

/** Terminals of fewer columns get the narrow styles; the launcher knows the same two widths. */
const STYLES: readonly [name: string, options: { colour: boolean; width: number }][] = [
  ["plain", { colour: false, width: 100 }],
  ["plain-narrow", { colour: false, width: 80 }],
  ["bold", { colour: true, width: 100 }],
  ["bold-narrow", { colour: true, width: 80 }],
];

/** The text for exactly these words, the tool's name first. */
export interface Answer {
  readonly words: readonly string[];
  /** One of the launcher's styles, or "any". */
  readonly style: string;
  readonly text: string;
}

/** Returns every answer of a tool. */
export function answersOf(tool: Command, info: ToolInfo): Answer[] {
  const full = withCommon(tool, info);
  const version = `${tool.name} ${info.version}\n${info.details.map((line) => `${line}\n`).join("")}`;
  const any = (words: readonly string[], text: string): Answer => ({ words, style: "any", text });
  return [
    ...pathsOf([full]).flatMap((path) => {
      const words = path.map((each) => each.name);
      const versions = flagsFor(path.at(-1)!, "--version", "V").map((flag) => any([...words, flag], version));
      return [...helpAnswers(path, words), ...versions];
    }),
    ...SHELLS.map((shell) => any([tool.name, "completion", shell], completionScript(full, shell))),
    any([tool.name, "man"], manPage(full, info)),
  ];
}

function helpAnswers(path: readonly Command[], words: readonly string[]): Answer[] {
  const target = path.at(-1)!;
  const flags = flagsFor(target, "--help", "h").map((flag) => [...words, flag]);
  // A group of commands that is called without one shows its help.
  const calls = target.run === undefined ? [...flags, words] : flags;
  return STYLES.flatMap(([style, options]) => {
    const text = helpText(path, options);
    return calls.map((call) => ({ words: call, style, text }));
  });
}

/** The flag and its short form, where the command has not taken the letter. */
function flagsFor(target: Command, flag: string, letter: string): string[] {
  const taken = Object.values(target.options).some(({ short }) => short === letter);
  return taken ? [flag] : [flag, `-${letter}`];
}

function pathsOf(path: readonly Command[]): (readonly Command[])[] {
  return [path, ...path.at(-1)!.commands.flatMap((each) => pathsOf([...path, each]))];
}
