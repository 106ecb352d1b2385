/** Recorded logs of Nix 2.8.0 with what a separate reader counted in them. For tests. @module */
import { existsSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { LogReader, type NixRecord, NixState } from "../../lib/nix/mod.ts";

const FOLDER = new URL("../testdata/nix/", import.meta.url).pathname;

/** What is known of a log. */
export interface Expected {
  readonly scenario: string;
  readonly file: string;
  readonly exit_code: number;
  readonly ground_truth: {
    readonly root_drv: string | null;
    readonly edges: readonly (readonly [string, string])[];
    readonly valid_after: readonly string[] | null;
  } | null;
  readonly log: {
    readonly lines_nix: number;
    readonly lines_plain: number;
    readonly lines_bad_json: number;
    readonly actions: Readonly<Record<string, number>>;
    readonly starts: Readonly<Record<string, number>>;
    readonly results: Readonly<Record<string, number>>;
    readonly msgs_by_level: Readonly<Record<string, number>>;
    readonly build_unique_drvs: number;
    readonly build_starts: number;
    readonly build_starts_by_host: Readonly<Record<string, number>>;
    readonly failed_builders: readonly (readonly [string, number])[];
    readonly planned_builds: number;
    readonly planned_fetches: number;
    readonly copy_paths: number;
    readonly copy_unique: number;
    readonly copy_bytes: number;
    readonly file_transfers: number;
    readonly build_waiting: number;
    /** By derivation; of hundreds their count alone. */
    readonly phases: Readonly<Record<string, readonly string[] | number>>;
    readonly log_lines_total: number;
    readonly builds_progress_last: readonly number[] | null;
    readonly copypaths_progress_last: readonly number[] | null;
    readonly never_stopped: number;
    readonly error_messages: readonly string[];
  };
}

export interface Scenario {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly expected: Expected;
}

/** All that are recorded, by name. */
export function scenarios(): Scenario[] {
  const names = [...Deno.readDirSync(FOLDER)].flatMap(({ name }) =>
    /^(\d.*)\.expected\.json$/.exec(name)?.[1] ?? []
  );
  return names.sort().map(scenario);
}

export function scenario(name: string): Scenario {
  const expected = JSON.parse(Deno.readTextFileSync(`${FOLDER}${name}.expected.json`)) as Expected;
  const path = `${FOLDER}${name}.log`;
  const bytes = existsSync(path)
    ? Deno.readFileSync(path)
    : new Uint8Array(gunzipSync(Deno.readFileSync(`${path}.gz`)));
  return { name, bytes, expected };
}

/** Every record of a log, read in chunks of a size. */
export function recordsOf(
  bytes: Uint8Array,
  chunkBytes = 65_536,
): { records: NixRecord[]; reader: LogReader } {
  const records: NixRecord[] = [];
  const reader = new LogReader((record) => records.push(record));
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  reader.end();
  return { records, reader };
}

/** What a derivation of a scenario needs, as Nix shows it. */
export function inputsOf({ ground_truth }: Expected): (path: string) => string[] {
  const edges = ground_truth?.edges ?? [];
  return (path) => edges.filter(([from]) => from === path).map(([, to]) => to);
}

/** The state after a log was read to its end; a record takes a millisecond. */
export function replay(bytes: Uint8Array, exitCode?: number, state: NixState = new NixState()): NixState {
  const log = state.open({ source: "replay" }, 0);
  let nowMs = 0;
  const reader = new LogReader((record) => state.apply(log, record, ++nowMs));
  reader.push(bytes);
  reader.end();
  state.close(log, ++nowMs, exitCode);
  return state;
}
