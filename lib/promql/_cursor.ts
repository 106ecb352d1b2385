/** The parser's place in the tokens, and how it complains. @module */
import { ParseError } from "./error.ts";
import { type Token, tokenize } from "./lexer.ts";

/** Expressions nested deeper than this are refused before the stack ends. */
export const MAX_DEPTH = 500;

const WORDS: Readonly<Record<string, string>> = {
  "(": `left parenthesis '('`,
  ")": `right parenthesis ')'`,
  "{": `left brace '{'`,
  "}": `right brace '}'`,
  "[": `left bracket '['`,
  "]": `right bracket ']'`,
  ",": `comma ','`,
  ":": `colon ':'`,
  "=": `equals '='`,
  "@": `<op:@>`,
};

/** Tokens with a position. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(readonly query: string) {
    this.#tokens = tokenize(query);
  }

  get token(): Token {
    return this.#tokens[this.#index]!;
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#index + 1, this.#tokens.length - 1)]!;
  }

  /** Where the last token taken ends. */
  get lastEnd(): number {
    return this.#index === 0 ? 0 : this.#tokens[this.#index - 1]!.end;
  }

  take(): Token {
    const { token } = this;
    if (token.kind !== "eof") this.#index++;
    return token;
  }

  /** Whether the next token is this operator. */
  at(operator: string): boolean {
    return this.token.kind === "operator" && this.token.text === operator;
  }

  /** The next token in lower case if it is an identifier: keywords ignore case. */
  get keyword(): string | undefined {
    return this.token.kind === "identifier" ? this.token.text.toLowerCase() : undefined;
  }

  /** Takes the operator or keyword if it is next. */
  accept(text: string): boolean {
    const found = this.at(text) || this.keyword === text;
    if (found) this.#index++;
    return found;
  }

  /** Takes the operator that must come. */
  expect(operator: string, context: string): Token {
    if (!this.at(operator)) this.unexpected(context, JSON.stringify(operator));
    return this.take();
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.fail(`expression is nested deeper than ${MAX_DEPTH} levels`);
    const value = parse();
    this.#depth--;
    return value;
  }

  /** Fails at the next token: it is not what the grammar has here. */
  unexpected(context?: string, expected?: string): never {
    const where = context === undefined ? "" : ` in ${context}`;
    const wanted = expected === undefined ? "" : `, expected ${expected}`;
    this.fail(`unexpected ${describe(this.token)}${where}${wanted}`);
  }

  fail(problem: string, offset: number = this.token.start): never {
    throw new ParseError(this.query, offset, problem);
  }
}

const KEYWORDS = new Set(
  ("by without on ignoring group_left group_right bool offset smoothed anchored " +
    "fill fill_left fill_right").split(" "),
);
const WORD_OPERATORS = new Set(["and", "or", "unless", "atan2"]);

function describe(token: Token): string {
  switch (token.kind) {
    case "eof":
      return "end of input";
    case "identifier": {
      const word = token.text.toLowerCase();
      if (WORD_OPERATORS.has(word)) return `<op:${word}>`;
      return KEYWORDS.has(word) ? `<${word}>` : `identifier "${token.text}"`;
    }
    case "metric":
      return `metric identifier "${token.text}"`;
    case "operator":
      return WORDS[token.text] ?? `<op:${token.text}>`;
    default:
      return `${token.kind} ${JSON.stringify(token.text)}`;
  }
}
