/**
 * Whole logs of builds, as files: one a build, the oldest of those that are over go when all together are too large.
 * @module
 */
import type { Job } from "../nix/mod.ts";
import { makeFolder } from "../cli/make_folder.ts";

/** All files together. */
const LOGS_MAX_BYTES = 256 * 2 ** 20;
/** Of one build; what comes after is not kept, and the file's last line says so. */
const LOG_MAX_BYTES = 64 * 2 ** 20;
const SUFFIX = ".log";

/** Of all builds together, until they are written at the latest. */
const PENDING_MAX_BYTES = 2 ** 20;

const LOGS = { of: "logs of builds", mode: 0o750 };

/** A build that is not over. Its file is open only while it is written: there may be thousands. */
interface OpenLog {
  readonly name: string;
  bytes: number;
  pending: string[];
}

/** Logs of builds that run by the numbers of their jobs, all by the names of their files. */
export class LogStore implements Disposable {
  readonly folder: string;
  readonly #maxBytes: number;
  readonly #open = new Map<number, OpenLog>();
  readonly #encoder = new TextEncoder();
  #totalBytes: number;
  #pendingBytes = 0;

  /** @throws {Error} When the folder cannot be made. */
  constructor(folder: string, maxBytes = LOGS_MAX_BYTES) {
    this.folder = folder;
    this.#maxBytes = maxBytes;
    makeFolder(folder, LOGS);
    this.#totalBytes = this.#files().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A line of a build; `name` tells builds apart, also those of daemons before. */
  add(job: number, { name, line }: { readonly name: string; readonly line: string }): void {
    let log = this.#open.get(job);
    if (log === undefined) this.#open.set(job, log = { name, bytes: 0, pending: [] });
    log.pending.push(line);
    this.#pendingBytes += line.length;
    if (this.#pendingBytes > PENDING_MAX_BYTES) this.flush();
  }

  /** Writes what was added. */
  flush(): void {
    this.#pendingBytes = 0;
    for (const log of this.#open.values()) if (log.pending.length > 0) this.#write(log);
    if (this.#totalBytes > this.#maxBytes) this.#retain();
  }

  /** No more comes for a build; returns the name of its file, `undefined` when it printed nothing. */
  end(job: number): string | undefined {
    const log = this.#open.get(job);
    if (log === undefined) return undefined;
    this.#open.delete(job);
    this.#write(log);
    return log.name;
  }

  /** The lines of a log. @throws {Deno.errors.NotFound} When it is not kept. */
  async read(name: string): Promise<string[]> {
    if (/[/\0]/.test(name)) throw new Deno.errors.NotFound(`Cannot read log ${name}: it is no name`);
    const text = await Deno.readTextFile(`${this.folder}/${name}${SUFFIX}`);
    return text.split("\n").slice(0, -1);
  }

  /** The file of a build that has not ended. */
  nameOf(job: number): string | undefined {
    return this.#open.get(job)?.name;
  }

  /** Writes what it can. @throws {Error} When something could not be written; all files are closed all the same. */
  [Symbol.dispose](): void {
    using stack = new DisposableStack();
    for (const job of [...this.#open.keys()]) stack.defer(() => void this.end(job));
  }

  #write(log: OpenLog): void {
    const room = LOG_MAX_BYTES - log.bytes;
    const lines = log.pending;
    log.pending = [];
    if (room <= 0 || lines.length === 0) return;
    let bytes = this.#encoder.encode(lines.join("\n") + "\n");
    if (bytes.length > room) {
      bytes = this.#encoder.encode(`[the log is longer than ${LOG_MAX_BYTES} bytes]\n`);
    }
    const path = `${this.folder}/${log.name}${SUFFIX}`;
    // Somebody may have tidied the folder away.
    makeFolder(this.folder, LOGS);
    using file = Deno.openSync(path, { write: true, create: true, append: true, mode: 0o640 });
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    log.bytes += bytes.length > room ? room : bytes.length;
    this.#totalBytes += bytes.length;
  }

  #retain(): void {
    const open = new Set([...this.#open.values()].map(({ name }) => name + SUFFIX));
    const files = this.#files();
    // Others may have taken some away.
    this.#totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of files) {
      if (this.#totalBytes <= this.#maxBytes) break;
      if (open.has(name)) continue;
      unlessGone(() => Deno.removeSync(`${this.folder}/${name}`));
      this.#totalBytes -= bytes;
    }
  }

  /** The oldest first: names begin with the time. */
  #files(): { readonly name: string; readonly bytes: number }[] {
    return [...Deno.readDirSync(this.folder)].filter(({ name }) => name.endsWith(SUFFIX))
      .map(({ name }) => ({
        name,
        bytes: unlessGone(() => Deno.lstatSync(`${this.folder}/${name}`).size) ?? 0,
      }))
      .sort((one, other) => one.name < other.name ? -1 : 1);
  }
}

/** Two daemons may have one folder. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Names sort by time, and tell builds of all daemons apart. */
export function logName({ startedMs, id, name }: Job): string {
  return `${startedMs ?? 0}-${id}-${name.replaceAll(/[^\w.+-]/g, "_").slice(0, 150)}`;
}
