/** Patterns of others, which must not take for ever. Pure. @module */
import { type FlatPattern, flatPattern } from "./flat_pattern.ts";
import { translatePattern } from "./rust_pattern.ts";

/** What lines are judged by. */
export interface LinePattern {
  test(line: string): boolean;
}

/**
 * A pattern in the syntax of Rust's regex crate. It takes time by the length of the text, whoever wrote it. Its groups do
 * not capture; `flags` is `g` or left out. @throws {SyntaxError} When it is none; the message is only the reason.
 */
export function rustRegExp(pattern: string, flags: "g" | "" = ""): RegExp {
  const { source } = flatten(pattern);
  return linearRegExp(source, flags);
}

/** The same for many lines: what is quick in the usual engine is done by that. @throws {SyntaxError} When it is none. */
export function linePattern(pattern: string): LinePattern {
  const { source, fastChars } = flatten(pattern);
  const [usual, linear] = [new RegExp(source), linearRegExp(source)];
  return { test: (line) => (line.length <= fastChars ? usual : linear).test(line) };
}

function flatten(pattern: string): FlatPattern {
  const translated = translatePattern(pattern);
  const { source, flags } = translated;
  try {
    // JavaScript judges it before it is written out.
    new RegExp(source, flags.includes("v") ? flags : `${flags}u`);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    // Without the runtime's own words around it: `Invalid regular expression: /(/u: Unterminated group`.
    throw new SyntaxError(cause.message.replace(/^Invalid regular expression: \/.*\/\w*: /s, ""), { cause });
  }
  return flatPattern(translated);
}

/**
 * A pattern of somebody else, in V8's engine of linear time. Without flags of its own, lookahead, back references and
 * repetitions of more than 16 times.
 * @throws {SyntaxError} When it is no pattern, or none for that engine.
 */
export function linearRegExp(source: string, flags: "g" | "" = ""): RegExp {
  return new RegExp(source, flags + LINEAR);
}

/** Where the runtime was not told to have the engine, as `RUNTIME_FLAGS` do, the usual one has to do. */
const LINEAR = hasLinear() ? "l" : "";

function hasLinear(): boolean {
  try {
    return new RegExp("", "l").test("");
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
