/**
 * Log lines on standard error: text for people, JSON for machines, journal levels under systemd.
 *
 * A line has a level, a message and fields. Values of type `Secret` never appear. A line that repeats within a second
 * is held back and counted.
 * @module
 */

/** From loudest need to finest detail, as `RUST_LOG` and the originals spell them. */
export const LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
export type Level = typeof LEVELS[number];

/** A value that must not be shown: a token, a password. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }
}

/** Values beside the message. */
export type Fields = Readonly<Record<string, unknown>>;

/** How lines look. `journal` is text with systemd's `<N>` level prefix and no time of its own. */
export type Format = "text" | "json" | "journal";

/** Settings of a log. */
export interface LogOptions {
  readonly level: Level;
  readonly format: Format;
  /** Takes finished lines, each ended by a newline. */
  readonly write: (line: string) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly colour: boolean;
}

/** A line that repeats is told once a period, with the number held back. */
export const REPEAT_MS = 1_000;

/** At most so many different lines are remembered for repetition; beyond, the oldest is told with what it held. */
const REMEMBERED = 256;

/** A line that was told, and how often it was held back since. */
interface Recent {
  readonly at: number;
  held: number;
  /** The line as it is told with a number of repetitions. */
  tell(held: number): string;
}

/** Writes lines. */
export class Log {
  readonly #options: LogOptions;
  readonly #scope: Fields;
  readonly #recent: Map<string, Recent>;

  constructor(
    options: LogOptions,
    scope: Fields = {},
    recent = new Map<string, Recent>(),
  ) {
    this.#options = options;
    this.#scope = scope;
    this.#recent = recent;
  }

  /** A log whose lines carry more fields. */
  with(fields: Fields): Log {
    return new Log(this.#options, { ...this.#scope, ...fields }, this.#recent);
  }

  error(message: string, fields?: Fields): void {
    this.#line("error", message, fields);
  }
  warn(message: string, fields?: Fields): void {
    this.#line("warn", message, fields);
  }
  info(message: string, fields?: Fields): void {
    this.#line("info", message, fields);
  }
  debug(message: string, fields?: Fields): void {
    this.#line("debug", message, fields);
  }
  trace(message: string, fields?: Fields): void {
    this.#line("trace", message, fields);
  }

  #line(level: Level, message: string, fields: Fields = {}): void {
    const { now, format, write, colour } = this.#options;
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.#options.level)) return;
    const all = { ...this.#scope, ...fields };
    const at = now();
    const key = `${level} ${message} ${Object.values(all).join(" ")}`;
    const before = this.#recent.get(key);
    if (before !== undefined && at - before.at < REPEAT_MS) {
      before.held++;
      return;
    }
    const tell = (count: number) => {
      const repeated = count > 0 ? { repeated: count } : {};
      return FORMATS[format](level, message, { ...all, ...repeated }, at, colour);
    };
    write(tell(before?.held ?? 0));
    this.#recent.delete(key);
    this.#recent.set(key, { at, held: 0, tell });
    if (this.#recent.size > REMEMBERED) {
      const [oldest, { held, tell }] = this.#recent.entries().next().value!;
      this.#recent.delete(oldest);
      if (held > 0) write(tell(held));
    }
  }
}

const SYSLOG: Record<Level, number> = { error: 3, warn: 4, info: 6, debug: 7, trace: 7 };
const COLOUR: Record<Level, string> = { error: "31", warn: "33", info: "32", debug: "34", trace: "35" };

const FORMATS: Record<
  Format,
  (level: Level, message: string, fields: Fields, at: number, colour: boolean) => string
> = {
  text(level, message, fields, at, colour) {
    const word = level.toUpperCase().padEnd(5);
    const shown = colour ? `\x1b[${COLOUR[level]}m${word}\x1b[0m` : word;
    return `${new Date(at).toISOString()} ${shown} ${oneLine(message)}${fieldText(fields)}\n`;
  },
  json(level, message, fields, at) {
    const plain = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, jsonValue(value)]));
    return `${JSON.stringify({ time: new Date(at).toISOString(), level, message, ...plain })}\n`;
  },
  journal(level, message, fields) {
    return `<${SYSLOG[level]}>${oneLine(message)}${fieldText(fields)}\n`;
  },
};

function fieldText(fields: Fields): string {
  return Object.entries(fields).map(([name, value]) => ` ${name}=${oneLine(fieldValue(value))}`).join("");
}

function fieldValue(value: unknown): string {
  const text = value instanceof Error
    ? value.message
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? String(value) : value;
}

/** Control characters would let what is logged write lines of its own or move a terminal's cursor. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "").replaceAll("\n", " | ");
}

/** @throws {Error} Naming the file. */
function openLog(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { append: true, create: true, mode: 0o640 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot write the log to ${path}: ${why}`, { cause });
  }
}

/**
 * The log of a process: standard error, level of `level`, else of `HOSTKIT_LOG` or `RUST_LOG`, else `info`. With `file`
 * lines are put behind those that it has.
 * @throws {Error} When the file cannot be opened.
 */
export function processLog(
  { level: told, json, file }: {
    readonly level?: string;
    readonly json?: boolean;
    readonly file?: string | undefined;
  } = {},
): Log {
  const wanted = told ?? Deno.env.get("HOSTKIT_LOG") ?? Deno.env.get("RUST_LOG") ?? "info";
  const level = LEVELS.find((each) => each === wanted.toLowerCase());
  // Open as long as the process runs.
  const output = file === undefined ? Deno.stderr : openLog(file);
  const terminal = file === undefined && Deno.stderr.isTerminal();
  const journal = file === undefined && !terminal && Deno.env.get("JOURNAL_STREAM") !== undefined;
  const bytes = new TextEncoder();
  const log = new Log({
    level: level ?? "info",
    format: json === true ? "json" : journal ? "journal" : "text",
    colour: terminal && Deno.env.get("NO_COLOR") === undefined,
    now: Date.now,
    write(line) {
      const data = bytes.encode(line);
      for (let written = 0; written < data.length;) written += output.writeSync(data.subarray(written));
    },
  });
  if (level === undefined) {
    log.warn(`log level "${wanted}" is unknown, info is taken; there are ${LEVELS.join(", ")}`);
  }
  return log;
}
