/**
 * Derivations as they lie in the store: ATerm, `Derive([outputs],[inputs],[sources],"system","builder",[args],[env])`.
 * Pure. Source: Nix 2.8 to 2.36pre, `src/libstore/derivations.cc`.
 * @module
 */

/** An output; its path is empty where it depends on the content, its hash only of those fixed beforehand. */
export interface Output {
  readonly name: string;
  readonly path: string;
  readonly hashAlgorithm: string;
  readonly hash: string;
}

/** What of another derivation is needed. */
export interface Input {
  readonly path: string;
  readonly outputs: readonly string[];
}

/** What is built, from what and how. Lists and variables stand in the order of the file. */
export interface Derivation {
  /** Its own store path. */
  readonly path: string;
  readonly outputs: readonly Output[];
  readonly inputs: readonly Input[];
  /** Store paths that are no outputs. */
  readonly sources: readonly string[];
  readonly system: string;
  readonly builder: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
}

/** Forms that are understood: the plain one, and the one with a version that dynamic derivations have. */
const VERSIONS: ReadonlySet<string> = new Set(["xp-dyn-drv"]);

/**
 * Reads the text of a `.drv` file that lies at `path`.
 * @throws {SyntaxError} When it is none, or is cut off, naming path and offset.
 */
export function parseDerivation(path: string, text: string): Derivation {
  return new Parser(path, text).derivation();
}

class Parser {
  readonly #path: string;
  readonly #text: string;
  #at = 0;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  derivation(): Derivation {
    if (this.#text.startsWith("DrvWithVersion(")) {
      this.#word("DrvWithVersion(");
      const version = this.#string();
      if (!VERSIONS.has(version)) this.#fail(`version "${version}" of the format is not known`);
      this.#word(",");
    } else this.#word("Derive(");
    const outputs = this.#list(() => this.#output());
    this.#word(",");
    const inputs = this.#list(() => this.#input());
    this.#word(",");
    const sources = this.#list(() => this.#string());
    this.#word(",");
    const system = this.#string();
    this.#word(",");
    const builder = this.#string();
    this.#word(",");
    const args = this.#list(() => this.#string());
    this.#word(",");
    const env = new Map(this.#list(() => this.#pair()));
    this.#word(")");
    return { path: this.#path, outputs, inputs, sources, system, builder, args, env };
  }

  #output(): Output {
    this.#word("(");
    const name = this.#string();
    this.#word(",");
    const path = this.#string();
    this.#word(",");
    const hashAlgorithm = this.#string();
    this.#word(",");
    const hash = this.#string();
    this.#word(")");
    return { name, path, hashAlgorithm, hash };
  }

  #input(): Input {
    this.#word("(");
    const path = this.#string();
    this.#word(",");
    const outputs = this.#outputsOf();
    this.#word(")");
    return { path, outputs };
  }

  /** Names of outputs; with dynamic derivations they may have outputs themselves, which count for them. */
  #outputsOf(): string[] {
    if (this.#text[this.#at] === "[") return this.#list(() => this.#string());
    this.#word("(");
    const outputs = this.#list(() => this.#string());
    this.#word(",");
    const further = this.#list(() => {
      this.#word("(");
      const name = this.#string();
      this.#word(",");
      this.#outputsOf();
      this.#word(")");
      return name;
    });
    this.#word(")");
    return [...outputs, ...further];
  }

  #pair(): [string, string] {
    this.#word("(");
    const name = this.#string();
    this.#word(",");
    const value = this.#string();
    this.#word(")");
    return [name, value];
  }

  #list<T>(one: () => T): T[] {
    this.#word("[");
    const all: T[] = [];
    while (this.#text[this.#at] !== "]") {
      if (all.length > 0) this.#word(",");
      all.push(one());
    }
    this.#at++;
    return all;
  }

  #string(): string {
    const text = this.#text;
    if (text[this.#at] !== '"') this.#fail("a string");
    const from = this.#at + 1;
    let end = text.indexOf('"', from);
    const slash = text.indexOf("\\", from);
    if (end >= 0 && (slash < 0 || slash > end)) {
      this.#at = end + 1;
      return text.slice(from, end);
    }
    for (end = from; text[end] !== '"'; end += text[end] === "\\" ? 2 : 1) {
      if (end >= text.length) this.#fail("the end of a string");
    }
    this.#at = end + 1;
    return text.slice(from, end).replaceAll(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) this.#fail(`"${word}"`);
    this.#at += word.length;
  }

  #fail(expected: string): never {
    const found = JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    throw new SyntaxError(
      `Cannot read derivation ${this.#path}: at ${this.#at} ${expected} is expected, found ${found}`,
    );
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
