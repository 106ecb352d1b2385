/**
 * The terminal of this process: its screen is borrowed and given back on every way out. Shell.
 *
 * While it is held: alternate screen, raw mode, no line wrap, mouse and pasted text reported, kitty's keyboard. It is given back when the
 * object is disposed, on SIGHUP, on an uncaught error and when the process ends by `Deno.exit`; nobody can do so for a
 * SIGKILL.
 * @module
 */
import { type ColourDepth, colourDepth } from "./colour_depth.ts";
import type { TerminalEvent } from "./event.ts";
import { ESCAPE_TIMEOUT_MS, InputParser } from "./input.ts";

const ALTERNATE = ["\x1b[?1049h", "\x1b[?1049l"] as const;
const NO_WRAP = ["\x1b[?7l", "\x1b[?7h"] as const;
const PASTE = ["\x1b[?2004h", "\x1b[?2004l"] as const;
const FOCUS = ["\x1b[?1004h", "\x1b[?1004l"] as const;
/** Presses, releases, drags and the wheel, with numbers as text. */
const MOUSE = ["\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l"] as const;
/** Kitty's keyboard protocol, its first step: Esc is told from sequences. Terminals without it pay no heed. */
const KEYBOARD = ["\x1b[>1u", "\x1b[<u"] as const;
const HIDE_CURSOR = ["\x1b[?25l", "\x1b[?25h"] as const;
const RESET_STYLE = "\x1b[0m";
const ASK_BACKGROUND = "\x1b]11;?\x1b\\";

/** Bytes that are read at a time. */
const READ_BYTES = 16_384;

/** What is seen instead of a terminal that tells no size. */
const FALLBACK_SIZE = { width: 80, height: 24 } as const;

/** What a program that draws needs; tests give their own. */
export interface Screen {
  readonly depth: ColourDepth;
  size(): { readonly width: number; readonly height: number };
  /** Resolves when the terminal has taken all. */
  write(text: string): Promise<void>;
  /** Events until `signal` fires or there is no more input. */
  listen(tell: (event: TerminalEvent) => void, signal: AbortSignal): Promise<void>;
  /** Whether mouse events are reported; without them the terminal's own selection works. */
  mouse(on: boolean): void;
}

/** The terminal on standard input and output. */
export class Terminal implements Screen, Disposable {
  readonly depth: ColourDepth;
  readonly #parser = new InputParser();
  /** `failing`: it is held, but nothing is drawn any more. */
  #state: "free" | "held" | "failing" = "free";
  #mouse = true;
  /** What was given to the terminal last and has not reached it. */
  #writing: Promise<void> | undefined;
  readonly #restore = () => this.#release();
  /** Restores before an uncaught error is told, so that it can be read. */
  readonly #failed = (event: ErrorEvent | PromiseRejectionEvent) => {
    if (this.#writing === undefined) return this.#release();
    // A picture that is on its way would come last: the error is told again when it is there.
    event.preventDefault();
    this.#state = "failing";
    const told = () => {
      this.#release();
      reportError("reason" in event ? event.reason : event.error);
    };
    this.#writing.then(told, told);
  };
  /** Whoever stopped this process has had the terminal meanwhile. */
  readonly #continued = () => {
    if (this.#state !== "held") return;
    this.#state = "free";
    this.#hold();
    this.#resized?.();
  };
  #resized: (() => void) | undefined;

  /** @throws {TypeError} When standard input or output is no terminal. */
  static open(env: Readonly<Record<string, string | undefined>>): Terminal {
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
      throw new TypeError("Cannot draw: standard input and output have to be a terminal");
    }
    return new Terminal(env);
  }

  private constructor(env: Readonly<Record<string, string | undefined>>) {
    this.depth = colourDepth(env, true);
    globalThis.addEventListener("unload", this.#restore);
    globalThis.addEventListener("error", this.#failed);
    globalThis.addEventListener("unhandledrejection", this.#failed);
    Deno.addSignalListener("SIGCONT", this.#continued);
    this.#hold();
    // The kernel's own console would draw the question.
    if (env["TERM"] !== "linux") writeAllSync(ASK_BACKGROUND);
  }

  size(): { readonly width: number; readonly height: number } {
    try {
      const { columns, rows } = Deno.consoleSize();
      return columns > 0 && rows > 0 ? { width: columns, height: rows } : FALLBACK_SIZE;
    } catch (error) {
      if (error instanceof Error) return FALLBACK_SIZE; // A terminal that has gone has no size.
      throw error;
    }
  }

  async write(text: string): Promise<void> {
    if (this.#state !== "held") return;
    // One after the other, whoever writes.
    const before = this.#writing ?? Promise.resolve();
    const writing = before.then(() => writeAll(text), () => writeAll(text));
    this.#writing = writing;
    try {
      await writing;
    } finally {
      if (this.#writing === writing) this.#writing = undefined;
    }
  }

  async listen(tell: (event: TerminalEvent) => void, signal: AbortSignal): Promise<void> {
    const resized = () => tell({ kind: "resize", ...this.size() });
    const hangUp = () => ended.resolve();
    const ended = Promise.withResolvers<void>();
    this.#resized = resized;
    Deno.addSignalListener("SIGWINCH", resized);
    Deno.addSignalListener("SIGHUP", hangUp);
    signal.addEventListener("abort", hangUp);
    if (signal.aborted) hangUp();
    try {
      await Promise.race([this.#read(tell, signal), ended.promise]);
    } finally {
      this.#resized = undefined;
      Deno.removeSignalListener("SIGWINCH", resized);
      Deno.removeSignalListener("SIGHUP", hangUp);
      signal.removeEventListener("abort", hangUp);
    }
  }

  mouse(on: boolean): void {
    this.#mouse = on;
    if (this.#state === "held") writeAllSync(MOUSE[on ? 0 : 1]);
  }

  [Symbol.dispose](): void {
    this.#release();
    Deno.removeSignalListener("SIGCONT", this.#continued);
    globalThis.removeEventListener("unload", this.#restore);
    globalThis.removeEventListener("error", this.#failed);
    globalThis.removeEventListener("unhandledrejection", this.#failed);
  }

  /** A read cannot be called off: the one that waits keeps the process up until `main` ends it. */
  async #read(tell: (event: TerminalEvent) => void, signal: AbortSignal): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => this.#parser.flush().forEach(tell);
    try {
      for (;;) {
        const count = await Deno.stdin.read(buffer);
        clearTimeout(timer);
        if (count === null || signal.aborted) return;
        this.#parser.feed(buffer.subarray(0, count)).forEach(tell);
        if (this.#parser.waiting) timer = setTimeout(flush, ESCAPE_TIMEOUT_MS);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #hold(): void {
    if (this.#state !== "free") return;
    Deno.stdin.setRaw(true);
    this.#state = "held";
    const modes = [ALTERNATE, KEYBOARD, NO_WRAP, HIDE_CURSOR, PASTE, FOCUS, ...this.#mouse ? [MOUSE] : []];
    writeAllSync(modes.map(([on]) => on).join(""));
  }

  #release(): void {
    if (this.#state === "free") return;
    this.#state = "free";
    const modes = [MOUSE, FOCUS, PASTE, HIDE_CURSOR, NO_WRAP, KEYBOARD, ALTERNATE];
    try {
      writeAllSync(RESET_STYLE + modes.map(([, off]) => off).join(""));
      Deno.stdin.setRaw(false);
    } catch (error) {
      if (!(error instanceof Error)) throw error; // The terminal has gone: nobody is left to be given it back.
    }
  }
}

async function writeAll(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

function writeAllSync(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
