/**
 * How a command has to be called so that it tells a monitor what it does. Programs that are not known are called as
 * they are: what they let Nix say in words is read as well.
 * @module
 */
import {
  DEVELOP_PHASES,
  NIX_BECOMES,
  NIX_SHELLS,
  NIX_TALKS,
  NIX_WORKS,
  PREFIXES,
  PROGRAMS,
  REBUILDERS,
} from "./_words.ts";

/** A program and its arguments. */
export type Words = readonly [string, ...string[]];

/** How to call a command. */
export type WrappedCommand =
  /** Its standard error holds records of Nix, or Nix' own words. */
  | { readonly kind: "records" | "plain"; readonly words: Words }
  /** A program that wants the terminal after Nix has built: `prepare` builds and ends, then `words` finds all done. */
  | { readonly kind: "shell"; readonly prepare: Words; readonly words: Words }
  /** It answers a question, or talks to a person: nothing of it is looked at. */
  | { readonly kind: "untouched"; readonly words: Words };

/** What the words alone do not tell. */
export interface CommandContext {
  /** Whether the shell asks for completions: `NIX_GET_COMPLETIONS` is set. */
  readonly completing?: boolean;
  /** Whether a file begins with `#!`: `nix-shell FILE …` then interprets a script. */
  readonly isScript?: (path: string) => boolean;
}

const FORMAT = ["--log-format", "internal-json"] as const;
/** Whether logs of builds are printed is a log format to Nix 2.8: it would take the place of ours. */
const RAW: ReadonlySet<string> = new Set(["-L", "-Q", "--no-build-output", "--print-build-logs"]);
/** Ends well as soon as everything is built; absolute, since the environment may have no PATH. */
const EXIT = ["--command", "/bin/sh", "-c", "exit"] as const;

/**
 * Adds what lets Nix tell what it does: `--log-format internal-json` and `-v`, each only when it is not there, and
 * never behind `--`. Another log format that was asked for stays.
 *
 * ```ts
 * import { wrapCommand } from "./command.ts";
 * const { words } = wrapCommand(["nix-build", "-A", "hello"]);
 * console.assert(words.join(" ") === "nix-build --log-format internal-json -v -A hello");
 * ```
 */
export function wrapCommand(words: Words, context: CommandContext = {}): WrappedCommand {
  const at = programIndex(words);
  const [program, ...args] = words.slice(at);
  if (program === undefined) return { kind: "plain", words };
  const inner = wrapProgram([program, ...args], context);
  const whole = (part: Words): Words => [...words.slice(0, at), ...part] as unknown as Words;
  return inner.kind === "shell"
    ? { ...inner, prepare: whole(inner.prepare), words }
    : { ...inner, words: whole(inner.words) };
}

/**
 * Whether a command of Nix prints what it has to say and ends: it does not become another program that would want the
 * terminal, as `nix run` does.
 */
export function onlyPrints(words: Words): boolean {
  const [program = "", ...args] = words.slice(programIndex(words));
  const name = nameOf(program);
  if (name !== "nix") return PROGRAMS.has(name);
  const command = args.find((word) => NIX_WORKS.has(word) || NIX_SHELLS.has(word) || NIX_TALKS.has(word));
  return command !== undefined && NIX_WORKS.has(command) && !NIX_BECOMES.has(command);
}

/** Where the program stands behind `sudo`, `env` and their like. */
function programIndex(words: Words): number {
  let at = 0;
  for (;;) {
    const valued = PREFIXES.get(nameOf(words[at] ?? ""));
    if (valued === undefined) return at;
    at++;
    for (let word = words[at]; word !== undefined && /^-|^[A-Za-z_]\w*=/.test(word); word = words[at]) {
      at += valued.has(word) ? 2 : 1;
      if (word === "--") break;
    }
  }
}

function wrapProgram(words: Words, context: CommandContext): WrappedCommand {
  const [program, ...args] = words;
  const name = nameOf(program);
  const own = before(args, ["--"]);
  if (context.completing === true) return { kind: "untouched", words };
  if (name === "nix") return wrapNix(words);
  if (asksForHelp(name, own)) return { kind: "untouched", words };
  if (name === "nix-shell") return wrapNixShell(words, context);
  const rebuilder = REBUILDERS.get(name);
  if (rebuilder !== undefined) {
    const action = own.findIndex((word) => rebuilder.actions.has(word));
    if (action < 0) return { kind: "untouched", words };
    if (rebuilder.takes === "records") return insert(words, action + 2, own);
    const more = rebuilder.takes === "verbose"
      ? isVerbose(own) ? [] : ["-v"]
      : rebuilder.takes.filter((word) => !own.includes(word));
    return { kind: "plain", words: inserted(words, action + 2, more) };
  }
  const works = PROGRAMS.get(name);
  if (works === undefined) return { kind: "plain", words };
  return works(own) ? insert(words, 1, own) : { kind: "untouched", words };
}

