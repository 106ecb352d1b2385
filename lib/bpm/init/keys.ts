/** Foreign data of which nothing may get lost: what is not taken is told. Pure. @module */
import { parseDuration } from "../../config/mod.ts";

/** A table of somebody else's file. What was not taken of it by the end is noted. */
export class Keys {
  readonly #left: Map<string, unknown>;
  readonly #path: string;
  /** Shared with the tables below it. */
  readonly notes: string[];

  /** `value` that is no table is noted and taken for an empty one. */
  constructor(value: unknown, path = "", notes: string[] = []) {
    this.notes = notes;
    this.#path = path;
    this.#left = new Map(isTable(value) ? Object.entries(value) : []);
    if (value !== undefined && value !== null && !isTable(value)) this.#strange("", value, "a table");
  }

  get names(): readonly string[] {
    return [...this.#left.keys()];
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  /** The value as it is; taken. */
  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value ?? undefined;
  }

  /** Text; a number or a switch is one too. */
  text(name: string): string | undefined {
    return this.#scalar(name, this.take(name), "a text");
  }

  number(name: string): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" ? Number(value.trim() || NaN) : value;
    if (typeof number === "number" && Number.isFinite(number)) return number;
    return this.#strange(name, value, "a number");
  }

  toggle(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "boolean") return value;
    if (value === "true" || value === "false") return value === "true";
    return this.#strange(name, value, "true or false");
  }

  /** A span of time as it is written here; `0s` counts as none. */
  duration(name: string): string | undefined {
    const value = this.text(name);
    const ms = value === undefined ? undefined : parseDuration(value);
    if (value === undefined || ms !== undefined) return ms !== undefined && ms >= 1 ? value : undefined;
    return this.#strange(name, value, "a duration");
  }

  /** Seconds as a span of time. */
  seconds(name: string): string | undefined {
    const seconds = this.number(name);
    return seconds === undefined || seconds <= 0 ? undefined : `${seconds}s`;
  }

  /** A list of texts; a single text is a list of one. */
  texts(name: string): string[] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const list = Array.isArray(value) ? value : [value];
    return list.flatMap((each) => this.#scalar(name, each, "a list of texts") ?? []);
  }

  /** Variables: a table, or a list of `NAME=value`; names without a value come from outside and are left out. */
  variables(name: string): Record<string, string> {
    const value = this.take(name);
    const pairs: [string, unknown][] = Array.isArray(value)
      ? value.map((each) => {
        const [key, ...rest] = String(each).split("=");
        return [key!, rest.length === 0 ? undefined : rest.join("=")];
      })
      : isTable(value)
      ? Object.entries(value)
      : [];
    if (value !== undefined && !Array.isArray(value) && !isTable(value)) {
      this.#strange(name, value, "a table or a list of NAME=value");
    }
    return Object.fromEntries(pairs.flatMap(([key, each]) => {
      const text = each === undefined || each === null ? undefined : this.#scalar(name, each, "a text");
      return text === undefined ? [] : [[key, text]];
    }));
  }

  /** A table below; what is left of it has to be told by its own `untaken`. */
  table(name: string): Keys {
    return new Keys(this.take(name), this.#under(name), this.notes);
  }

  /** Reads over keys that need nothing here. */
  pass(...names: readonly string[]): void {
    for (const name of names) this.#left.delete(name);
  }

  /** Notes a key that no key of `.mcp-run` can say, with the reason; one that is off or empty says nothing. */
  note(name: string, why: string): void {
    const value = this.take(name);
    if (
      value === undefined || value === false || value === "" || shown(value) === "[]" || shown(value) === "{}"
    ) return;
    this.notes.push(`${this.#under(name)} = ${shown(value)}: ${why}`);
  }

  /** Notes all that was not taken; names that begin with `x-` are the file's own. */
  untaken(): void {
    for (const name of this.names.filter((each) => !each.startsWith("x-"))) {
      this.note(name, "has no key here");
    }
  }

  #under(name: string): string {
    return this.#path === "" ? name : name === "" ? this.#path : `${this.#path}.${name}`;
  }

  #scalar(name: string, value: unknown, expected: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (["string", "number", "boolean", "bigint"].includes(typeof value)) return String(value);
    return this.#strange(name, value, expected);
  }

  #strange(name: string, value: unknown, expected: string): undefined {
    this.notes.push(`${this.#under(name)} = ${shown(value)}: is not ${expected}, and is left out`);
  }
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Longer values are cut. */
const SHOWN_CHARS = 80;

/** A value in one short line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, each) => typeof each === "bigint" ? Number(each) : each) ??
    "nothing";
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS - 1)}…` : text;
}
