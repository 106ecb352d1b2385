/** Logs that are cut, shuffled and damaged: nothing breaks, and nothing is left running. */
import { strictEqual } from "node:assert/strict";
import { isOver, LogReader, NixState } from "../../lib/nix/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { scenarios } from "./_scenarios.ts";

/** All of them but the one that is large. */
const SMALL = scenarios().filter(({ bytes }) => bytes.length < 300_000);

/** Lines of logs that come in at the same time; then all of them end. */
function play(logs: readonly (readonly Uint8Array[])[]): NixState {
  const state = new NixState();
  const open = logs.map((chunks) => {
    const id = state.open({ source: "socket" }, 0);
    return { id, chunks, reader: new LogReader((record) => state.apply(id, record, 1)) };
  });
  const longest = Math.max(...logs.map((chunks) => chunks.length));
  for (let at = 0; at < longest; at++) {
    for (const { chunks, reader } of open) if (chunks[at] !== undefined) reader.push(chunks[at]!);
  }
  for (const { id, reader } of open) {
    reader.end();
    state.close(id, 2);
  }
  return state;
}

function checkOver(state: NixState, what: string): void {
  for (const job of state.jobs.values()) {
    strictEqual(isOver(job), true, `${what}: ${job.name} is ${job.state.kind}`);
  }
  for (const command of state.commands.values()) strictEqual(command.state === "running", false, what);
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from) + 1 || bytes.length;
    lines.push(bytes.subarray(from, end));
    from = end;
  }
  return lines;
}

for (const { name, bytes } of SMALL) {
  Deno.test(`${name}, cut at 200 places, with lines dropped, doubled and two at once, leaves nothing running`, () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round++) {
      const end = random.below(bytes.length);
      checkOver(play([[bytes.subarray(0, end)]]), `seed ${seed}, cut at ${end}`);
    }
    const lines = linesOf(bytes);
    for (let round = 0; round < 10; round++) {
      const dropped = lines.filter(() => random.below(20) > 0);
      const doubled = lines.flatMap((line) => random.below(20) > 0 ? [line] : [line, line]);
      const shifted = lines.slice(random.below(lines.length));
      checkOver(play([dropped]), `seed ${seed}, dropped`);
      checkOver(play([doubled]), `seed ${seed}, doubled`);
      checkOver(play([lines, shifted]), `seed ${seed}, two at once`);
      checkOver(play([dropped, doubled, shifted]), `seed ${seed}, three at once`);
    }
  });
}

Deno.test("damaged records break nothing", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = fuzzCount(300); round > 0; round--) {
    const { bytes, name } = SMALL[random.below(SMALL.length)]!;
    const from = random.below(bytes.length);
    const part = bytes.subarray(from, from + 4_000);
    checkOver(
      play([[bytes.subarray(0, from), mutate(part, random), bytes.subarray(from + 4_000)]]),
      `seed ${seed}, ${name}`,
    );
  }
});

Deno.test("two logs of one command, each line twice, count everything once", () => {
  for (const { name, bytes, expected } of SMALL) {
    if (expected.log.lines_nix === 0) continue; // Without ids nobody can know.
    const lines = linesOf(bytes);
    const state = play([lines, lines]);
    strictEqual(state.commands.size, 1, name);
    const builds = [...state.jobs.values()].filter(({ kind, startedMs }) =>
      kind === "build" && startedMs !== undefined
    );
    strictEqual(builds.length, expected.log.build_unique_drvs, name);
    strictEqual(
      builds.reduce((sum, { lineCount }) => sum + lineCount, 0),
      expected.log.log_lines_total,
      name,
    );
  }
});
