/** From words to a call: which command is meant, and what its options are. Pure. @module */
import { parseArgs } from "node:util";
import { nearestName } from "../config/mod.ts";
import { type Command, flagName, type Option } from "./command.ts";

/** A mistake in how a tool was called; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The command whose help would have told; `undefined`: the one that runs. */
  readonly path: readonly Command[] | undefined;

  constructor(message: string, path?: readonly Command[]) {
    super(message);
    this.path = path;
  }
}

/** What was found in the words. */
export interface Parsed {
  /** From the tool down to the command that is meant. */
  readonly path: readonly Command[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly (string | undefined)[];
  readonly rest: readonly string[];
  readonly wants: "run" | "help" | "version";
}

/** Finds the command and its options. @throws {UsageError} Naming the word that is wrong. */
export function parseWords(tool: Command, words: readonly string[]): Parsed {
  const path = [tool];
  let at = 0;
  for (; at < words.length; at++) {
    const next = path.at(-1)!.commands.find((each) => each.name === words[at]);
    if (next === undefined) break;
    path.push(next);
  }
  const target = path.at(-1)!;
  const { values, positionals, rest } = tokens(path, words.slice(at));
  if (values.has("help")) return { path, options: {}, args: [], rest: [], wants: "help" };
  if (values.has("version")) return { path, options: {}, args: [], rest: [], wants: "version" };
  if (target.run === undefined) {
    const [word] = positionals;
    if (word === undefined) return { path, options: {}, args: [], rest: [], wants: "help" };
    throw new UsageError(unknown("command", word, target.commands.map((each) => each.name)), path);
  }
  if (target.rest === undefined && rest.length > 0) {
    throw new UsageError(`unexpected "--": ${names(path)} takes no command line`, path);
  }
  return {
    path,
    options: readOptions(path, values),
    args: readPositionals(path, positionals),
    rest,
    wants: "run",
  };
}

/** Words that Node's parser has told apart. */
interface Tokens {
  /** Texts given for each option, by flag; switches have the text "". */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  readonly rest: readonly string[];
}

function tokens(path: readonly Command[], words: readonly string[]): Tokens {
  const target = path.at(-1)!;
  const flags = Object.entries(target.options).map(([name, option]) => [flagName(name), option] as const);
  const known = new Map<string, Option | undefined>([...flags, ["help", undefined], ["version", undefined]]);
  const shorts = new Map(
    flags.flatMap(([flag, option]) => option.short === undefined ? [] : [[option.short, flag]]),
  );
  const config = Object.fromEntries([...known].map(([flag, option]) => {
    const short = option?.short ?? SHORTS[flag];
    const free = short !== undefined && (option !== undefined || !shorts.has(short));
    const type: "string" | "boolean" = option?.value === undefined ? "boolean" : "string";
    return [flag, { type, multiple: true, ...(free ? { short } : {}) }];
  }));
  const parsed = (args: readonly string[]) =>
    parseArgs({ args: [...args], options: config, strict: false, allowPositionals: true, tokens: true })
      .tokens;
  let found = parsed(words);
  if (target.rest !== undefined && target.positionals.length === 0) {
    // The first word that is no option begins the command line, as with env and sudo.
    const first = found.find(({ kind }) => kind !== "option");
    if (first?.kind === "positional") found = parsed(words.toSpliced(first.index, 0, "--"));
  }
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const rest: string[] = [];
  let behind = false;
  for (const token of found) {
    if (token.kind === "option-terminator") behind = true;
    else if (token.kind === "positional") {
      (behind && target.rest !== undefined ? rest : positionals).push(token.value);
    } else {
      const option = known.get(token.name);
      if (!known.has(token.name)) {
        throw new UsageError(unknown("option", token.rawName, [...known.keys()]), path);
      }
      const isSwitch = option?.value === undefined;
      if (isSwitch && token.value !== undefined) {
        throw new UsageError(`option ${token.rawName} takes no value, found "${token.value}"`, path);
      }
      if (!isSwitch && token.value === undefined) {
        throw new UsageError(`option ${token.rawName} needs a value: ${option.key.expected}`, path);
      }
      values.set(token.name, [...values.get(token.name) ?? [], token.value ?? ""]);
    }
  }
  return { values, positionals, rest };
}

const SHORTS: Readonly<Record<string, string>> = { help: "h", version: "V" };

function readOptions(path: readonly Command[], values: Tokens["values"]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(path.at(-1)!.options)) {
    const flag = flagName(name);
    const given = values.get(flag);
    if (given === undefined) {
      result[name] = option.multiple === true ? [] : option.key.fallback;
      continue;
    }
    const read = given.map((text) => readValue(path, flag, option, text));
    result[name] = option.multiple === true ? read : read.at(-1);
  }
  return result;
}

function readValue(path: readonly Command[], flag: string, option: Option, text: string): unknown {
  if (option.value === undefined) return true;
  const value = option.key.read(text) ??
    (/^-?\d+(\.\d+)?$/.test(text) ? option.key.read(Number(text)) : undefined);
  if (value !== undefined) return value;
  throw new UsageError(`option --${flag} is "${text}", expected ${option.key.expected}`, path);
}

function readPositionals(path: readonly Command[], found: readonly string[]): (string | undefined)[] {
  const { positionals } = path.at(-1)!;
  const missing = positionals.find((each, at) => each.optional !== true && found[at] === undefined);
  if (missing !== undefined) throw new UsageError(`missing ${missing.name}: ${missing.help}`, path);
  const extra = positionals.at(-1)?.many === true ? undefined : found[positionals.length];
  if (extra !== undefined) {
    throw new UsageError(unknown("argument", extra, path.at(-1)!.commands.map((each) => each.name)), path);
  }
  return [...positionals.map((_, at) => found[at]), ...found.slice(positionals.length)];
}

function unknown(what: string, word: string, known: readonly string[]): string {
  const nearest = nearestName(word.replace(/^-+/, ""), known);
  const dashes = what === "option" ? "--" : "";
  return `unknown ${what} "${word}"${nearest === undefined ? "" : `; did you mean "${dashes}${nearest}"?`}`;
}

/** `rezolus record`. */
export function names(path: readonly Command[]): string {
  return path.map((each) => each.name).join(" ");
}
