/** String literals: Go's escapes between quotes, nothing escaped between backticks. @module */
import { ParseError } from "./error.ts";

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** Reads the literal that begins at `start`. Returns its value and the position behind it. */
export function readString(query: string, start: number): { value: string; end: number } {
  const quote = query[start]!;
  if (quote === "`") {
    const close = query.indexOf("`", start + 1);
    if (close < 0) throw new ParseError(query, start, "unterminated raw string");
    return { value: query.slice(start + 1, close), end: close + 1 };
  }
  // Bytes of `\xNN` and octal escapes may make up one UTF-8 character, so the value is gathered as bytes.
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  let at = start + 1;
  for (;;) {
    const char = String.fromCodePoint(query.codePointAt(at) ?? 0);
    if (at >= query.length || char === "\n") {
      throw new ParseError(query, start, `unterminated quoted string`);
    }
    if (char === quote) break;
    if (char !== "\\") {
      bytes.push(...encoder.encode(char));
      at += char.length;
      continue;
    }
    const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/y;
    escape.lastIndex = at;
    const found = escape.exec(query);
    const [text, hex, short, long, octal, simple] = found ?? [""];
    if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else if (octal !== undefined && parseInt(octal, 8) < 256) bytes.push(parseInt(octal, 8));
    else if (short !== undefined || long !== undefined) {
      const code = parseInt(short ?? long!, 16);
      if (code > 0x10ffff) {
        throw new ParseError(query, at, "escape sequence is an invalid Unicode code point");
      }
      bytes.push(...encoder.encode(String.fromCodePoint(code)));
    } else if (simple !== undefined && simple in SIMPLE && !(simple !== quote && /['"]/.test(simple))) {
      bytes.push(...encoder.encode(SIMPLE[simple]!));
    } else {throw new ParseError(
        query,
        at,
        `unknown escape sequence ${JSON.stringify(query.slice(at, at + 2))}`,
      );}
    at += text.length;
  }
  return { value: new TextDecoder().decode(Uint8Array.from(bytes)), end: at + 1 };
}

/** The literal that reads back as `value`. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}
