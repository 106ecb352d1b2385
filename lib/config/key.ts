/** Kinds of configuration values: how each is checked, what it becomes, and how its default is written. @module */

/** One key of a configuration. */
export interface Key<T> {
  readonly kind: "key";
  readonly help: string;
  /** Value when the key is absent; `undefined` for keys that may be left out. */
  readonly fallback: T;
  /** What is expected, for errors: `a duration such as "10ms"`. */
  readonly expected: string;
  /** The value, or `undefined` when it is not of this kind. */
  read(value: unknown): T | undefined;
  /** A TOML value that reads as the default; what a sample shows commented out when there is no default. */
  readonly sample: string;
  /** Whether the sample is not the default, but shows what could stand there. */
  readonly isExample?: true;
  /** Whether a table without it is none. */
  readonly isRequired?: true;
}

type Options<T> = { readonly help: string; readonly fallback: T };

/** `true` or `false`. */
export function toggle(options: Options<boolean>): Key<boolean> {
  return key(
    options,
    "true or false",
    String(options.fallback),
    (value) => typeof value === "boolean" ? value : undefined,
  );
}

/** `true` or `false`, or neither. */
export function optionalToggle(
  options: { readonly help: string; readonly example: boolean },
): Key<boolean | undefined> {
  return { ...toggle({ help: options.help, fallback: options.example }), fallback: undefined };
}

/** Any text; with `oneOf` one of a few words. */
export function text<const T extends string>(
  options: Options<T> & { readonly oneOf?: readonly T[] },
): Key<T> {
  const { oneOf } = options;
  const expected = oneOf === undefined
    ? "a string"
    : `one of ${oneOf.map((word) => JSON.stringify(word)).join(", ")}`;
  return key(
    options,
    expected,
    JSON.stringify(options.fallback),
    (value) =>
      typeof value === "string" && (oneOf === undefined || oneOf.includes(value as T))
        ? value as T
        : undefined,
  );
}

/** A folder that must be given: absolute, or below the user's, as `~/shop`; see `expandHome`. */
export function folder(options: { readonly help: string; readonly example: string }): Key<string> {
  const { help, example } = options;
  const read = (value: unknown) => {
    return typeof value === "string" && /^(?:\/|~(?:\/|$))/.test(value) ? value : undefined;
  };
  const expected = `an absolute folder such as "${example}"`;
  return { ...key({ help, fallback: "" }, expected, JSON.stringify(example), read), isRequired: true };
}

/** A folder with `~` replaced. @throws {Error} When nobody knows what it stands for. */
export function expandHome(folder: string, home: string | undefined): string {
  if (!folder.startsWith("~")) return folder;
  if (!home) throw new Error(`Cannot find folder ${folder}: HOME is not set`);
  return `${home}${folder.slice(1)}`;
}

/** Text that may be left out. */
export function optionalText(
  options: { readonly help: string; readonly example: string },
): Key<string | undefined> {
  return key(
    { help: options.help, fallback: undefined },
    "a string",
    JSON.stringify(options.example),
    (value) => typeof value === "string" ? value : undefined,
  );
}

/** Any of a few words, none by default. */
export function words<const T extends string>(
  options: { readonly help: string; readonly oneOf: readonly T[] },
): Key<readonly T[]> {
  const { help, oneOf } = options;
  const isOne = (value: unknown): value is T => oneOf.includes(value as T);
  return key<readonly T[]>(
    { help, fallback: [] },
    `a list of ${oneOf.map((word) => JSON.stringify(word)).join(", ")}`,
    "[]",
    (value) => Array.isArray(value) && value.every(isOne) ? value : undefined,
  );
}

/** Any texts; none by default, unless there is a `fallback`. */
export function strings(
  options: Options<readonly string[]> | { readonly help: string; readonly example: readonly string[] },
): Key<readonly string[]> {
  const isList = (value: unknown): value is string[] => {
    return Array.isArray(value) && value.every((each) => typeof each === "string");
  };
  const { help } = options;
  const read = (value: unknown) => isList(value) ? value : undefined;
  const shown = "example" in options ? options.example : options.fallback;
  const fallback = "example" in options ? [] : options.fallback;
  const sample = `[${shown.map((each) => JSON.stringify(each)).join(", ")}]`;
  const made = key<readonly string[]>({ help, fallback }, "a list of strings", sample, read);
  return "example" in options ? { ...made, isExample: true } : made;
}

/** Texts by names that the file chooses, none by default; numbers and switches are texts too. */
export function stringMap(
  options: { readonly help: string; readonly example: Readonly<Record<string, string>> },
): Key<Readonly<Record<string, string>>> {
  const pairs = Object.entries(options.example).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const read = (value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const texts = Object.entries(value).map(([name, each]) => [name, scalarText(each)] as const);
    return texts.every(([, each]) => each !== undefined)
      ? Object.fromEntries(texts) as Record<string, string>
      : undefined;
  };
  const { help } = options;
  const sample = `{ ${pairs.join(", ")} }`;
  return {
    ...key<Readonly<Record<string, string>>>({ help, fallback: {} }, "a table of strings", sample, read),
    isExample: true,
  };
}

