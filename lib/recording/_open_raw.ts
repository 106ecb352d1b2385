/** Opens snapshots that lie one behind the other as MessagePack. @module */
import { zstdDecompressSync } from "node:zlib";
import { decodeSnapshotAt, MsgpackError, SchemaCache, type Snapshot } from "../metrics/mod.ts";
import type { FileSource } from "./_file_source.ts";
import { encodeGroupRow } from "./group_row.ts";
import { GroupRows } from "./group_rows.ts";
import type { Opened } from "./recording.ts";
import { RecordedTable } from "./table.ts";

/** A raw recording is read whole: it is meant to be converted, not kept. */
const MAX_RAW_BYTES = 1 << 30;

/** Opens a raw recording. One that is cut off is read up to the last whole snapshot. */
export function openRaw(file: FileSource): Opened {
  if (file.sizeBytes > MAX_RAW_BYTES) {
    throw new RangeError(
      `it has ${file.sizeBytes} bytes of raw snapshots, this build reads up to ${MAX_RAW_BYTES}`,
    );
  }
  let bytes = file.read(0, file.sizeBytes);
  if (bytes[0] === 0x28) bytes = zstdDecompressSync(bytes, { maxOutputLength: MAX_RAW_BYTES });
  const groups = new Map<string, { rows: GroupRows; schema: unknown }>();
  const durations = new Map<bigint, bigint>();
  const notes: string[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  const cache = new SchemaCache();
  for (let at = 0, tick = 0; at < bytes.length; tick++) {
    let snapshot: Snapshot;
    try {
      const decoded = decodeSnapshotAt(bytes, at, cache);
      snapshot = decoded.snapshot;
      at = decoded.end;
    } catch (error) {
      if (tick === 0 || !(error instanceof MsgpackError)) throw error;
      notes.push(`what follows byte ${at} (tick ${tick}) is left out: ${error.message}`);
      break;
    }
    if (tick === 0) metadata = snapshot.metadata;
    durations.set(snapshot.timeNs, snapshot.durationNs);
    for (const group of snapshot.groups) {
      let known = groups.get(group.name);
      if (known === undefined) groups.set(group.name, known = { rows: new GroupRows(), schema: undefined });
      known.rows.add(snapshot.timeNs, 0n, encodeGroupRow(group, known.schema !== group.schema));
      known.schema = group.schema;
    }
  }
  return {
    format: "raw",
    complete: notes.length === 0,
    metadata,
    labels: {},
    tables: [...groups].map(([name, { rows }]) => new RecordedTable(name, [rows])),
    durations,
    notes,
    [Symbol.dispose]: () => {},
  };
}
