/** Recorded logs against what a separate reader counted in them, and against what Nix itself said of the store. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { basename } from "node:path";
import { ACTIVITY, type NixRecord, NixState } from "../../lib/nix/mod.ts";
import { type Expected, inputsOf, recordsOf, replay, scenario, scenarios } from "./_scenarios.ts";

const NAMES = new Map<number, string>(
  Object.entries(ACTIVITY).map(([name, type]) => [type, name[0]!.toUpperCase() + name.slice(1)]),
);

/** How often each value comes. */
function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function ofKind<K extends NixRecord["kind"]>(records: readonly NixRecord[], kind: K) {
  return records.filter((record): record is Extract<NixRecord, { kind: K }> => record.kind === kind);
}

for (const { name, bytes, expected } of scenarios()) {
  const { log, exit_code, ground_truth } = expected;
  Deno.test(`${name}: the reader finds what another one found, in chunks of any size`, () => {
    for (const chunkBytes of [bytes.length, 4_099, 61]) {
      const { records, reader: { counts } } = recordsOf(bytes, chunkBytes);
      const starts = ofKind(records, "start");
      const messages = Object.fromEntries(Object.entries(counts.messages));
      deepStrictEqual(
        {
          lines: counts.lines,
          plain: counts.plain - counts.broken,
          broken: counts.broken,
          starts: tally(starts.map(({ type }) => NAMES.get(type) ?? type)),
          stops: ofKind(records, "stop").length,
          results: tally(ofKind(records, "result").map(({ type }) => type)),
          messages,
        },
        {
          lines: log.lines_nix + log.lines_plain,
          plain: log.lines_plain,
          broken: log.lines_bad_json,
          starts: log.starts,
          stops: log.actions.stop ?? 0,
          results: log.results,
          messages: log.msgs_by_level,
        },
      );
    }
  });

  Deno.test(`${name}: builds, phases, failures and copies are those of Nix`, () => {
    const { command, jobs } = replayed(bytes, undefined, new NixState({ inputs: inputsOf(expected) }));
    const builds = jobs.filter(({ kind }) => kind === "build");
    const started = builds.filter(({ startedMs }) => startedMs !== undefined);
    strictEqual(jobs.filter(({ state }) => state.kind === "running" || state.kind === "waiting").length, 0);
    strictEqual(started.length, startedIn(log, ground_truth));
    const hosts = tally(started.map(({ host }) => host));
    const remote = Object.entries(log.build_starts_by_host).filter(([host]) => host !== "");
    for (const [host, count] of remote) strictEqual(hosts[host], count, host);
    const phases = Object.fromEntries(
      started.filter(({ phases }) => phases.length > 0)
        .map(({ subject, phases }) => [basename(subject), phases.map((phase) => phase.name)]),
    );
    if (typeof log.phases.count === "number") strictEqual(Object.keys(phases).length, log.phases.count);
    else deepStrictEqual(phases, log.phases);
    strictEqual(started.reduce((sum, { lineCount }) => sum + lineCount, 0), linesIn(log));
    const exits = builds.flatMap(({ subject, state }) =>
      state.kind === "failed" && state.failure.kind === "exit" ? [[subject, state.failure.code]] : []
    );
    deepStrictEqual(exits, log.failed_builders);
    strictEqual(jobs.filter(({ kind }) => kind === "copy").length, log.copy_unique);
    strictEqual(jobs.filter(({ kind }) => kind === "download").length, log.file_transfers);
    strictEqual(command.plannedBuilds, plannedIn(log));
    strictEqual(command.plannedFetches, log.planned_fetches);
    const progress = ({ done, expected, running, failed }: typeof command.builds) => [
      done,
      expected,
      running,
      failed,
    ];
    deepStrictEqual(progress(command.builds), log.builds_progress_last ?? [0, 0, 0, 0]);
    deepStrictEqual(progress(command.substitutions), log.copypaths_progress_last ?? [0, 0, 0, 0]);
    strictEqual(command.state, exit_code === 0 ? "succeeded" : "failed");
    const copied = jobs.filter(({ kind, state }) => kind === "copy" && state.kind === "succeeded");
    strictEqual(copied.length, log.copy_unique);
  });

  Deno.test(`${name}: what Nix has built is told as built, and nothing else`, () => {
    const { jobs } = replayed(bytes, exit_code);
    const built = jobs.filter(({ kind, state }) => kind === "build" && state.kind === "succeeded");
    const valid = new Set(ground_truth?.valid_after ?? []);
    if (valid.size === 0 && exit_code === 0) return strictEqual(built.length, startedIn(log, ground_truth));
    for (const { subject } of built) ok(valid.has(subject), subject);
    if (exit_code === 0) strictEqual(built.length, startedIn(log, ground_truth));
  });
}

function replayed(bytes: Uint8Array, exitCode?: number, state?: NixState) {
  const { commands, jobs } = replay(bytes, exitCode, state);
  strictEqual(commands.size, 1);
  return { command: [...commands.values()][0]!, jobs: [...jobs.values()] };
}

/** The separate reader reads records only: in a log for people all that was valid afterwards was built. */
function startedIn(log: Expected["log"], truth: Expected["ground_truth"]): number {
  return log.lines_nix > 0 ? log.build_unique_drvs : truth?.valid_after?.length ?? 0;
}

function plannedIn(log: Expected["log"]): number {
  return log.lines_nix > 0 ? log.planned_builds : 5;
}

/** Lines of four builds at a time without a name belong to nobody; those of the last one are its own. */
function linesIn(log: Expected["log"]): number {
  return log.lines_nix > 0 ? log.log_lines_total : 3;
}

Deno.test("a forged failure, error or interrupt of a builder is not believed", () => {
  const { bytes } = scenario("11-forged-builder-json");
  const text = new TextDecoder().decode(bytes);
  const drv = /\/nix\/store\/\S+?-fakejson\.drv/.exec(text)![0];
  const forged = [
    `error: builder for '${drv}' failed with exit code 1`,
    "error: interrupted by the user",
    "error: something terrible",
  ].map((msg) => `@nix ${JSON.stringify({ action: "msg", level: 0, msg })}\n`).join("");
  const at = text.indexOf("@nix", text.lastIndexOf("forged error"));
  const { command, jobs } = replayed(new TextEncoder().encode(text.slice(0, at) + forged + text.slice(at)));
  strictEqual(command.state, "succeeded");
  deepStrictEqual(jobs.map(({ state }) => state.kind), ["succeeded"]);
});