function scalarText(value: unknown): string | undefined {
  return ["string", "number", "bigint", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** A time span that may be left out. */
export function optionalDuration(
  options: {
    readonly help: string;
    readonly example: string;
    readonly minMs?: number;
    readonly maxMs?: number;
  },
): Key<number | undefined> {
  const { example, ...rest } = options;
  const inner = duration({ ...rest, fallback: example });
  return { ...inner, fallback: undefined };
}

/** A number within bounds that may be left out. */
export function optionalNumber(
  options: { readonly help: string; readonly example: string; readonly min: number; readonly max: number },
): Key<number | undefined> {
  const { help, example, min, max } = options;
  const read = (value: unknown) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    return typeof number === "number" && number >= min && number <= max ? number : undefined;
  };
  return key<number | undefined>(
    { help, fallback: undefined },
    `a number from ${min} to ${max}`,
    example,
    read,
  );
}

/** A size in bytes that may be left out, written as `512MiB`, `2 GB`, `100k`, or as a number. */
export function optionalSize(
  options: { readonly help: string; readonly example: string; readonly minBytes?: number },
): Key<number | undefined> {
  const { help, example, minBytes = 1 } = options;
  const read = (value: unknown) => {
    const bytes = typeof value === "string"
      ? parseSize(value)
      : typeof value === "bigint"
      ? Number(value)
      : value;
    return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= minBytes ? bytes : undefined;
  };
  return key<number | undefined>(
    { help, fallback: undefined },
    `a size such as "${example}"`,
    JSON.stringify(example),
    read,
  );
}

/** Bytes of `512MiB` (2²⁰), `2GB` (10⁹), `64k` and `64K` (2¹⁰, as memory is told); `undefined` when it is no size. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit, kind] = /^(\d+(?:\.\d+)?)\s*([kKMGT]?)(i?B|b)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const base = kind === "B" ? 1_000 : 1_024;
  return Math.round(Number(digits) * base ** " kMGT".indexOf(unit === "K" ? "k" : unit || " "));
}

/** A whole number within bounds. */
export function integer(
  options: Options<number> & { readonly min: number; readonly max: number; readonly octal?: boolean },
): Key<number> {
  const { min, max, octal } = options;
  const shown = (value: number) => octal === true ? `0o${value.toString(8)}` : String(value);
  return key(options, `a whole number from ${min} to ${max}`, shown(options.fallback), (value) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= min && number <= max
      ? number
      : undefined;
  });
}

/** A whole number that may be left out. */
export function optionalInteger(
  options: { readonly help: string; readonly example: string; readonly min: number; readonly max: number },
): Key<number | undefined> {
  const inner = integer({ help: options.help, fallback: options.min, min: options.min, max: options.max });
  return { ...inner, fallback: undefined, sample: options.example };
}

/**
 * A time span in milliseconds, written as `500ms`, `1.5s`, `2m`, `1h`, `1d`, or several of them in a row; within
 * bounds where it has some.
 */
export function duration(
  options: {
    readonly help: string;
    readonly fallback: string;
    readonly minMs?: number;
    readonly maxMs?: number;
  },
): Key<number> {
  const { minMs = 0, maxMs = Infinity } = options;
  const fallback = parseDuration(options.fallback);
  if (fallback === undefined) {
    throw new SyntaxError(`Cannot define duration: default is "${options.fallback}"`);
  }
  return key(
    { help: options.help, fallback },
    `a duration such as "${options.fallback}"${boundsText(minMs, maxMs)}`,
    JSON.stringify(options.fallback),
    (value) => {
      const ms = typeof value === "string" ? parseDuration(value) : undefined;
      return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
    },
  );
}

function boundsText(minMs: number, maxMs: number): string {
  const least = minMs > 0 ? [`at least ${durationText(minMs)}`] : [];
  const most = maxMs < Infinity ? [`at most ${durationText(maxMs)}`] : [];
  return [...least, ...most].map((bound) => `, ${bound}`).join("");
}

/** In the largest unit that leaves a whole number. */
function durationText(ms: number): string {
  const [unit, size] = Object.entries(UNIT_MS).reverse().find(([, size]) => ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** Milliseconds of `1h30m`, `250us`, `1.5s`; `undefined` when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const part = /(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h|d)/y;
  const trimmed = text.trim();
  let total = 0;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    if (match === null) return undefined;
    total += Number(match[1]) * UNIT_MS[match[2]!]!;
    while (trimmed[part.lastIndex] === " ") part.lastIndex++;
  }
  return trimmed === "" ? undefined : total;
}

const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function key<T>(
  options: { readonly help: string; readonly fallback: T },
  expected: string,
  sample: string,
  read: (value: unknown) => T | undefined,
): Key<T> {
  return { kind: "key", help: options.help, fallback: options.fallback, expected, sample, read };
}
