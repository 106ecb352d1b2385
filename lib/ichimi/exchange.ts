/** Processes that go out into snapshots, and come back from them. @module */
import { hostname } from "node:os";
import { normalize } from "node:path/posix";
import type { Client } from "./client.ts";
import type { IchimiHost } from "./host.ts";
import { RECORD_DEFAULTS } from "./record.ts";
import { keptProcess, type Snapshot } from "./snapshots/mod.ts";
import { timeText } from "./state.ts";

/** What became of the processes of a snapshot. */
export interface Taken {
  readonly created: string[];
  readonly changed: string[];
  /** They run. */
  readonly skipped: string[];
}

/** All of them, or only those that start by themselves. */
export function snapshotOf(
  host: IchimiHost,
  { onlyAutoStart = false }: { readonly onlyAutoStart?: boolean } = {},
): Snapshot {
  const meant = host.records.filter(({ autoStartOnRestore }) => !onlyAutoStart || autoStartOnRestore);
  return {
    timestamp: timeText(Date.now()),
    hostname: hostname(),
    processes: meant.map((record) => keptProcess(record, host.standing(record.id).state)),
  };
}

/**
 * Describes the processes of a snapshot, anew where there is one of that id that does not run.
 * @throws {HostError} When one of them may not be run; then nothing has changed.
 */
export async function takeSnapshot(
  host: IchimiHost,
  { processes }: Snapshot,
  client: Client | undefined,
): Promise<Taken> {
  const before = new Map(host.records.map((record) => [record.id, record]));
  const runs = (id: string) => before.has(id) && !host.service(id).is("idle", "finished");
  const [skipped, meant] = [processes.filter(({ id }) => runs(id)), processes.filter(({ id }) => !runs(id))];
  const project = client?.folder ?? null;
  await host.putAll(meant.map(({ name: _name, state: _state, ...described }) => ({
    ...before.get(described.id) ?? { ...RECORD_DEFAULTS, project },
    ...described,
  })));
  const ids = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id);
  return {
    created: ids(meant.filter(({ id }) => !before.has(id))),
    changed: ids(meant.filter(({ id }) => before.has(id))),
    skipped: ids(skipped),
  };
}

/** Starts those of a snapshot that start by themselves; what cannot be started is told by its standing. */
export async function startTaken(
  host: IchimiHost,
  { processes }: Snapshot,
  client: Client | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  const meant = processes.filter(({ id, autoStartOnRestore }) =>
    autoStartOnRestore && host.service(id).is("idle", "finished")
  );
  const started = await Promise.allSettled(meant.map(({ id }) => host.startProcess(id, client, signal)));
  return meant.filter((_, at) => started[at]!.status === "fulfilled").map(({ id }) => id);
}

/** Where a file is that a client names, or one of the host's own. */
export function snapshotPath(host: IchimiHost, file: string, folder: string | undefined): string {
  if (file.startsWith("/")) return normalize(file);
  return normalize(`${folder ?? `${host.stateFolder}/snapshots`}/${file}`);
}
