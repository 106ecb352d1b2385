/** What a program has made of a terminal, and how that is undone when the terminal is taken from it. Pure. @module */

/** Private modes that outlast whoever set them, with what they are by default (DEC, xterm "ctlseqs"). */
const DEFAULTS: ReadonlyMap<string, "h" | "l"> = new Map([
  ["1", "l"], // cursor keys of applications
  ["7", "h"], // line wrap
  ["25", "h"], // cursor shown
  ["1000", "l"], // mouse: presses
  ["1002", "l"], // mouse: drags
  ["1003", "l"], // mouse: all
  ["1004", "l"], // focus
  ["1006", "l"], // mouse: numbers as text
  ["1049", "l"], // alternate screen
  ["2004", "l"], // pasted text
]);
/** The longest sequence that may be cut in two. */
const SEQUENCE_CHARS = 32;
const RESET_STYLE = "\x1b[0m";

/** Watches what is written to a terminal. */
export class TerminalModes {
  readonly #now = new Map<string, string>();
  #rest = "";

  take(bytes: Uint8Array<ArrayBuffer>): void {
    // Bytes as characters: only those of ASCII count.
    const text = this.#rest + new TextDecoder("latin1").decode(bytes);
    // deno-lint-ignore no-control-regex
    for (const [, modes, set] of text.matchAll(/\x1b\[\?([\d;]+)([hl])/g)) {
      for (const mode of modes!.split(";")) if (DEFAULTS.has(mode)) this.#now.set(mode, set!);
    }
    const escape = text.lastIndexOf("\x1b", text.length);
    this.#rest = escape >= 0 && text.length - escape < SEQUENCE_CHARS ? text.slice(escape) : "";
  }

  /** What gives the terminal back as it was. */
  undo(): string {
    const changed = [...this.#now].filter(([mode, set]) => DEFAULTS.get(mode) !== set);
    return RESET_STYLE + changed.map(([mode]) => `\x1b[?${mode}${DEFAULTS.get(mode)}`).join("");
  }
}
