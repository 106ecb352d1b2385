/**
 * One record of Nix' `internal-json`. Pure. Source: Nix 2.0 to 2.36pre, `src/libutil/logging.hh` and `logging.cc`; what
 * is not known is kept as it came.
 * @module
 */

/** Numbers of activities. */
export const ACTIVITY = {
  unknown: 0,
  copyPath: 100,
  fileTransfer: 101,
  realise: 102,
  copyPaths: 103,
  builds: 104,
  build: 105,
  optimiseStore: 106,
  verifyPaths: 107,
  substitute: 108,
  queryPathInfo: 109,
  postBuildHook: 110,
  buildWaiting: 111,
  fetchTree: 112,
  fetchToStore: 113,
} as const;

/** Numbers of results. */
export const RESULT = {
  fileLinked: 100,
  buildLogLine: 101,
  untrustedPath: 102,
  corruptedPath: 103,
  setPhase: 104,
  progress: 105,
  setExpected: 106,
  postBuildLogLine: 107,
  fetchStatus: 108,
  fetchToStore: 109,
  /** Of Determinate Nix, with a payload instead of fields. */
  buildResult: 110,
} as const;

/** Levels of messages; lower ones are more urgent. */
export const LEVEL = {
  error: 0,
  warn: 1,
  notice: 2,
  info: 3,
  talkative: 4,
  chatty: 5,
  debug: 6,
  vomit: 7,
} as const;

/** What an activity or a result is told with; what each position means depends on its type. */
export type Field = string | number;

/**
 * A record. An `id` is the digits that Nix wrote: process id << 32 plus a counter, above 2^53 where process ids are
 * large.
 */
export type NixRecord =
  | {
    readonly kind: "start";
    readonly id: string;
    /** From Nix 2.18; `undefined` at the top. */
    readonly parent: string | undefined;
    readonly type: number;
    readonly level: number;
    readonly text: string;
    readonly fields: readonly Field[];
  }
  | { readonly kind: "stop"; readonly id: string }
  | {
    readonly kind: "result";
    readonly id: string;
    readonly type: number;
    readonly fields: readonly Field[];
    readonly payload: unknown;
  }
  | {
    readonly kind: "message";
    readonly level: number;
    readonly text: string;
    /** Nix made it out of an error of its own; a builder cannot forge that. */
    readonly isOwnError: boolean;
  }
  /** A line that is no record: of a wrapper, or of Nix before it listens to its options. */
  | { readonly kind: "plain"; readonly text: string };

/** Digits that a double does not hold for certain. Quotes within texts are escaped, so that this finds keys alone. */
const LONG_ID = /"(id|parent)":(\d{16,})/g;

/**
 * The record of a line of JSON, without `@nix `.
 * @returns `undefined` when it is an object of another kind.
 * @throws {SyntaxError} When it is no JSON, or a record without what its kind needs.
 */
export function parseRecord(json: string): NixRecord | undefined {
  const value: unknown = JSON.parse(json.replace(LONG_ID, '"$1":"$2"'));
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("Cannot read a record of Nix: it is no object");
  }
  const found = value as Readonly<Record<string, unknown>>;
  switch (found.action) {
    case "start":
      return {
        kind: "start",
        id: idOf(found.id),
        parent: found.parent === undefined || found.parent === 0 ? undefined : idOf(found.parent),
        type: numberOf(found.type, ACTIVITY.unknown),
        level: numberOf(found.level, LEVEL.info),
        text: textOf(found.text),
        fields: fieldsOf(found.fields),
      };
    case "stop":
      return { kind: "stop", id: idOf(found.id) };
    case "result":
      return {
        kind: "result",
        id: idOf(found.id),
        type: numberOf(found.type, -1),
        fields: fieldsOf(found.fields),
        payload: found.payload,
      };
    case "msg":
      return {
        kind: "message",
        level: numberOf(found.level, LEVEL.info),
        text: textOf(found.msg),
        isOwnError: typeof found.raw_msg === "string",
      };
    default:
      return undefined;
  }
}

function idOf(value: unknown): string {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return String(value);
  if (typeof value === "string" && /^\d{1,20}$/.test(value)) return value;
  throw new SyntaxError(`Cannot read a record of Nix: its id is ${JSON.stringify(value)}`);
}

function numberOf(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function fieldsOf(value: unknown): readonly Field[] {
  if (!Array.isArray(value)) return [];
  return value.map((each) =>
    typeof each === "string" || typeof each === "number" ? each : JSON.stringify(each)
  );
}
