/** A snapshot: how processes were described, and what they did, to be taken elsewhere or later. Pure. @module */
import { idProblem, INPUTS, type ProcessRecord, RECORD_DEFAULTS, RESTARTS } from "../record.ts";
import { type ProcessState, timeText } from "../state.ts";

/** Of all formats, as upstream numbers it. */
export const SNAPSHOT_VERSION = "1.0";

/** What is kept of a process; what belongs to a client is not. */
export type KeptProcess =
  & Pick<
    ProcessRecord,
    "id" | "command" | "args" | "env" | "cwd" | "autoStartOnRestore" | "tags" | "restart" | "input"
  >
  & {
    /** As clients of upstream show it. */
    readonly name: string;
    readonly state: ProcessState;
  };

export interface Snapshot {
  /** RFC 3339. */
  readonly timestamp: string;
  readonly hostname?: string;
  readonly processes: readonly KeptProcess[];
}

/** What a file says is no snapshot. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

export function keptProcess(record: ProcessRecord, state: ProcessState): KeptProcess {
  const { id, command, args, env, cwd, project, autoStartOnRestore, tags, restart, input } = record;
  // Elsewhere nobody knows the project.
  return {
    id,
    name: id,
    command,
    args,
    env,
    cwd: cwd ?? project,
    autoStartOnRestore,
    tags,
    restart,
    input,
    state,
  };
}

/** Fields of a state under upstream's names; none of one that never ran. */
export function stateFields(state: ProcessState): Readonly<Record<string, string | number | null>> {
  switch (state.kind) {
    case "not_started":
      return {};
    case "running":
      return { pid: state.pid, started_at: timeText(state.startedMs) };
    case "stopped":
      return { exit_code: state.exitCode, stopped_at: timeText(state.stoppedMs) };
    case "failed":
      return { error: state.error, failed_at: timeText(state.failedMs) };
    default:
      return state satisfies never;
  }
}

/** What a file says of a process, by upstream's names, whatever kinds of values they have. */
export type Found = Readonly<Record<string, unknown>>;

/**
 * Reads one process. `place` is where it stands in the file, for messages.
 * @throws {SnapshotError} Naming what is wrong.
 */
export function readProcess(found: unknown, place: string): KeptProcess {
  if (typeof found !== "object" || found === null || Array.isArray(found)) {
    throw new SnapshotError(`${place} is no process: expected its fields, found ${shown(found)}`);
  }
  const fields = found as Found;
  const id = textOf(fields.id, `${place}: "id"`);
  const problem = idProblem(id);
  if (problem !== undefined) throw new SnapshotError(`${place}: the id ${problem}`);
  const at = (name: string) => `Process '${id}': "${name}"`;
  return {
    id,
    name: fields.name === undefined || fields.name === null ? id : textOf(fields.name, at("name")),
    command: textOf(fields.command, at("command")),
    args: textsOf(fields.args, at("args")),
    env: mapOf(fields.env, at("env")),
    cwd: fields.cwd === undefined || fields.cwd === null ? null : textOf(fields.cwd, at("cwd")),
    autoStartOnRestore: flagOf(fields.auto_start_on_restore, at("auto_start_on_restore")),
    tags: textsOf(fields.tags, at("tags")),
    restart: oneOf(fields.restart, RESTARTS, RECORD_DEFAULTS.restart, at("restart")),
    input: oneOf(fields.input, INPUTS, RECORD_DEFAULTS.input, at("input")),
    // What it did then is not what it does now.
    state: { kind: "not_started" },
  };
}

/** Refuses processes of one id. @throws {SnapshotError} */
export function distinct(processes: readonly KeptProcess[]): readonly KeptProcess[] {
  const seen = new Set<string>();
  for (const { id } of processes) {
    if (seen.has(id)) throw new SnapshotError(`Process '${id}' is there twice`);
    seen.add(id);
  }
  return processes;
}

function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new SnapshotError(`${what} must be a string, found ${shown(value)}`);
}

function textsOf(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new SnapshotError(`${what} must be a list of strings, found ${shown(value)}`);
}

function mapOf(value: unknown, what: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const isMap = typeof value === "object" && !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string");
  if (isMap) return { ...value as Record<string, string> };
  throw new SnapshotError(`${what} must be strings by name, found ${shown(value)}`);
}

function flagOf(value: unknown, what: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw new SnapshotError(`${what} must be true or false, found ${shown(value)}`);
}

function oneOf<T extends string>(value: unknown, words: readonly T[], fallback: T, what: string): T {
  if (value === undefined || value === null) return fallback;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new SnapshotError(`${what} must be one of ${words.join(", ")}, found ${shown(value)}`);
}

const SHOWN_CHARS = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** Fields that upstream does not know stand only where they say something. */
export function ownFields({ restart, input }: KeptProcess): Readonly<Record<string, string>> {
  return {
    ...restart === RECORD_DEFAULTS.restart ? {} : { restart },
    ...input === RECORD_DEFAULTS.input ? {} : { input },
  };
}
