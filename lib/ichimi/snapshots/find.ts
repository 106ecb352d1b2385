/** Finds what others have kept. @module */
import { readdirSync, statSync } from "node:fs";
import { formatOf, readSnapshot } from "./files.ts";
import type { KeptProcess } from "./snapshot.ts";

/** A file that was found: how many processes are in it, or why it cannot be read. */
export interface FoundFile {
  readonly path: string;
  readonly count: number;
  readonly problem?: string;
}

/** What there is. */
export interface FoundSnapshots {
  /** Oldest first. */
  readonly files: readonly FoundFile[];
  /** Each id once, as the newest file has it. */
  readonly processes: readonly KeptProcess[];
}

/** Deeper are only databases. */
const DEPTH = 2;

/** Looks in files, and in folders to some depth; paths that are not there have nothing in them. */
export function findSnapshots(paths: readonly string[]): FoundSnapshots {
  const found = paths.flatMap((path) => filesIn(path, DEPTH)).sort((a, b) => a.changedMs - b.changedMs);
  const processes = new Map<string, KeptProcess>();
  const files = found.map(({ path }): FoundFile => {
    try {
      const snapshot = readSnapshot(path);
      for (const process of snapshot.processes) processes.set(process.id, process);
      return { path, count: snapshot.processes.length };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { path, count: 0, problem: error.message };
    }
  });
  return { files, processes: [...processes.values()] };
}

function filesIn(path: string, depth: number): { readonly path: string; readonly changedMs: number }[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return formatOf(path) === undefined ? [] : [{ path, changedMs: found.mtimeMs }];
  if (!found.isDirectory() || depth === 0) return [];
  return readdirSync(path).sort().flatMap((name) => filesIn(`${path}/${name}`, depth - 1));
}
