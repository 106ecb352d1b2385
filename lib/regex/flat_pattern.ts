/**
 * Patterns said without flags, and with few repetitions: the only ones that V8's engine of linear time takes. What the
 * flags `i`, `s`, `u` and `v` would do is written out: letters as classes, classes as ranges, what is beyond 16 bits as
 * pairs. Groups do not capture. Pure.
 * @module
 */
import { codesOf, foldedCodes, type Ranges, shownRanges } from "./code_ranges.ts";
import type { Translated } from "./rust_pattern.ts";

/** The linear engine writes repetitions out, and takes no pattern where that is more than so many times. */
const V8_REPEATS = 16;
/**
 * Characters and ranges that a pattern may come to, written out. Each may be looked at, 26 ns long, for each character of
 * a line, which has 65,536 at most.
 */
export const MOST_STEPS = 5_000;
/** Groups within groups; the parsers, V8's too, call themselves for each. */
const MOST_NESTING = 200;
/** Ways that are tried on one line by the engine that goes back; some tenths of a second. */
const MOST_WAYS = 1e8;

/** A pattern as V8's engines take it. */
export interface FlatPattern {
  readonly source: string;
  /** Characters of a line on which the engine that goes back, a hundred times faster as a rule, ends soon, too. */
  readonly fastChars: number;
}

/** A part that is written out. */
interface Part {
  readonly text: string;
  readonly steps: number;
  /** How often V8 writes out the part that it repeats most. */
  readonly repeats: number;
  /** Ways to match it from one place in a line of `n` characters: `count` times the power `degree` of `n` at most. */
  readonly ways: { readonly count: number; readonly degree: number };
}

const ONE_WAY = { count: 1, degree: 0 };
const ENDLESS_WAYS = { count: Infinity, degree: 0 };

interface Flags {
  readonly i: boolean;
  readonly s: boolean;
}

/** The source has to be one that JavaScript takes. @throws {SyntaxError} When it is too large. */
export function flatPattern({ source, flags }: Translated): FlatPattern {
  const flattener = new Flattener(source, flags.includes("v") ? "v" : "u");
  const all = flattener.alternatives({ i: flags.includes("i"), s: flags.includes("s") }, 0);
  const { count, degree } = all.ways;
  return { source: all.text, fastChars: Math.floor((MOST_WAYS / count) ** (1 / (degree + 1))) };
}

class Flattener {
  readonly #source: string;
  readonly #mode: "u" | "v";
  #at = 0;

  constructor(source: string, mode: "u" | "v") {
    this.#source = source;
    this.#mode = mode;
  }

