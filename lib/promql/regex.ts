/**
 * Regexes as Prometheus has them: RE2 syntax, always anchored, `.` matches newlines. A pattern becomes a program that
 * is run over the text once with all its possible states (Pike's machine), so that no pattern, whoever wrote it, takes
 * longer than its length times the text's.
 * @module
 */
import { EvaluationError } from "./error.ts";
import { parseRegex, type RegexNode } from "./_regex_parse.ts";

/** A pattern longer than this is refused. */
export const MAX_PATTERN_CHARS = 4_096;

/** Steps of a program; counted repetitions of counted repetitions come to this quickly. */
const MAX_STEPS = 20_000;

/** What matched: groups by number (0 is the whole) and name; an unused group is `undefined`. */
export interface RegexMatch {
  readonly groups: readonly (string | undefined)[];
  readonly named: Readonly<Record<string, string | undefined>>;
}

/** A compiled, anchored regex. */
export interface Regex {
  test(text: string): boolean;
  exec(text: string): RegexMatch | undefined;
}

type Step =
  | { readonly op: "char"; readonly test: (code: number) => boolean }
  | { readonly op: "assert"; readonly what: Extract<RegexNode, { kind: "assert" }>["what"] }
  /** Goes on at both; `first` is preferred. */
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "save"; readonly slot: number }
  | { readonly op: "match" };

/** The anchored regex. `where` says whose it is in the error. @throws {EvaluationError} When RE2 has no such regex. */
export function compileRegex(pattern: string, where: string): Regex {
  try {
    if (pattern.length > MAX_PATTERN_CHARS) {
      throw new SyntaxError(`longer than ${MAX_PATTERN_CHARS} characters`);
    }
    const { root, names } = parseRegex(pattern);
    const program: Step[] = [];
    emit(root, program);
    program.push({ op: "match" });
    return machine(program, names);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EvaluationError(
      `invalid regular expression in ${where}: error parsing regexp: ${error.message}`,
    );
  }
}

function emit(node: RegexNode, program: Step[]): void {
  if (program.length > MAX_STEPS) throw new SyntaxError("expression too large");
  switch (node.kind) {
    case "char":
      program.push({ op: "char", test: node.test });
      return;
    case "assert":
      program.push({ op: "assert", what: node.what });
      return;
    case "sequence":
      for (const part of node.parts) emit(part, program);
      return;
    case "group":
      program.push({ op: "save", slot: 2 * node.index });
      emit(node.of, program);
      program.push({ op: "save", slot: 2 * node.index + 1 });
      return;
    case "either":
      return emitEither(node.options, program);
    case "repeat":
      return emitRepeat(node, program);
  }
}

function emitEither(options: readonly RegexNode[], program: Step[]): void {
  const ends: { op: "jump"; to: number }[] = [];
  options.forEach((option, index) => {
    const last = index === options.length - 1;
    const split = { op: "split" as const, first: program.length + 1, second: 0 };
    if (!last) program.push(split);
    emit(option, program);
    if (last) return;
    const end = { op: "jump" as const, to: 0 };
    program.push(end);
    ends.push(end);
    split.second = program.length;
  });
  for (const end of ends) end.to = program.length;
}

function emitRepeat({ of, min, max, lazy }: Extract<RegexNode, { kind: "repeat" }>, program: Step[]): void {
  for (let i = 0; i < min; i++) emit(of, program);
  const optional = (): { into: (at: number) => void; past: (at: number) => void } => {
    const split = { op: "split" as const, first: 0, second: 0 };
    program.push(split);
    return lazy
      ? { into: (at) => split.second = at, past: (at) => split.first = at }
      : { into: (at) => split.first = at, past: (at) => split.second = at };
  };
  if (max === Infinity) {
    const start = program.length;
    const loop = optional();
    loop.into(program.length);
    emit(of, program);
    program.push({ op: "jump", to: start });
    return loop.past(program.length);
  }
  const exits = Array.from({ length: max - min }, () => {
    const exit = optional();
    exit.into(program.length);
    emit(of, program);
    return exit;
  });
  for (const exit of exits) exit.past(program.length);
}

/** A state of the machine: where in the program, and where its groups began and ended. */
interface Thread {
  readonly at: number;
  readonly saved: readonly number[];
}

function machine(program: readonly Step[], names: readonly (string | undefined)[]): Regex {
  const run = (text: string): readonly number[] | undefined => {
    let threads: Thread[] = [];
    const seen = new Int32Array(program.length).fill(-1);
    follow(program, { at: 0, saved: [] }, { text, position: 0, threads, seen });
    for (let position = 0; position < text.length;) {
      const code = text.codePointAt(position)!;
      position += code > 0xffff ? 2 : 1;
      const next: Thread[] = [];
      for (const { at, saved } of threads) {
        const step = program[at]!;
        if (step.op === "char" && step.test(code)) {
          follow(program, { at: at + 1, saved }, { text, position, threads: next, seen });
        }
      }
      threads = next;
      if (threads.length === 0) return undefined;
    }
    return threads.find(({ at }) => program[at]!.op === "match")?.saved;
  };
  return {
    test: (text) => run(text) !== undefined,
    exec(text) {
      const saved = run(text);
      if (saved === undefined) return undefined;
      const groups = names.map((_, index) => {
        if (index === 0) return text;
        const [from, to] = [saved[2 * index], saved[2 * index + 1]];
        return from === undefined || to === undefined ? undefined : text.slice(from, to);
      });
      const named = Object.fromEntries(
        names.flatMap((name, index) => name === undefined ? [] : [[name, groups[index]]]),
      );
      return { groups, named };
    },
  };
}

/** Adds the states that are reached without reading, preferred ones first; each place at most once a position. */
function follow(
  program: readonly Step[],
  start: Thread,
  { text, position, threads, seen }: { text: string; position: number; threads: Thread[]; seen: Int32Array },
): void {
  const open: Thread[] = [start];
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { at, saved } = thread;
    if (seen[at] === position) continue;
    seen[at] = position;
    const step = program[at]!;
    switch (step.op) {
      case "char":
      case "match":
        threads.push(thread);
        break;
      case "jump":
        open.push({ at: step.to, saved });
        break;
      case "split":
        open.push({ at: step.second, saved }, { at: step.first, saved });
        break;
      case "save": {
        const marked = [...saved];
        marked[step.slot] = position;
        open.push({ at: at + 1, saved: marked });
        break;
      }
      case "assert":
        if (holds(step.what, text, position)) open.push({ at: at + 1, saved });
    }
  }
}

function holds(
  what: Extract<RegexNode, { kind: "assert" }>["what"],
  text: string,
  position: number,
): boolean {
  const word = (at: number): boolean => /\w/.test(text[at] ?? "");
  switch (what) {
    case "start":
      return position === 0;
    case "end":
      return position === text.length;
    case "lineStart":
      return position === 0 || text[position - 1] === "\n";
    case "lineEnd":
      return position === text.length || text[position] === "\n";
    case "word":
      return word(position - 1) !== word(position);
    case "notWord":
      return word(position - 1) === word(position);
  }
}
