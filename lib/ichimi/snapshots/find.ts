/** Finds what others have kept. @module */
import { readdirSync, statSync } from "node:fs";
import { formatOf, readSnapshot, reasonOf } from "./files.ts";
import type { KeptProcess } from "./snapshot.ts";

/** A file that was found, or looked for: how many processes are in it, or why it cannot be read. */
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

/**
 * Looks in files, and in folders to some depth.
 * @param options.isNamed Whether somebody has named the paths: then those that are none are told.
 */
export function findSnapshots(
  paths: readonly string[],
  { isNamed = false }: { readonly isNamed?: boolean } = {},
): FoundSnapshots {
  const found = paths.flatMap((path) => filesIn(path, DEPTH)).sort((a, b) => a.changedMs - b.changedMs);
  const processes = new Map<string, KeptProcess>();
  const strange = isNamed ? paths.flatMap(strangeness) : [];
  const files = found.map(({ path }): FoundFile => {
    try {
      const snapshot = readSnapshot(path);
      for (const process of snapshot.processes) processes.set(process.id, process);
      return { path, count: snapshot.processes.length };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { path, count: 0, problem: reasonOf(error.cause) };
    }
  });
  return { files: [...strange, ...files], processes: [...processes.values()] };
}

/** What is wrong with a path itself. */
function strangeness(path: string): FoundFile[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [{ path, count: 0, problem: "there is no such file or folder" }];
  if (found.isDirectory() || formatOf(path) !== undefined) return [];
  return [{ path, count: 0, problem: "its name ends in none of .yaml, .yml, .kdl and .json" }];
}

function filesIn(path: string, depth: number): { readonly path: string; readonly changedMs: number }[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return formatOf(path) === undefined ? [] : [{ path, changedMs: found.mtimeMs }];
  if (!found.isDirectory() || depth === 0) return [];
  return readdirSync(path).sort().flatMap((name) => filesIn(`${path}/${name}`, depth - 1));
}
