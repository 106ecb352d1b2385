/** Reads JSON, with comments where they are allowed, and remembers where in the text each part stands. @module */

/** One value and its place in the text, `end` being after it. */
export interface JsonNode {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
  /** Of an object: its members in order. */
  readonly members?: readonly JsonMember[];
}

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly node: JsonNode;
  /** Where the comma after it stands, when there is one. */
  readonly comma?: number;
}

/** Deeper nesting is refused. */
const MAX_DEPTH = 256;

/**
 * Reads a document.
 * @throws {SyntaxError} With line and column of what is wrong.
 */
export function readJsonTree(text: string, options: { comments: boolean }): JsonNode {
  return new Reader(text, options.comments).document();
}

class Reader {
  readonly #text: string;
  readonly #comments: boolean;
  #at: number;

  constructor(text: string, comments: boolean) {
    this.#text = text;
    this.#comments = comments;
    this.#at = text.startsWith("\ufeff") ? 1 : 0;
  }

  document(): JsonNode {
    const node = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("text after the end");
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);
    this.#skip();
    const char = this.#text[this.#at];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    return this.#scalar();
  }

  #object(depth: number): JsonNode {
    const start = this.#at++;
    const members: JsonMember[] = [];
    for (;;) {
      this.#skip();
      if (this.#take("}")) {
        if (members.at(-1)?.comma !== undefined && !this.#comments) this.#fail("a comma before }");
        break;
      }
      if (members.length > 0 && members.at(-1)!.comma === undefined) this.#fail("expected , or }");
      const keyStart = this.#at;
      if (this.#text[keyStart] !== '"') this.#fail('expected a key in "');
      const key = String(this.#scalar().value);
      this.#skip();
      if (!this.#take(":")) this.#fail("expected :");
      const node = this.#value(depth + 1);
      this.#skip();
      const comma = this.#at;
      members.push({ key, keyStart, node, ...(this.#take(",") ? { comma } : {}) });
    }
    const value = Object.fromEntries(members.map(({ key, node }) => [key, node.value]));
    return { start, end: this.#at, value, members };
  }

  #array(depth: number): JsonNode {
    const start = this.#at++;
    const value: unknown[] = [];
    let comma = true;
    for (;;) {
      this.#skip();
      if (this.#take("]")) {
        if (comma && value.length > 0 && !this.#comments) this.#fail("a comma before ]");
        break;
      }
      if (!comma) this.#fail("expected , or ]");
      value.push(this.#value(depth + 1).value);
      this.#skip();
      comma = this.#take(",");
    }
    return { start, end: this.#at, value };
  }

  #scalar(): JsonNode {
    const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y;
    token.lastIndex = this.#at;
    const [raw] = token.exec(this.#text) ?? [];
    if (raw === undefined) {
      this.#fail(this.#at === this.#text.length ? "the text ends here" : "expected a value");
    }
    const start = this.#at;
    try {
      const value: unknown = JSON.parse(raw);
      this.#at += raw.length;
      return { start, end: this.#at, value };
    } catch {
      // JSON.parse tells a place inside the token only.
      return this.#fail(`${raw.slice(0, 40)} is no value`);
    }
  }

  #skip(): void {
    const blank = this.#comments ? /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y : /[ \t\r\n]*/y;
    blank.lastIndex = this.#at;
    this.#at += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    throw new SyntaxError(`line ${before.length}, column ${before.at(-1)!.length + 1}: ${what}`);
  }
}
