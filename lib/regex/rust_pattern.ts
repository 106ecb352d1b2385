/**
 * Regular expressions as Rust's regex crate writes them, in JavaScript's syntax. Pure. What differs: escapes of any
 * punctuation, `\x{…}` and `\U…`, classes such as `[[:alpha:]]` and `[a-z&&[^x]]`, `(?P<name>`, flags in the middle and the
 * verbose mode, the anchors `\A` and `\z`, properties without braces. Source: the crate's documentation, "Syntax", 1.11.
 * @module
 */
import { POSIX_CLASSES } from "./posix_classes.ts";

/** A pattern for `new RegExp`. */
export interface Translated {
  readonly source: string;
  /** Of `i`, `s`, and `v` where the source needs it. */
  readonly flags: string;
}

/** @throws {SyntaxError} On what JavaScript cannot say. */
export function translatePattern(pattern: string): Translated {
  return new Translator(pattern).all();
}

/** What means the same after a backslash. */
const SAME = /^[dDwWsSbBtnrfv]$/;
/** Lines are looked at one by one. */
const ANCHORS: Readonly<Record<string, string>> = {
  A: "^",
  z: "$",
  "<": "\\b(?<!\\w)",
  ">": "\\b(?<=\\w)",
};
const PUNCTUATION = /^[!-/:-@[-`{-~ ]$/;
/** What has to be escaped outside of a class, and in one of the mode `v`. */
const SYNTAX = /^[\^$\\.*+?()[\]{}|/]$/;
const CLASS_SYNTAX = /^[()[\]{}/\-\\|^&!#$%*+,.:;<=>?@`~]$/;
const SPACE = /^\s$/;

class Translator {
  readonly #pattern: string;
  #at = 0;
  #needsSets = false;
  /** Flags in force: `x` is ours to follow, the others JavaScript's. */
  #isVerbose = false;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  all(): Translated {
    const flags = this.#leadingFlags();
    const source = this.#sequence(false);
    return { source, flags: `${flags}${this.#needsSets ? "v" : ""}` };
  }

  /** Flags for the whole pattern. Those of lines and of Unicode make no difference on a line. */
  #leadingFlags(): string {
    let flags = "";
    for (let found = this.#flags(); found !== undefined; found = this.#flags()) flags += found;
    return [...new Set(flags)].join("");
  }

  /** `(?is)` at this place, taken; as JavaScript's. Undefined, and nothing taken, where there is none. */
  #flags(): string | undefined {
    const [all, on] = this.#match(/\(\?([imsuxU]+)\)/y) ?? [];
    if (all === undefined) return undefined;
    if (on!.includes("U")) throw new SyntaxError("the flag U, which swaps greed, is not known here");
    this.#at += all.length;
    if (on!.includes("x")) this.#isVerbose = true;
    return on!.replaceAll(/[^is]/g, "");
  }

  /** Up to the end of the group that it is in. */
  #sequence(isInGroup: boolean): string {
    let source = "";
    /** Groups for flags, which hold up to the end of this one, also over alternatives. */
    let opened = "";
    let closing = "";
    const wasVerbose = this.#isVerbose;
    while (this.#at < this.#pattern.length) {
      if (this.#pattern[this.#at] === ")" && isInGroup) break;
      const flags = this.#flags();
      if (flags === undefined) {
        const item = this.#item();
        source += item === "|" ? `${closing}|${opened}` : item;
      } else if (flags !== "") {
        source += `(?${flags}:`;
        opened += `(?${flags}:`;
        closing += ")";
      }
    }
    this.#isVerbose = wasVerbose;
    return source + closing;
  }

  #item(): string {
    const [char] = this.#match(/[^]/uy)!;
    switch (char) {
      case "\\":
        return this.#escape(false);
      case "[":
        return this.#class();
      case "(":
        return this.#group();
    }
    this.#at += char.length;
    if (!this.#isVerbose) return char;
    if (SPACE.test(char)) return "";
    if (char !== "#") return char;
    this.#at += this.#match(/[^\n]*/y)![0].length;
    return "";
  }

  #group(): string {
    if (this.#match(/\(\?<?[=!]/y) !== null) throw new SyntaxError("look-around is not supported");
    const [opening] = this.#match(/\((?:\?(?:P?<[^=!>][^>]*>|[imsux]*(?:-[imsux]+)?:))?/y)!;
    this.#at += opening.length;
    const inner = this.#sequence(true);
    const closing = this.#pattern[this.#at] === ")" ? ")" : "";
    this.#at += closing.length;
    return openingOf(opening) + inner + closing;
  }

  /** A class and those in it. JavaScript has sets of classes in a mode of its own. */
  #class(): string {
    const start = this.#at;
    const plain = this.#simpleClass();
    if (plain !== undefined) return plain;
    this.#at = start;
    this.#needsSets = true;
    return this.#setClass();
  }

  /** Without classes in it but those of POSIX_CLASSES; undefined when it is none. */
  #simpleClass(): string | undefined {
    let source = this.#match(/\[\^?/y)![0];
    this.#at += source.length;
    // A bracket in front is meant as such.
    for (let isFirst = true;; isFirst = false) {
      const posix = this.#match(/\[:(\^?)(\w+):\]/y);
      if (posix !== null && posix[2]! in POSIX_CLASSES) {
        if (posix[1] === "^") return undefined;
        source += POSIX_CLASSES[posix[2]!];
        this.#at += posix[0].length;
        continue;
      }
      if (this.#match(/&&|--|~~/y) !== null) return undefined;
      const [char] = this.#match(/[^]/uy) ?? [];
      if (char === undefined) throw new SyntaxError("Unterminated character class");
      if (char === "[") return undefined;
      if (char === "\\") {
        source += this.#escape(true);
        continue;
      }
      this.#at += char.length;
      if (char === "]" && !isFirst) return `${source}]`;
      if (!(this.#isVerbose && SPACE.test(char))) source += char === "]" ? "\\]" : char;
    }
  }

  /** JavaScript wants operands of sets as classes, and one kind of operator in each. */
  #setClass(): string {
    const [opening] = this.#match(/\[\^?/y)!;
    this.#at += opening.length;
    let left: string | undefined;
    for (let isFirst = true;; isFirst = false) {
      const operand = this.#setOperand(isFirst);
      left = left === undefined ? operand : `${left}[${operand}]`;
      const [operator] = this.#match(/&&|--|~~|\]/y) ?? [];
      if (operator === undefined) throw new SyntaxError("Unterminated character class");
      if (operator === "~~") throw new SyntaxError("symmetric differences of classes are not known here");
      this.#at += operator.length;
      if (operator === "]") return `${opening}${left}]`;
      left = `[${left}]${operator}`;
    }
  }

  /** Up to an operator or the end of the class. */
  #setOperand(isFirst: boolean): string {
    let source = "";
    while (this.#match(/&&|--|~~/y) === null && (source === "" && isFirst || this.#match(/\]/y) === null)) {
      const posix = this.#match(/\[:(\^?)(\w+):\]/y);
      const [char] = this.#match(/[^]/uy) ?? [];
      if (char === undefined) break;
      if (posix !== null && posix[2]! in POSIX_CLASSES) {
        source += `[${posix[1]}${POSIX_CLASSES[posix[2]!]}]`;
        this.#at += posix[0].length;
      } else if (char === "[") source += this.#setClass();
      else if (char === "\\") source += this.#escape(true);
      else {
        this.#at += char.length;
        source += char !== "-" && CLASS_SYNTAX.test(char) ? `\\${char}` : char;
      }
    }
    return source;
  }

  /** What follows a backslash. */
  #escape(isInClass: boolean): string {
    const code = this.#match(
      /\\(?:x\{([0-9A-Fa-f]+)\}|u\{([0-9A-Fa-f]+)\}|U([0-9A-Fa-f]{8})|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))/y,
    );
    if (code !== null) {
      this.#at += code[0].length;
      return this.#character(parseInt(code.slice(1).find((digits) => digits !== undefined)!, 16));
    }
    const property = this.#match(/\\([pP])(?:\{([^}]*)\}|(\w))/y);
    if (property !== null) {
      this.#at += property[0].length;
      return this.#property(property);
    }
    const [all, char] = this.#match(/\\([^])/uy) ?? [];
    if (all === undefined) throw new SyntaxError("\\ at end of pattern");
    this.#at += all.length;
    const anchor = isInClass ? undefined : ANCHORS[char!];
    if (anchor !== undefined) return anchor;
    if (/[1-9k]/.test(char!)) throw new SyntaxError("backreferences are not supported");
    if (char === "a") return "\\x07";
    if (SAME.test(char!) || !PUNCTUATION.test(char!)) return all;
    return (isInClass ? CLASS_SYNTAX : SYNTAX).test(char!) ? all : char!;
  }

  #character(code: number): string {
    if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
    this.#needsSets = true;
    return `\\u{${code.toString(16)}}`;
  }

  /** `\pL` and `\p{Greek}`. */
  #property([, kind, long, short]: RegExpExecArray): string {
    this.#needsSets = true;
    const name = long ?? short!;
    const known = [name, `Script=${name}`].find((each) => isPattern(`\\p{${each}}`)) ?? name;
    return `\\${kind}{${known}}`;
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#pattern);
  }
}

/** In JavaScript, where lines and Unicode have no flags in groups. */
function openingOf(opening: string): string {
  const [, on, off] = /^\(\?([a-z]*)(?:-([a-z]+))?:$/.exec(opening) ?? [];
  if (on === undefined) return opening.replace("(?P<", "(?<");
  const keep = (flags = "") => flags.replaceAll(/[^is]/g, "");
  return keep(off) === "" ? `(?${keep(on)}:` : `(?${keep(on)}-${keep(off)}:`;
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "v") !== undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
