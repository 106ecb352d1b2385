/** RE2 syntax as a tree. What RE2 does not have (lookaround, backreferences) is an error here too. @module */
import { POSIX_CLASSES } from "../regex/mod.ts";

/** A part of a regex. */
export type RegexNode =
  /** One code point for which `test` holds. */
  | { readonly kind: "char"; readonly test: (code: number) => boolean }
  | { readonly kind: "assert"; readonly what: "start" | "end" | "lineStart" | "lineEnd" | "word" | "notWord" }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "either"; readonly options: readonly RegexNode[] }
  | {
    readonly kind: "repeat";
    readonly of: RegexNode;
    readonly min: number;
    readonly max: number;
    readonly lazy: boolean;
  }
  | { readonly kind: "group"; readonly of: RegexNode; readonly index: number };

/** A parsed regex with its groups' names; group 0 is the whole. */
export interface ParsedRegex {
  readonly root: RegexNode;
  readonly names: readonly (string | undefined)[];
}

/** RE2's limit on a counted repetition. */
const MAX_REPEAT = 1_000;

/** Groups within groups. */
const MAX_NESTING = 250;

interface Flags {
  /** Ignore case. */
  readonly i: boolean;
  /** `^` and `$` also at line ends. */
  readonly m: boolean;
  /** `.` also matches a newline; Prometheus always sets it. */
  readonly s: boolean;
  /** Repetitions are lazy unless marked. */
  readonly U: boolean;
}

/** Parses a pattern. @throws {SyntaxError} With RE2's words for what is wrong. */
export function parseRegex(pattern: string): ParsedRegex {
  const parser = new RegexParser(pattern);
  const root = parser.alternatives({ i: false, m: false, s: true, U: false }, 0);
  if (parser.at < pattern.length) throw new SyntaxError(`unexpected ): \`${pattern}\``);
  return { root, names: parser.names };
}

class RegexParser {
  at = 0;
  readonly names: (string | undefined)[] = [undefined];

  constructor(readonly pattern: string) {}

  alternatives(flags: Flags, depth: number): RegexNode {
    if (depth > MAX_NESTING) throw new SyntaxError("expression nests too deeply");
    const options: RegexNode[] = [];
    let parts: RegexNode[] = [];
    let current = flags;
    while (this.at < this.pattern.length && this.pattern[this.at] !== ")") {
      if (this.#take("|")) {
        options.push({ kind: "sequence", parts });
        parts = [];
        continue;
      }
      const changed = this.#flagsOnly(current);
      if (changed !== undefined) {
        current = changed;
        continue;
      }
      const atoms = this.#atoms(current, depth);
      const last = atoms.pop();
      parts.push(...atoms);
      if (last !== undefined) parts.push(this.#repeated(last, current));
    }
    options.push({ kind: "sequence", parts });
    return options.length === 1 ? options[0]! : { kind: "either", options };
  }

  #take(text: string): boolean {
    if (!this.pattern.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.pattern);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  /** `(?i)`: from here to the end of the group. */
  #flagsOnly(flags: Flags): Flags | undefined {
    const found = this.#match(/\(\?([imsU]*)(?:-([imsU]+))?\)/y);
    return found === null ? undefined : withFlags(flags, found[1]!, found[2] ?? "");
  }

