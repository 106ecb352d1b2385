/** On a terminal: the log goes on above, what is done now stands below. Pure. @module */
import type { DurationsOf, Job } from "../../nix/mod.ts";
import { ansiSpans, type ColourDepth } from "../../tui/mod.ts";
import type { Update, World } from "../world.ts";
import { type Line, lineText } from "./_text.ts";
import { LiveArea } from "./area.ts";
import { type End, endingLines } from "./ending.ts";
import { inlineLines } from "./frame.ts";
import { errorIn, isWorthTelling, logLine, messageLines } from "./told.ts";
import { isBusy } from "./figures.ts";
import { LineJoiner } from "./line_joiner.ts";
import { LongErrors } from "./long_errors.ts";
import { Seen } from "./seen.ts";
import type { Moment, View } from "./view.ts";

/** How a terminal is used. */
export interface TerminalViewOptions {
  readonly depth: ColourDepth;
  /** Exactly so many lines below the log. */
  readonly lines?: number | undefined;
  /** Lines of builds' logs in a window; without it all of them are printed above. */
  readonly logLines?: number | undefined;
  readonly averageOf?: DurationsOf | undefined;
  readonly clockText?: ((ms: number) => string) | undefined;
  /** How long the last picture stays when nothing goes on any more: between two steps of Nix it need not jump. */
  readonly lingerMs?: number | undefined;
}

/** Long enough for what Nix does between two steps, and hardly seen. */
export const PICTURE_LINGER_MS = 300;

/** Lines of a failed build's log that are shown at the end, at least; more on a high terminal. */
const TAIL_LINES = 10;

export class TerminalView implements View {
  readonly #world: World;
  readonly #options: TerminalViewOptions;
  readonly #area: LiveArea;
  readonly #joiner = new LineJoiner();
  readonly #window: Line[] = [];
  readonly #told = new Seen();
  /** Those that the command has written itself. */
  readonly #errors = new Seen();
  readonly #longErrors = new LongErrors();
  #above = "";
  #frame: readonly Line[] = [];
  #idleSinceMs: number | undefined;
  /** The cursor stands behind text of the command that has no newline. */
  #isWithinLine = false;

  constructor(world: World, options: TerminalViewOptions) {
    this.#world = world;
    this.#options = options;
    this.#area = new LiveArea(options.depth);
  }

  get pendingLength(): number {
    return this.#above.length;
  }

  line({ name }: Job, text: string): void {
    const { logLines } = this.#options;
    const line = logLine(name, text);
    if (logLines === undefined) return this.#print(line);
    this.#window.push(line);
    if (this.#window.length > logLines) this.#window.shift();
  }

  message(text: string, level: number): void {
    this.#longErrors.add(text);
    if (!isWorthTelling(text, level) || this.#told.has(text)) return;
    // A trace is meant each time.
    if (!text.startsWith("trace:")) this.#told.add(text);
    for (const line of messageLines(text)) this.#print(line);
  }

  text(bytes: Uint8Array): void {
    for (const line of this.#joiner.take(bytes)) {
      const error = errorIn(line);
      if (error !== undefined) this.#errors.add(error);
      this.#above += `${line}${line.includes("\x1b") ? "\x1b[0m" : ""}\n`;
    }
  }

  output(bytes: Uint8Array): void {
    this.text(bytes);
  }

  show(_update: Update | undefined, moment: Moment): string {
    if (!isBusy(this.#world) && !this.#lingers(moment.nowMs)) return this.#leave(moment.width);
    const partial = this.#joiner.rest;
    if (isBusy(this.#world)) this.#frame = this.#picture(moment);
    return this.#draw(partial === "" ? this.#frame : [ansiSpans(partial), ...this.#frame], moment.width);
  }

  get isLingering(): boolean {
    return this.#idleSinceMs !== undefined && !this.#area.isEmpty;
  }

  #lingers(nowMs: number): boolean {
    if (this.#area.isEmpty) return false;
    this.#idleSinceMs ??= nowMs;
    return nowMs - this.#idleSinceMs < (this.#options.lingerMs ?? 0);
  }

  #picture(moment: Moment): Line[] {
    this.#idleSinceMs = undefined;
    const { lines, logLines = 0, averageOf, clockText } = this.#options;
    return inlineLines(this.#world, {
      ...moment,
      lines,
      log: this.#window,
      windowLines: logLines,
      ...(averageOf === undefined ? {} : { averageOf }),
      ...(clockText === undefined ? {} : { clockText }),
    });
  }

  end(end: End, { nowMs, width, height }: Moment): string {
    const { clockText, depth } = this.#options;
    const lines = endingLines(this.#world, {
      width,
      nowMs,
      end,
      told: this.#errors,
      whole: (text) => this.#longErrors.whole(text),
      tailLines: Math.max(TAIL_LINES, height >> 1),
      ...(clockText === undefined ? {} : { clockText }),
    });
    const left = this.#leave(width);
    const begin = this.#isWithinLine && lines.length > 0 ? freshLine(width) : "";
    return left + begin + lines.map((line) => `${lineText(line, depth)}\n`).join("");
  }

  forget(): void {
    this.#area.forget();
  }

  #print(line: Line): void {
    this.#above += `${lineText(line, this.#options.depth)}\n`;
  }

  /** Whatever the command writes now is between it and the terminal: it may be a program that asks something. */
  #leave(width: number): string {
    const partial = this.#joiner.drain();
    if (this.#area.isEmpty && this.#above === "" && partial === "") return "";
    const erased = this.#area.isEmpty ? this.#take() : this.#draw([], width);
    if (erased !== "" || partial !== "") this.#isWithinLine = partial !== "";
    return erased + partial;
  }

  #draw(lines: readonly Line[], width: number): string {
    const begin = this.#isWithinLine ? freshLine(width) : "";
    this.#isWithinLine = false;
    return begin + this.#area.draw(this.#take(), lines, width);
  }

  #take(): string {
    const above = this.#above;
    this.#above = "";
    return above;
  }
}

/**
 * To the begin of the next line, unless the cursor is at the begin of one: who was asked may have answered meanwhile,
 * which nobody tells us. The blanks wrap where something stands before them.
 */
function freshLine(width: number): string {
  return `${" ".repeat(width - 1)}\r`;
}
