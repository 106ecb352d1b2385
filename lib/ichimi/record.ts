/** What is known of a process before it runs: its command, and with whom it ends. Pure. @module */
import { normalize } from "node:path/posix";

/** With whom a process ends: the client that has it, the last client of its project, or nobody. */
export const LIFETIMES = ["session", "project", "persistent"] as const;
export type Lifetime = (typeof LIFETIMES)[number];

/** What follows its end. */
export const RESTARTS = ["never", "on_failure", "always"] as const;
export type Restart = (typeof RESTARTS)[number];

/** What its standard input is. */
export const INPUTS = ["none", "pipe", "terminal"] as const;
export type Input = (typeof INPUTS)[number];

/** A process as it was described. */
export interface ProcessRecord {
  /** Of its user's choice, and unique. */
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; null is the project's folder. */
  readonly cwd: string | null;
  /** Whether it starts with the daemon. */
  readonly autoStartOnRestore: boolean;
  readonly tags: readonly string[];
  readonly lifetime: Lifetime;
  readonly restart: Restart;
  readonly input: Input;
  /** Folder in which its client works; null where it came from a file. */
  readonly project: string | null;
  /** The client with which it ends; null where it ends with none. */
  readonly session: string | null;
}

/** What may be left out of a description. */
export const RECORD_DEFAULTS = {
  args: [],
  env: {},
  cwd: null,
  autoStartOnRestore: false,
  tags: [],
  lifetime: "project",
  restart: "never",
  input: "none",
  project: null,
  session: null,
} as const satisfies Omit<ProcessRecord, "id" | "command">;

/** What may be changed of a process later. */
export type RecordChanges = Partial<Omit<ProcessRecord, "id" | "project" | "session">>;

/** What a client says of a process that is there, under upstream's names; what is left out or null stays as it is. */
export function changesOf(said: Readonly<Record<string, unknown>>): RecordChanges {
  const { auto_start_on_restore: autoStartOnRestore, ...rest } = said;
  const given = Object.entries({ ...rest, autoStartOnRestore })
    .filter(([, value]) => value !== undefined && value !== null);
  // An empty folder is the project's.
  return Object.fromEntries(
    given.map(([name, value]) => [name, name === "cwd" && value === "" ? null : value]),
  );
}

/** Where a process runs; null where nobody has said it. */
export function folderOf({ cwd, project }: Pick<ProcessRecord, "cwd" | "project">): string | null {
  if (cwd === null) return project;
  return project === null || cwd.startsWith("/") ? cwd : normalize(`${project}/${cwd}`);
}

const ID_CHARS = 200;
const CONTROL = /\p{Cc}/u;

/** What is wrong with an id, in words that follow it; undefined when nothing is. */
export function idProblem(id: string): string | undefined {
  if (id.trim() === "") return "is empty";
  if (id.length > ID_CHARS) return `has ${id.length} characters, at most ${ID_CHARS} are taken`;
  // Half a character stands in no address and in no file.
  if (!id.isWellFormed()) return "has halves of characters";
  return CONTROL.test(id) ? "has control characters" : undefined;
}

/** The same for a process that there is not yet. */
export function newIdProblem(id: string): string | undefined {
  // However it is written, whoever reads an address takes it for a step: `/api/processes/%2e%2e` is `/api`.
  if (id === "." || id === "..") return "is a step in a path, with which no address can name it";
  return idProblem(id);
}
