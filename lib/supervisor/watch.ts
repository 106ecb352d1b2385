/** Files whose change restarts a service. @module */
import { createHash } from "node:crypto";
import { matchesGlob } from "node:path";
import { sleep } from "../async/mod.ts";

export interface WatchSpec {
  /** What globs are relative to; absolute. */
  readonly folder: string;
  /** As `src/**\/*.ts`. What begins with a dot has to be named. */
  readonly globs: readonly string[];
  readonly ignore?: readonly string[];
  /** So long nothing may change before it counts; 200 ms by default. */
  readonly debounceMs?: number;
  /** Whether those that depend on the service are restarted after it. */
  readonly cascade?: boolean;
}

/** Names of folders that are only looked into where a glob names them. */
const NOT_ENTERED = ["node_modules", "target", "__pycache__"];
/** Beyond it the kernel's own limit of watches is near. */
const MOST_FOLDERS = 4_096;
const MOST_FILES = 50_000;
/** What is larger is told from what it was by size and time alone. */
const HASHED_BYTES = 4 * 2 ** 20;
const DEBOUNCE_MS = 200;
/** Where something changes all the time, so many times the debounce is waited. */
const MOST_DEBOUNCES = 10;

/** What is there of the files that match. */
interface Scan {
  readonly folders: ReadonlySet<string>;
  /** Size and time of change by path from the folder. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Calls `changed` with the paths, from the folder, of files that match and are not what they were; until `signal` fires.
 * Links to folders are not followed.
 * @throws {RangeError} When there is more to watch than `MOST_FOLDERS` or `MOST_FILES`.
 * @throws {Deno.errors.NotFound} When the folder is not there.
 */
export async function watchFiles(
  spec: WatchSpec,
  { signal, changed }: { readonly signal: AbortSignal; readonly changed: (paths: readonly string[]) => void },
): Promise<void> {
  const hashes = new Map<string, string>();
  let before = scan(spec);
  while (!signal.aborted) {
    using watcher = new Watcher(before.folders, signal);
    // What was made before it was watched is seen in the first look.
    for (
      let isFirst = true;
      isFirst || await watcher.quiet(spec.debounceMs ?? DEBOUNCE_MS);
      isFirst = false
    ) {
      const now = scan(spec);
      const paths = differences(before, now).filter((path) => isOther(`${spec.folder}/${path}`, hashes));
      const isSameTree = sameSet(before.folders, now.folders);
      before = now;
      if (paths.length > 0) changed(paths);
      if (!isSameTree) break;
    }
  }
}

/** Whether a folder, by its parts, can hold something that a glob matches. */
export function mayHold(glob: string, parts: readonly string[]): boolean {
  const segments = glob.split("/");
  for (const [at, part] of parts.entries()) {
    const segment = segments[at];
    if (segment === undefined) return false;
    const isWhole = segment.split("{").length === segment.split("}").length;
    if (!isWhole) return true; // Alternatives with folders of their own: only looking can tell.
    if (segment === "**") return !parts.slice(at).some(isNotEntered);
    if (!matchesGlob(part, segment) || (isNotEntered(part) && segment.startsWith("*"))) return false;
  }
  return parts.length < segments.length;
}

function isNotEntered(name: string): boolean {
  return name.startsWith(".") || NOT_ENTERED.includes(name);
}

/** The kernel's word that something happened in some folders. */
class Watcher implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #events: AsyncIterator<Deno.FsEvent>;
  #next: Promise<IteratorResult<Deno.FsEvent>>;
  readonly #stop: () => void;
  readonly #signal: AbortSignal;
  #isOpen = true;

  constructor(folders: ReadonlySet<string>, signal: AbortSignal) {
    this.#watcher = Deno.watchFs([...folders], { recursive: false });
    this.#events = this.#watcher[Symbol.asyncIterator]();
    this.#next = this.#events.next();
    this.#signal = signal;
    this.#stop = () => this.#close();
    signal.addEventListener("abort", this.#stop, { once: true });
  }

  /** Resolves when something happened and nothing more for a while; false when it is closed. */
  async quiet(debounceMs: number): Promise<boolean> {
    // Reading is no change.
    for (
      let kind = await this.#event();
      kind === undefined || kind === "access";
      kind = await this.#event()
    ) {
      if (kind === undefined) return false;
    }
    const limitMs = performance.now() + MOST_DEBOUNCES * debounceMs;
    while (performance.now() < limitMs) {
      const pause = new AbortController();
      const isQuiet = sleep(debounceMs, { signal: pause.signal }).then(() => true, () => false);
      const isOver = await Promise.race([isQuiet, this.#next.then(() => false)]);
      pause.abort();
      if (isOver) break;
      if (await this.#event() === undefined) return false;
    }
    return !this.#signal.aborted;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#stop);
    this.#close();
  }

  /** The kind of the next event; undefined when it is closed. */
  async #event(): Promise<Deno.FsEvent["kind"] | undefined> {
    const { done, value } = await this.#next;
    if (done === true) return undefined;
    this.#next = this.#events.next();
    return value.kind;
  }

  #close(): void {
    if (this.#isOpen) this.#watcher.close();
    this.#isOpen = false;
  }
}

function scan({ folder, globs, ignore = [] }: WatchSpec): Scan {
  const folders = new Set([folder]);
  const files = new Map<string, string>();
  const look = (parts: readonly string[]): void => {
    const path = [folder, ...parts].join("/");
    for (const { name, isDirectory, isFile } of entriesOf(path, parts.length === 0)) {
      const inner = [...parts, name];
      const relative = inner.join("/");
      if (ignore.some((glob) => matchesGlob(relative, glob))) continue;
      if (isDirectory && globs.some((glob) => mayHold(glob, inner))) {
        folders.add(`${folder}/${relative}`);
        if (folders.size > MOST_FOLDERS) throw tooMany(folder, `${MOST_FOLDERS} folders`);
        look(inner);
      } else if (isFile && globs.some((glob) => matchesGlob(relative, glob))) {
        files.set(relative, stampOf(`${folder}/${relative}`));
        if (files.size > MOST_FILES) throw tooMany(folder, `${MOST_FILES} files`);
      }
    }
  };
  look([]);
  return { folders, files };
}

function tooMany(folder: string, most: string): RangeError {
  return new RangeError(
    `Cannot watch "${folder}": there are more than ${most}; narrow the globs, or ignore some`,
  );
}

/** A folder that went away meanwhile is empty; the first one has to be there. */
function entriesOf(path: string, isFirst: boolean): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !isFirst) return [];
    throw error;
  }
}

function stampOf(path: string): string {
  try {
    const { size, mtime } = Deno.statSync(path);
    return `${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "gone";
    throw error;
  }
}

function differences(before: Scan, now: Scan): string[] {
  const changed = [...now.files].filter(([path, stamp]) => before.files.get(path) !== stamp);
  const gone = [...before.files.keys()].filter((path) => !now.files.has(path));
  return [...changed.map(([path]) => path), ...gone];
}

/** Whether a file is another one than when it changed last: a build that writes the same again starts no other. */
function isOther(path: string, hashes: Map<string, string>): boolean {
  const hash = hashOf(path);
  if (hash !== undefined && hashes.get(path) === hash) return false;
  if (hash === undefined) hashes.delete(path);
  else hashes.set(path, hash);
  return true;
}

/** Undefined for what is gone, cannot be read, or is large. */
function hashOf(path: string): string | undefined {
  try {
    if (Deno.statSync(path).size > HASHED_BYTES) return undefined;
    return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
