/** Snapshots as JSON: processes by their ids, as upstream's `export_processes` writes them. Pure. @module */
import { distinct, ownFields, readProcess, type Snapshot, SnapshotError, stateFields } from "./snapshot.ts";

export function toJson({ timestamp, processes }: Snapshot): string {
  const all = processes.map((process) => {
    const { id, name, command, args, env, cwd, autoStartOnRestore, tags, state } = process;
    const found: Readonly<Record<string, unknown>> = stateFields(state);
    const status = {
      state: state.kind,
      pid: found.pid ?? null,
      exit_code: found.exit_code ?? null,
      started_at: found.started_at ?? null,
      stopped_at: found.stopped_at ?? found.failed_at ?? null,
      error: found.error ?? null,
    };
    return [id, {
      process_id: id,
      name,
      command,
      args,
      env,
      cwd,
      status,
      created_at: timestamp,
      updated_at: timestamp,
      tags,
      auto_start_on_restore: autoStartOnRestore,
      ...ownFields(process),
    }];
  });
  return `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`;
}

/** @throws {SnapshotError} Saying what is wrong, with its place. */
export function fromJson(text: string): Snapshot {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new SnapshotError(`not JSON: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  if (typeof found !== "object" || found === null) throw new SnapshotError("there are no processes in it");
  // A list is what earlier versions wrote.
  const entries = Array.isArray(found)
    ? found.map((each, at) => [`Process ${at + 1}`, each])
    : Object.entries(found);
  const processes = entries.map(([place, each]) => {
    const { process_id: id, ...fields } = (each ?? {}) as Record<string, unknown>;
    return readProcess({ ...fields, id: id ?? fields.id }, String(place));
  });
  return { timestamp: "", processes: distinct(processes) };
}
