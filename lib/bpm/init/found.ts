/** What is found in a project's files: processes with keys of `.mcp-run`, and what has no key. Pure. @module */

/** One way of asking how a process is; the keys of `ready` and `live`. */
export interface ProbeKeys {
  readonly http?: string | undefined;
  readonly tcp?: string | undefined;
  readonly log?: string | undefined;
  readonly exec?: readonly string[] | undefined;
  readonly every?: string | undefined;
  readonly within?: string | undefined;
  readonly failures?: number | undefined;
}

/** Starts by the clock; one of `cron` and `every`. */
export interface ScheduleKeys {
  readonly cron?: string | undefined;
  readonly every?: string | undefined;
  readonly time_zone?: string | undefined;
}

/** Restarts by changed files; globs from the project's folder. */
export interface WatchKeys {
  readonly paths: readonly string[];
  readonly ignore?: readonly string[] | undefined;
  readonly debounce?: string | undefined;
  readonly cascade?: boolean | undefined;
}

/** Keys of a process as they are written: durations are texts such as `5s`. Keys at their defaults are left out. */
export interface ProcessKeys {
  readonly type?: "rust" | "npm" | undefined;
  readonly command?: readonly string[] | undefined;
  readonly package?: string | undefined;
  readonly bin?: string | undefined;
  readonly build?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly expand?: boolean | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly env_file?: readonly string[] | undefined;
  readonly depends_on?: Readonly<Record<string, string>> | undefined;
  readonly ready?: ProbeKeys | undefined;
  readonly live?: ProbeKeys | undefined;
  readonly ready_within?: string | undefined;
  readonly restart?: "always" | "on-failure" | "never" | undefined;
  readonly max_failures?: number | undefined;
  readonly backoff?: { readonly first?: string | undefined; readonly factor?: number } | undefined;
  readonly grace?: string | undefined;
  readonly stop_signal?: string | undefined;
  readonly autostart?: boolean | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly replicas?: number | undefined;
  readonly port?: number | undefined;
  readonly schedule?: ScheduleKeys | undefined;
  readonly watch?: WatchKeys | undefined;
  readonly env_command?: Readonly<Record<string, string>> | undefined;
  readonly stdin?: boolean | undefined;
  readonly tty?: boolean | undefined;
  readonly listen?: string | undefined;
}

/** A key that is written commented out, with what it would do. */
export interface Suggestion {
  readonly keys: ProcessKeys;
  readonly why: string;
}

export interface FoundProcess {
  /** As its source calls it. */
  readonly name: string;
  /** What it is there; a sentence that is written above it. */
  readonly about: string;
  readonly keys: ProcessKeys;
  /** What the source says and no key can; each is a comment in the file and a warning. */
  readonly notes: readonly string[];
  readonly suggestions?: readonly Suggestion[];
  /** Command lines that come to the same: where another source runs one of them, this one is not needed. */
  readonly sameAs?: readonly string[];
  /** Folder of the project's own code that it runs, `.` for the project's. */
  readonly code?: string;
  /** Folder of the code of which it builds a container. */
  readonly builds?: string;
  /** It prepares the others of its file, and is of no use to those of other files. */
  readonly prepares?: true;
}

/** What one file says. */
export interface Found {
  /** Its path from the project's folder. */
  readonly file: string;
  /** Short word that tells apart processes of the same name. */
  readonly kind: string;
  readonly processes: readonly FoundProcess[];
  /** What concerns no single process. */
  readonly notes: readonly string[];
}

/** Files of a project, read only. Paths are from its folder, with `/`. */
export interface ProjectFolder {
  /** Its own name. */
  readonly name: string;
  /** The text of a file; `undefined` when there is none. */
  read(path: string): string | undefined;
  /** Names in a folder, sorted, those of folders ending in `/`; empty when there is none. */
  list(path: string): readonly string[];
}

/** `a/b/c` of a folder and a path within it; an absolute path is what it is. */
export function joinPath(folder: string, path: string): string {
  const whole = path.startsWith("/") ? path : `${folder}/${path}`;
  const root = whole.startsWith("/") ? "/" : "";
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return root + parts.join("/") || ".";
}

/** The folder of a file. */
export function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : path.slice(0, at) || "/";
}

/** Folders that match a pattern such as `crates/*`; `*` stands for one name, `**` for any depth within reason. */
export function matchFolders(folder: ProjectFolder, pattern: string): string[] {
  let found = ["."];
  for (const part of joinPath(".", pattern).split("/")) {
    if (part === "." || part === "") continue;
    found = found.flatMap((each) => expandPart(folder, each, part));
  }
  return found;
}

/** Deeper ones are not looked for: nobody keeps members there. */
const MAX_DEPTH = 4;
const SKIPPED = new Set(["node_modules/", "target/", ".git/"]);

function expandPart(folder: ProjectFolder, base: string, part: string): string[] {
  if (part === "**") return below(folder, base, MAX_DEPTH);
  if (!part.includes("*")) return [joinPath(base, part)];
  const name = new RegExp(`^${part.split("*").map((each) => RegExp.escape(each)).join("[^/]*")}/$`);
  return folders(folder, base).filter((each) => name.test(each)).map((each) => joinPath(base, each));
}

function folders(folder: ProjectFolder, base: string): readonly string[] {
  return folder.list(base).filter((each) =>
    each.endsWith("/") && !SKIPPED.has(each) && !each.startsWith(".")
  );
}

function below(folder: ProjectFolder, base: string, depth: number): string[] {
  if (depth === 0) return [base];
  return [base, ...folders(folder, base).flatMap((each) => below(folder, joinPath(base, each), depth - 1))];
}