  /** One atom; quoted text gives many. */
  #atoms(flags: Flags, depth: number): RegexNode[] {
    if (this.#take("\\Q")) {
      const end = this.pattern.indexOf("\\E", this.at);
      const text = this.pattern.slice(this.at, end < 0 ? undefined : end);
      this.at = end < 0 ? this.pattern.length : end + 2;
      return Array.from(text, (char) => literal(char, flags));
    }
    const char = String.fromCodePoint(this.pattern.codePointAt(this.at)!);
    switch (char) {
      case "(":
        return [this.#group(flags, depth)];
      case "[":
        return [this.#bracket(flags)];
      case "\\":
        return [this.#escape(flags)];
      case "*":
      case "+":
      case "?":
        throw new SyntaxError(`missing argument to repetition operator: \`${char}\``);
    }
    this.at += char.length;
    if (char === ".") return [{ kind: "char", test: flags.s ? () => true : (code) => code !== 10 }];
    if (char === "^") return [{ kind: "assert", what: flags.m ? "lineStart" : "start" }];
    if (char === "$") return [{ kind: "assert", what: flags.m ? "lineEnd" : "end" }];
    return [literal(char, flags)];
  }

  #group(flags: Flags, depth: number): RegexNode {
    const open = this.at++;
    let inner = flags;
    let index: number | undefined;
    const named = this.#match(/\?P?<(\w+)>/y);
    const scoped = named === null ? this.#match(/\?([imsU]*)(?:-([imsU]+))?:/y) : null;
    if (named !== null) {
      if (this.names.includes(named[1])) {
        throw new SyntaxError(`duplicate capture group name: \`${named[1]}\``);
      }
      index = this.names.push(named[1]) - 1;
    } else if (scoped !== null) inner = withFlags(flags, scoped[1]!, scoped[2] ?? "");
    else if (this.pattern[this.at] === "?") {
      throw new SyntaxError(`invalid or unsupported Perl syntax: \`${this.pattern.slice(open, open + 3)}\``);
    } else index = this.names.push(undefined) - 1;
    const of = this.alternatives(inner, depth + 1);
    if (!this.#take(")")) throw new SyntaxError(`missing closing ): \`${this.pattern}\``);
    return index === undefined ? of : { kind: "group", of, index };
  }

  /** `[…]`, by the engine's own classes: one code point at a time cannot backtrack. */
  #bracket(flags: Flags): RegexNode {
    const found = this.#match(/\[\^?\]?(?:\[:\^?\w+:\]|\\(?:[pP]\{\^?\w+\}|[\s\S])|[^\]\\])*\]/y);
    if (found === null) throw new SyntaxError(`missing closing ]: \`${this.pattern.slice(this.at)}\``);
    const text = found[0].replace(/^\[(\^?)\]/, "[$1\\]")
      .replace(/\[:(\^?)(\w+):\]/g, (whole, not: string, name: string) => {
        const set = POSIX_CLASSES[name];
        if (set === undefined || not !== "") {
          throw new SyntaxError(`invalid character class range: \`${whole}\``);
        }
        return set;
      });
    const inside = text.slice(1, -1).replace(/\\?\[/g, "\\[");
    return classOf(`[${inside}]`, flags, found[0]);
  }

  #escape(flags: Flags): RegexNode {
    const classed = this.#match(/\\(?:[dDwWsS]|[pP]\{\^?\w+\}|[pP][A-Z])/y);
    if (classed !== null) {
      return classOf(classed[0].replace(/^\\([pP])([A-Z])$/, "\\$1{$2}"), flags, classed[0]);
    }
    const asserted = this.#match(/\\([AzbB])/y);
    if (asserted !== null) {
      return {
        kind: "assert",
        what: ({ A: "start", z: "end", b: "word", B: "notWord" } as const)[asserted[1] as "A"],
      };
    }
    const hex = this.#match(/\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y);
    if (hex !== null) return literal(String.fromCodePoint(parseInt(hex[1] ?? hex[2]!, 16)), flags);
    const control = this.#match(/\\([aftnrv])/y);
    if (control !== null) return literal(CONTROL[control[1]!]!, flags);
    const plain = this.#match(/\\([^\w\s])/y);
    if (plain !== null) return literal(plain[1]!, flags);
    const shown = this.pattern.slice(this.at, this.at + 2);
    throw new SyntaxError(
      shown === "\\" ? "trailing backslash at end of expression" : `invalid escape sequence: \`${shown}\``,
    );
  }

  #repeated(of: RegexNode, flags: Flags): RegexNode {
    const found = this.#match(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/y);
    if (found === null) return of;
    const [text, operator, from, comma, to, mark] = found;
    const min = operator === undefined ? Number(from) : operator === "+" ? 1 : 0;
    const max = operator === undefined
      ? comma === undefined ? min : to === "" ? Infinity : Number(to)
      : operator === "?"
      ? 1
      : Infinity;
    if (min > max || min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
      throw new SyntaxError(`invalid repeat count: \`${text}\``);
    }
    if (/^[*+?]/.test(this.pattern.slice(this.at))) {
      throw new SyntaxError(`invalid nested repetition operator: \`${text}${this.pattern[this.at]}\``);
    }
    return { kind: "repeat", of, min, max, lazy: (mark === "?") !== flags.U };
  }
}

const CONTROL: Readonly<Record<string, string>> = { a: "\x07", f: "\f", t: "\t", n: "\n", r: "\r", v: "\v" };

function withFlags(flags: Flags, on: string, off: string): Flags {
  const next = { ...flags };
  for (const flag of on) next[flag as keyof Flags] = true;
  for (const flag of off) next[flag as keyof Flags] = false;
  return next;
}

function literal(char: string, flags: Flags): RegexNode {
  if (flags.i && char.toLowerCase() !== char.toUpperCase()) {
    const codes = new Set([char, char.toLowerCase(), char.toUpperCase()].map((one) => one.codePointAt(0)!));
    return { kind: "char", test: (code) => codes.has(code) };
  }
  const wanted = char.codePointAt(0)!;
  return { kind: "char", test: (code) => code === wanted };
}

function classOf(text: string, flags: Flags, shown: string): RegexNode {
  // RE2 names scripts without a prefix; categories have one or two letters.
  const unicode = text.replace(/\\([pP])\{(\w{3,})\}/g, "\\$1{Script=$2}");
  let expression: RegExp;
  try {
    expression = new RegExp(`^${unicode}$`, flags.i ? "iu" : "u");
  } catch {
    throw new SyntaxError(`invalid character class: \`${shown}\``);
  }
  const known = new Map<number, boolean>();
  return {
    kind: "char",
    test(code) {
      let hit = known.get(code);
      if (hit === undefined) known.set(code, hit = expression.test(String.fromCodePoint(code)));
      return hit;
    },
  };
}
