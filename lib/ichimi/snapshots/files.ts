/** Files of snapshots. @module */
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname } from "node:path/posix";
import { VERSION } from "../../version/mod.ts";
import { fromJson, toJson } from "./json.ts";
import { fromKdl, toKdl } from "./kdl.ts";
import { type Snapshot, SnapshotError } from "./snapshot.ts";
import { fromYaml, toYaml } from "./yaml.ts";

export const FORMATS = ["yaml", "kdl", "json"] as const;
export type Format = (typeof FORMATS)[number];

/** Larger than any list of processes that somebody has described. */
const LARGEST_BYTES = 16 * 2 ** 20;

/** The format that a file's name tells; undefined when it tells none. */
export function formatOf(path: string): Format | undefined {
  const ending = extname(path).slice(1).toLowerCase();
  return ending === "yml" ? "yaml" : FORMATS.find((format) => format === ending);
}

const READ: Readonly<Record<Format, (text: string) => Snapshot>> = {
  yaml: fromYaml,
  kdl: fromKdl,
  json: fromJson,
};

/** @throws {Error} Naming the file, and what is wrong with it. */
export function readSnapshot(path: string, format: Format = formatOf(path) ?? "json"): Snapshot {
  try {
    return parseSnapshot(textOf(path), format);
  } catch (cause) {
    throw new Error(`Cannot read snapshot ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** What has no end, or a beginning only when somebody writes, is not read. */
function textOf(path: string): string {
  const stat = statSync(path);
  if (stat.isDirectory()) throw new SnapshotError("it is a folder");
  if (!stat.isFile()) throw new SnapshotError("it is no file");
  // A file of the kernel's says that it has no bytes.
  const bytes = readFirstBytes(path, LARGEST_BYTES + 1);
  if (bytes.length > LARGEST_BYTES) {
    throw new SnapshotError(
      `it has ${Math.max(stat.size, bytes.length)} bytes, at most ${LARGEST_BYTES} are read`,
    );
  }
  return new TextDecoder().decode(bytes);
}

function readFirstBytes(path: string, most: number): Uint8Array {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(most);
  let length = 0;
  for (let read = 0; length < most; length += read) {
    read = file.readSync(bytes.subarray(length)) ?? 0;
    if (read === 0) break;
  }
  return bytes.subarray(0, length);
}

/** A snapshot as it stands in a file. */
export function snapshotText(snapshot: Snapshot, format: Format): string {
  if (format === "yaml") return toYaml(snapshot, VERSION);
  return format === "kdl" ? toKdl(snapshot) : toJson(snapshot);
}

/** Reads what stands in a file. @throws {SnapshotError} Saying what is wrong. */
export function parseSnapshot(text: string, format: Format): Snapshot {
  return READ[format](text);
}

/** Whole before it has its name; for its user alone, since environments hold secrets. @throws {Error} Naming the file. */
export function writeSnapshot(path: string, snapshot: Snapshot, format: Format): void {
  const text = snapshotText(snapshot, format);
  const before = statSync(path, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile()) {
    throw new Error(`Cannot write snapshot ${path}: it is ${before.isDirectory() ? "a folder" : "no file"}`);
  }
  const written = `${path}.${crypto.randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(written, text, { mode: 0o600, flush: true });
      renameSync(written, path);
    } finally {
      rmSync(written, { force: true });
    }
  } catch (cause) {
    throw new Error(`Cannot write snapshot ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** In a few words. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof SnapshotError) return cause.message;
  const { code } = cause as { readonly code?: unknown };
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}
