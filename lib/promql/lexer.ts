/** Turns PromQL text into tokens with their positions. @module */
import { ParseError } from "./error.ts";
import { readString } from "./_string.ts";

/** What a token is; operators and punctuation are their own kind. */
export type TokenKind =
  | "number"
  | "duration"
  | "string"
  | "identifier"
  /** A name with a colon, which only a metric can have. */
  | "metric"
  | "operator"
  | "eof";

/** One token. For `string`, `text` is its value; for all others, as it was written. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A query longer than this is refused before it is read. */
export const MAX_QUERY_CHARS = 1_000_000;

const SPACE = /[ \t\r\n]*(?:#[^\n]*[ \t\r\n]*)*/y;
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y;
/** Units in falling order, each at most once, as Prometheus has it. */
const DURATION = /(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?/iy;
const HEX = /0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*/y;
const DECIMAL = /(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const OPERATOR = /==|!=|=~|!~|>=|<=|<\/|>\/|[-+*/%^=<>(){}[\],:@]/y;

/** All tokens of a query; the last is `eof`. @throws {ParseError} On a character or string that fits nothing. */
export function tokenize(query: string): Token[] {
  if (query.length > MAX_QUERY_CHARS) {
    throw new ParseError(
      query,
      0,
      `query has ${query.length} characters, at most ${MAX_QUERY_CHARS} are read`,
    );
  }
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(SPACE, query, at)?.length ?? 0;
    if (at >= query.length) break;
    const token = next(query, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "eof", text: "", start: query.length, end: query.length });
  return tokens;
}

function next(query: string, start: number): Token {
  const first = query[start]!;
  const token = (kind: TokenKind, text: string): Token => ({ kind, text, start, end: start + text.length });
  if (first === '"' || first === "'" || first === "`") {
    const { value, end } = readString(query, start);
    return { kind: "string", text: value, start, end };
  }
  if (first >= "0" && first <= "9" || first === "." && /\d/.test(query[start + 1] ?? "")) {
    return token(...number(query, start));
  }
  // A lone colon separates range and step of a subquery.
  const name = first === ":" ? undefined : matchAt(NAME, query, start);
  if (name !== undefined) return token(name.includes(":") ? "metric" : "identifier", name);
  const colonName = first === ":" && /[A-Za-z_]/.test(query[start + 1] ?? "") && !insideBrackets(query, start)
    ? matchAt(NAME, query, start)
    : undefined;
  if (colonName !== undefined) return token("metric", colonName);
  const operator = matchAt(OPERATOR, query, start);
  if (operator !== undefined) return token("operator", operator);
  if (first === "!") {
    const after = query[start + 1];
    throw new ParseError(
      query,
      start,
      after === undefined
        ? `unexpected end of input after '!'`
        : `unexpected character after '!': ${quoteChar(after)}`,
    );
  }
  throw new ParseError(query, start, `unexpected character: ${quoteChar(first)}`);
}

function number(query: string, start: number): ["number" | "duration", string] {
  const hex = matchAt(HEX, query, start);
  const duration = matchAt(DURATION, query, start);
  const decimal = matchAt(DECIMAL, query, start);
  const text = hex ?? (duration ? duration : decimal!);
  const after = query[start + text.length];
  if (after !== undefined && /[A-Za-z0-9_]/.test(after)) {
    const rest = /[\w.]*/y;
    rest.lastIndex = start;
    throw new ParseError(query, start, `bad number or duration syntax: "${rest.exec(query)?.[0]}"`);
  }
  return [duration && hex === undefined ? "duration" : "number", text];
}

/** Whether an unclosed `[` precedes: there a colon is no part of a name. */
function insideBrackets(query: string, at: number): boolean {
  return query.lastIndexOf("[", at) > query.lastIndexOf("]", at);
}

function quoteChar(char: string): string {
  return `'${char}'`;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  return found === "" ? undefined : found;
}
