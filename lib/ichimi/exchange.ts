/** Processes that go out into snapshots, and come back from them. @module */
import { hostname } from "node:os";
import { normalize } from "node:path/posix";
import type { IchimiHost, StartOptions } from "./host.ts";
import { RECORD_DEFAULTS } from "./record.ts";
import { keptProcess, type Snapshot } from "./snapshots/mod.ts";
import { timeText } from "./state.ts";

/** What became of the processes of a snapshot; ids. */
export interface Taken {
  readonly created: string[];
  readonly changed: string[];
  /** They run. */
  readonly skipped: string[];
  /** Of those that start by themselves. */
  readonly started: string[];
  readonly not_started: { readonly id: string; readonly reason: string }[];
}

/** How a snapshot is taken back. */
export interface TakeOptions extends Pick<StartOptions, "client" | "signal"> {
  /** Whether those that start by themselves are started. */
  readonly start: boolean;
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
  options: TakeOptions,
): Promise<Taken> {
  const before = new Map(host.records.map((record) => [record.id, record]));
  const runs = (id: string) => before.has(id) && !host.service(id).is("idle", "finished");
  const [skipped, meant] = [processes.filter(({ id }) => runs(id)), processes.filter(({ id }) => !runs(id))];
  const project = options.client?.folder ?? null;
  // What belongs to no project would never end with one.
  const lifetime = project === null ? "persistent" : RECORD_DEFAULTS.lifetime;
  await host.putAll(meant.map(({ name: _name, state: _state, ...described }) => ({
    ...before.get(described.id) ?? { ...RECORD_DEFAULTS, project, lifetime },
    ...described,
  })));
  const ids = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id);
  const taken: Taken = {
    created: ids(meant.filter(({ id }) => !before.has(id))),
    changed: ids(meant.filter(({ id }) => before.has(id))),
    skipped: ids(skipped),
    started: [],
    not_started: [],
  };
  const starting = options.start ? meant.filter(({ autoStartOnRestore }) => autoStartOnRestore) : [];
  await Promise.all(starting.map(async ({ id }) => {
    try {
      await host.startProcess(id, options);
      taken.started.push(id);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      taken.not_started.push({ id, reason: error.message });
    }
  }));
  return taken;
}

/** Where a file is that a client names, or one of the host's own. */
export function snapshotPath(host: IchimiHost, file: string, folder: string | undefined): string {
  if (file.startsWith("/")) return normalize(file);
  return normalize(`${folder ?? `${host.stateFolder}/snapshots`}/${file}`);
}