/** The options stand before the sub-command: every version takes them there. */
function wrapNix(words: Words): WrappedCommand {
  const args = words.slice(1);
  const known = args.findIndex((word) => NIX_WORKS.has(word) || NIX_SHELLS.has(word) || NIX_TALKS.has(word));
  const [command, sub] = args.slice(known < 0 ? args.length : known);
  const shell = command === "env" && sub === "shell" || NIX_SHELLS.has(command ?? "");
  if (command === undefined || (NIX_TALKS.has(command) && !shell)) return { kind: "untouched", words };
  const own = before(args, shell ? ["--", "-c", "--command"] : ["--"]);
  if (asksForHelp("nix", own)) return { kind: "untouched", words };
  if (!shell) return insert(words, 1, own);
  // Without a program of its own, what stands behind "--" is still to be built.
  const rest = args[own.length] === "--" ? args.slice(own.length + 1) : [];
  const asked = [...withoutPhases(own), ...before(rest, ["-c", "--command"])];
  return shellOf(insert(words, 1, own, [words[0], ...asked, ...EXIT]), words);
}

function wrapNixShell(words: Words, { isScript }: CommandContext): WrappedCommand {
  const [program, ...args] = words;
  const isInterpreter = args[0] !== undefined && !args[0].startsWith("-") && isScript?.(args[0]) === true;
  // An expression on standard input can be read only once.
  if (isInterpreter || args.includes("-")) return { kind: "untouched", words };
  const own = args.filter((word, index) => !runs(word) && !runs(args[index - 1]));
  return shellOf(insert(words, 1, own, [program, ...own, "--run", "exit"]), words);
}

/** `nix-shell --run COMMAND`. */
function runs(word: string | undefined): boolean {
  return word === "--run" || word === "--command";
}

/** A log format that was asked for goes to the terminal, where a person wants it. */
function shellOf(prepared: WrappedCommand, words: Words): WrappedCommand {
  return prepared.kind === "records"
    ? { kind: "shell", prepare: prepared.words, words }
    : { kind: "untouched", words };
}

/** Adds the options at `at` when `own`, the words for the program itself, do not have them. */
function insert(words: Words, at: number, own: readonly string[], into: Words = words): WrappedCommand {
  const format = formatOf(own);
  if (format !== undefined && format !== FORMAT[1]) return { kind: "plain", words };
  const more = [...format === undefined ? FORMAT : [], ...isVerbose(own) ? [] : ["-v"]];
  const end = 1 + own.length + more.length;
  const called = inserted(into, at, more).filter((word, index) => index >= end || !RAW.has(word));
  return { kind: "records", words: called as unknown as Words };
}

function inserted(words: Words, at: number, more: readonly string[]): Words {
  return words.toSpliced(at, 0, ...more) as unknown as Words;
}

/** The last one counts. */
function formatOf(own: readonly string[]): string | undefined {
  const given = own.flatMap((word, index) =>
    word === FORMAT[0] ? own[index + 1] ?? [] : word.startsWith(`${FORMAT[0]}=`) ? word.slice(13) : []
  );
  return given.at(-1);
}

/** Whoever wants it quiet has said how much to tell as well. */
function isVerbose(own: readonly string[]): boolean {
  return own.some((word) => /^(-[a-zA-Z]*v[a-zA-Z]*|--verbose|--debug|--quiet)$/.test(word));
}

function asksForHelp(name: string, own: readonly string[]): boolean {
  return own.some((word) =>
    word === "--help" || word === "--version" || word === "-h" && REBUILDERS.has(name)
  );
}

function withoutPhases(own: readonly string[]): string[] {
  return own.filter((word, index) =>
    !DEVELOP_PHASES.has(word) && word !== "--phase" && own[index - 1] !== "--phase"
  );
}

function before(words: readonly string[], ends: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => ends.includes(word));
  return end < 0 ? words : words.slice(0, end);
}

/** `nix` of `/run/current-system/sw/bin/nix`. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
