/** Snapshots as YAML, as upstream's `snapshot.yaml`. Pure. @module */
import { parse, stringify } from "yaml";
import {
  distinct,
  ownFields,
  readProcess,
  type Snapshot,
  SNAPSHOT_VERSION,
  SnapshotError,
  stateFields,
} from "./snapshot.ts";

/** @param version Of the program that writes it. */
export function toYaml({ timestamp, hostname, processes }: Snapshot, version: string): string {
  const document = {
    version: SNAPSHOT_VERSION,
    timestamp,
    metadata: {
      ichimi_version: version,
      total_processes: processes.length,
      auto_start_processes: processes.filter(({ autoStartOnRestore }) => autoStartOnRestore).length,
      ...hostname === undefined ? {} : { hostname },
    },
    processes: processes.map((process) => ({
      id: process.id,
      name: process.name,
      command: process.command,
      args: process.args,
      env: process.env,
      cwd: process.cwd,
      auto_start_on_restore: process.autoStartOnRestore,
      state: { status: process.state.kind, ...stateFields(process.state) },
      tags: process.tags,
      ...ownFields(process),
    })),
  };
  // Upstream's reader is one of YAML 1.1, to which words like "no" and "1.0" are no texts unless they are quoted.
  // Anchors are of no use to who reads it, and break when one of the places is edited.
  return stringify(document, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
}

/** @throws {SnapshotError} Saying what is wrong, with its place. */
export function fromYaml(text: string): Snapshot {
  let found: unknown;
  try {
    // Warnings would go to the standard error of whoever reads, not to who asks.
    found = parse(text, { logLevel: "error" });
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split("\n") : [String(error)];
    throw new SnapshotError(`not YAML: ${reason!.replace(/:$/, "")}`, { cause: error });
  }
  if (typeof found !== "object" || found === null) throw new SnapshotError("there is no snapshot in it");
  const { version, timestamp, metadata, processes } = found as Record<string, unknown>;
  if (`${version}` !== SNAPSHOT_VERSION && version !== 1) {
    throw new SnapshotError(`its version is ${JSON.stringify(version)}, expected "${SNAPSHOT_VERSION}"`);
  }
  if (!Array.isArray(processes)) throw new SnapshotError('"processes" must be a list');
  const { hostname } = (metadata ?? {}) as Record<string, unknown>;
  return {
    timestamp: String(timestamp ?? ""),
    ...typeof hostname === "string" ? { hostname } : {},
    processes: distinct(processes.map((each, at) => readProcess(each, `Process ${at + 1}`))),
  };
}
