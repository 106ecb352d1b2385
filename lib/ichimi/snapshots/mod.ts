/**
 * Snapshots of processes as files, in the formats that upstream has had.
 *
 * Reading order: `snapshot.ts` (what is kept), `yaml.ts`, `kdl.ts` and `json.ts` (how it is written), `files.ts`, `find.ts`.
 * @module
 */
export { type KeptProcess, keptProcess, type Snapshot, SnapshotError } from "./snapshot.ts";
export { fromJson, toJson } from "./json.ts";
export { fromKdl, toKdl } from "./kdl.ts";
export { fromYaml, toYaml } from "./yaml.ts";
export {
  type Format,
  formatOf,
  FORMATS,
  parseSnapshot,
  readSnapshot,
  snapshotText,
  writeSnapshot,
} from "./files.ts";
export { findSnapshots, type FoundFile, type FoundSnapshots } from "./find.ts";