  /** Up to the end of the group that it is in. */
  alternatives(flags: Flags, depth: number): Part {
    if (depth > MOST_NESTING) throw new SyntaxError(`groups are nested more than ${MOST_NESTING} times`);
    const options: Part[] = [];
    for (;;) {
      const parts: Part[] = [];
      while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at]!)) {
        parts.push(this.#repeated(this.#atom(flags, depth)));
      }
      options.push(sequence(parts));
      if (this.#match(/\|/y) === undefined) return either(options);
    }
  }

  #atom(flags: Flags, depth: number): Part {
    const lookbehind = this.#match(/\(\?<[=!]\\w\)/y);
    if (lookbehind !== undefined) return plain(lookbehind[0]);
    const group = this.#match(/\((?:\?(?:<[^>]*>|([is]*)(?:-([is]*))?:))?/y);
    if (group !== undefined) {
      const [, on = "", off = ""] = group;
      const has = (flag: "i" | "s") => on.includes(flag) || (flags[flag] && !off.includes(flag));
      const inner = this.alternatives({ i: has("i"), s: has("s") }, depth + 1);
      this.#at++;
      return { ...inner, text: `(?:${inner.text})` };
    }
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
    if (char === "[") return this.#class(flags);
    if (char === "\\") return this.#escape(flags);
    this.#at += char.length;
    if (char === ".") return plain(flags.s ? "[^]" : ".");
    return /[\^$]/.test(char) ? plain(char) : literal(char, flags);
  }

  #class(flags: Flags): Part {
    const from = this.#at;
    for (let depth = 0;;) {
      const [piece] = this.#match(/\\[^]|[^]/y)!;
      depth += piece === "[" && (this.#mode === "v" || depth === 0) ? 1 : piece === "]" ? -1 : 0;
      if (depth === 0) break;
    }
    const text = this.#source.slice(from, this.#at);
    const isPlain = !flags.i && this.#mode === "u" && !/[\ud800-\udfff]|\\(?:[pP]|u\{)/.test(text);
    return isPlain ? { ...plain(text), steps: text.length } : this.#setOf(text, flags);
  }

  #escape(flags: Flags): Part {
    const property = this.#match(/\\[pP]\{[^}]*\}/y);
    if (property !== undefined) return this.#setOf(property[0], flags);
    const code = this.#match(/\\(?:u\{([^}]*)\}|u(.{4})|x(.{2}))/y);
    if (code !== undefined) {
      return literal(String.fromCodePoint(parseInt(code[1] ?? code[2] ?? code[3]!, 16)), flags);
    }
    const [text] = this.#match(/\\(?:c.|.)/y)!;
    return plain(text);
  }

  #setOf(text: string, { i }: Flags): Part {
    return ranged(codesOf(new RegExp(`(?:${text})+`, `g${this.#mode}${i ? "i" : ""}`)));
  }

  #repeated(part: Part): Part {
    const found = this.#match(/(?:[*+?]|\{(\d+)(,(\d*))?\})(\??)/y);
    if (found === undefined) return part;
    const [all, least, comma, most, lazy] = found;
    const min = least === undefined ? all.startsWith("+") ? 1 : 0 : Number(least);
    const max = least === undefined
      ? all.startsWith("?") ? 1 : Infinity
      : comma === undefined
      ? min
      : most === ""
      ? Infinity
      : Number(most);
    const ways = waysOf(part, min, max);
    const times = Math.max(1, max === Infinity ? min + 1 : max);
    const steps = bounded(part.steps * times);
    const repeats = part.repeats * times;
    if (repeats <= V8_REPEATS) return { text: part.text + all, steps, repeats, ways };
    const more = max === Infinity ? `${part.text}*${lazy}` : `${part.text}?${lazy}`.repeat(max - min);
    return { ...part, text: `(?:${part.text.repeat(min)}${more})`, steps, ways };
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#source) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }
}

function plain(text: string): Part {
  return { text, steps: 1, repeats: 1, ways: ONE_WAY };
}

function literal(char: string, { i }: Flags): Part {
  const code = char.codePointAt(0)!;
  return ranged(i ? foldedCodes(char) : [[code, code]]);
}

function ranged(ranges: Ranges): Part {
  return { ...plain(shownRanges(ranges)), steps: bounded(ranges.length) };
}

function sequence(parts: readonly Part[]): Part {
  return {
    ...together(parts, ""),
    ways: parts.reduce((all, { ways }) => ({
      count: all.count * ways.count,
      degree: all.degree + ways.degree,
    }), ONE_WAY),
  };
}

function either(options: readonly Part[]): Part {
  return {
    ...together(options, "|"),
    ways: {
      count: options.reduce((sum, { ways }) => sum + ways.count, 0),
      degree: options.reduce((most, { ways }) => Math.max(most, ways.degree), 0),
    },
  };
}

function together(parts: readonly Part[], between: string): Omit<Part, "ways"> {
  return {
    text: parts.map(({ text }) => text).join(between),
    steps: bounded(parts.reduce((sum, { steps }) => sum + steps, 0)),
    repeats: parts.reduce((most, { repeats }) => Math.max(most, repeats), 1),
  };
}

/** Of a part that itself matches in several ways, repeated, there is no end. */
function waysOf({ ways }: Part, min: number, max: number): Part["ways"] {
  const { count, degree } = ways;
  if (max === 1) return { count: count + 1 - min, degree };
  if (count > 1 || degree > 0) return ENDLESS_WAYS;
  return max === Infinity ? { count: 1, degree: 1 } : { count: max - min + 1, degree: 0 };
}

function bounded(steps: number): number {
  if (steps <= MOST_STEPS) return steps;
  throw new SyntaxError(`written out it has more than ${MOST_STEPS} characters and ranges, the limit`);
}
