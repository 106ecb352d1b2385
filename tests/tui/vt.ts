/** A terminal for tests: it takes the bytes that a renderer writes and keeps what a person would see. */
import { clusters } from "../../lib/tui/mod.ts";

/** What is seen. */
export class Vt {
  readonly width: number;
  readonly height: number;
  readonly cells: string[];
  readonly styles: string[];
  cursor: { x: number; y: number } | undefined;
  #x = 0;
  #y = 0;
  #style = "";

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.cells = Array.from({ length: width * height }, () => "?");
    this.styles = Array.from({ length: width * height }, () => "?");
  }

  /** Takes text. @throws {Error} On a sequence or a control that a renderer has no business to send. */
  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|[^\x1b]+|\x1b/g)) {
      if (token.startsWith("\x1b")) this.#sequence(token);
      else this.#text(token);
    }
  }

  rowText(y: number): string {
    return this.cells.slice(y * this.width, (y + 1) * this.width).join("").trimEnd();
  }

  #sequence(token: string): void {
    const final = token.at(-1)!;
    const parameters = token.slice(2, -1);
    if (token === "\x1b[?2026h" || token === "\x1b[?2026l") return;
    if (token === "\x1b[?25l") this.cursor = undefined;
    else if (token === "\x1b[?25h") this.cursor = { x: this.#x, y: this.#y };
    else if (final === "H") {
      [this.#y, this.#x] = parameters.split(";").map((part) => Number(part) - 1) as [number, number];
    } else if (final === "m") this.#style = parameters === "0" ? "" : parameters;
    else if (token === "\x1b[2J") {
      this.cells.fill(" ");
      this.styles.fill("");
    } else if (token === "\x1b[K") {
      for (let x = this.#x; x < this.width; x++) this.#put(x, " ", "");
    } else throw new Error(`unexpected sequence ${JSON.stringify(token)}`);
  }

  #text(text: string): void {
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f-\x9f]/.test(text)) throw new Error(`a control in ${JSON.stringify(text)}`);
    for (const { text: char, width } of clusters(text)) {
      if (this.#x + width > this.width) throw new Error(`"${char}" in column ${this.#x} of ${this.width}`);
      this.#put(this.#x, char, this.#style);
      if (width === 2) this.#put(this.#x + 1, "", this.#style);
      this.#x += width;
    }
  }

  #put(x: number, char: string, style: string): void {
    const at = this.#y * this.width + x;
    this.cells[at] = char;
    this.styles[at] = style;
  }
}

/** A source of chance with a seed: xorshift32. */
export function chance(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The seed of this run: `SEED` of the environment, else a new one; it is printed. */
export function seedOf(name: string): number {
  const seed = Number(Deno.env.get("SEED") ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: SEED=${seed}`);
  return seed;
}
