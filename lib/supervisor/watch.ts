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
  const debounceMs = spec.debounceMs ?? DEBOUNCE_MS;
  let before = scan(spec);
  let { folders } = before;
  while (!signal.aborted) {
    using watcher = Watcher.open(folders, signal);
    if (watcher === undefined) {
      await sleep(debounceMs, { signal }).catch(() => "The loop ends.");
      ({ folders } = scan(spec));
      continue;
    }
    // What was made before it was watched is seen in the first look.
    for (
      let isFirst = true;
      isFirst || await watcher.quiet(debounceMs);
      isFirst = false
    ) {
      const now = scan(spec);
      const paths = differences(before, now).filter((path) => isOther(`${spec.folder}/${path}`, hashes));
      const isSameTree = sameSet(folders, now.folders);
      before = now;
      if (paths.length > 0) changed(paths);
      if (!isSameTree) break;
    }
    ({ folders } = before);
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

  /** Undefined when one of the folders has gone since it was found: all of them, or none, can be watched. */
  static open(folders: ReadonlySet<string>, signal: AbortSignal): Watcher | undefined {
    try {
      return new Watcher(folders, signal);
    } catch (error) {
      if (isOutOfReach(error)) return undefined;
      throw error;
    }
  }

  private constructor(folders: ReadonlySet<string>, signal: AbortSignal) {
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
  const folders = new Set<string>();
  const files = new Map<string, string>();
  const look = (parts: readonly string[]): void => {
    const path = [folder, ...parts].join("/");
    const entries = entriesOf(path, parts.length === 0);
    if (entries === undefined) return;
    folders.add(path);
    if (folders.size > MOST_FOLDERS) throw tooMany(folder, `${MOST_FOLDERS} folders`);
    for (const { name, isDirectory, isFile } of entries) {
      const inner = [...parts, name];
      const relative = inner.join("/");
      if (ignore.some((glob) => matchesGlob(relative, glob))) continue;
      if (isDirectory && globs.some((glob) => mayHold(glob, inner))) {
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

/** Undefined for a folder that cannot be looked into; the first one has to be there. */
function entriesOf(path: string, isFirst: boolean): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isOutOfReach(error) && !isFirst) return undefined;
    throw error;
  }
}

/** It went away meanwhile, something else stands in its place, or it is another user's. */
function isOutOfReach(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied;
}

function stampOf(path: string): string {
  try {
    const { size, mtime } = Deno.statSync(path);
    return `${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (isOutOfReach(error)) return "gone";
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
    if (isOutOfReach(error)) return undefined;
    throw error;
  }
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
