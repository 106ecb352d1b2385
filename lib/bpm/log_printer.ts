/** Lines of logs for people and for programs: chosen by a pattern, with lines around, named and coloured. Pure. @module */
import type { LocalLine } from "./local_logs.ts";

/** How lines are shown. */
export interface LogStyle {
  /** `json`: one object a line. */
  readonly form: "text" | "json";
  /** Colours, and matches marked by them. */
  readonly colour: boolean;
  /** Says which process each line is of. */
  readonly named: boolean;
  /** Says when, in local time. */
  readonly timed: boolean;
}

/** Which lines are shown. */
export interface LineChoice {
  readonly pattern?: RegExp | undefined;
  /** Lines of the same process before and after each match. */
  readonly context: number;
}

const MATCH_MARK = " * ";
const CONTEXT_MARK = "   ";
/** Cyan, yellow, green, magenta, blue, and their brighter forms. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
const [RED, DIM, BOLD_RED] = ["\x1b[31m", "\x1b[2m", "\x1b[1;31m"];
const RESET = "\x1b[0m";

/** What of a stream of lines is shown, and how. */
export class LogPrinter {
  readonly #style: LogStyle;
  readonly #choice: LineChoice;
  readonly #processes = new Map<string, { readonly colour: number; before: LocalLine[]; after: number }>();

  constructor(style: LogStyle, choice: LineChoice) {
    this.#style = style;
    this.#choice = choice;
  }

  /** The lines that are shown now that this one has come, without their ends. */
  take(line: LocalLine): string[] {
    const { pattern, context } = this.#choice;
    if (pattern === undefined) return [this.#shown(line, "")];
    const process = this.#processOf(line);
    const [match, around] = context > 0 ? [MATCH_MARK, CONTEXT_MARK] : ["", ""];
    if (pattern.test(line.text)) {
      const before = process.before.splice(0).map((each) => this.#shown(each, around));
      process.after = context;
      return [...before, this.#shown(line, match)];
    }
    if (process.after > 0) {
      process.after--;
      return [this.#shown(line, around)];
    }
    process.before.push(line);
    if (process.before.length > context) process.before.shift();
    return [];
  }

  #shown(line: LocalLine, mark: string): string {
    const { form, colour, named, timed } = this.#style;
    if (form === "json") return JSON.stringify(line);
    const { process, timeMs, stream, text, of } = line;
    const time = timed ? paint(clock(timeMs), DIM, colour) : "";
    const name = named
      ? paint(`[${of === "build" ? `${process} build` : process}]`, this.#colourOf(line), colour)
      : "";
    const parts = [time, name].filter((part) => part !== "").map((part) => `${part} `).join("");
    // As upstream: builds write nearly all to standard error.
    return `${parts}${mark}${this.#body(of === "build" && stream === "stderr" ? "stdout" : stream, text)}`;
  }

  #body(stream: LocalLine["stream"], text: string): string {
    const { colour } = this.#style;
    if (stream === "bpm") return paint(`[bpm] ${text}`, DIM, colour);
    const { pattern } = this.#choice;
    // What has colours of its own keeps them.
    const marked = colour && pattern !== undefined && !text.includes("\x1b")
      ? text.replace(pattern, (found) => `${BOLD_RED}${found}${RESET}`)
      : text;
    return stream === "stderr" ? `${paint("[stderr]", RED, colour)} ${marked}` : marked;
  }

  #processOf({ process }: LocalLine) {
    let known = this.#processes.get(process);
    if (known === undefined) {
      known = { colour: COLOURS[this.#processes.size % COLOURS.length]!, before: [], after: 0 };
      this.#processes.set(process, known);
    }
    return known;
  }

  #colourOf(line: LocalLine): string {
    return `\x1b[${this.#processOf(line).colour}m`;
  }
}

function paint(text: string, style: string, colour: boolean): string {
  return colour ? `${style}${text}${RESET}` : text;
}

/** `14:03:59.120`. */
function clock(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}
