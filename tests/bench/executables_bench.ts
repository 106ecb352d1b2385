/** The rows of executables in `deno task bench`; alone: `deno run -A tests/bench/executables_bench.ts`. @module */
import { tableLines } from "../../cmd/dev/bench.ts";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { pack, PACKED } from "../../lib/build/pack.ts";
import { packedArguments } from "../../lib/build/tools.ts";
import { runProgram, temporaryFolder } from "../executables/packed.ts";

/** Each is run so often, the two kinds of start in turns; the medians are told. */
const HELPS = 41;
const FIRST_STARTS = 5;
const STARTS = 21;

/** What is run to its end: it loads the whole tool, asks an agent that is not there, and tells so. */
const START = ["rezolus", "status", "/nonexistent/agent.sock"];

/** Measures the packed file; takes about ten seconds. */
export async function executablesRows(): Promise<BenchRow[]> {
  using folder = temporaryFolder();
  const size = await pack(folder.path, {
    answers: await packedAnswers("bench"),
    commit: "bench",
    say: () => {},
  });
  const hostkit = `${folder.path}/${PACKED}`;
  const environment = (name: string) => ({ HOSTKIT_CACHE_DIR: `${folder.path}/${name}` });

  const helps = await times(
    HELPS,
    () => runProgram(hostkit, ["rezolus", "agent", "--help"], environment("none")),
  );
  let count = 0;
  const firsts = await times(FIRST_STARTS, () => runProgram(hostkit, START, environment(`first${count++}`)));

  const warm = environment("first0");
  const [entry] = [...Deno.readDirSync(warm.HOSTKIT_CACHE_DIR)].filter(({ isDirectory }) => isDirectory);
  const unpacked = `${warm.HOSTKIT_CACHE_DIR}/${entry!.name}`;
  const args = [...packedArguments("rezolus"), `${unpacked}/hostkit.js`, ...START];
  const plain = { DENO_DIR: `${folder.path}/deno_dir`, DENO_NO_UPDATE_CHECK: "1" };
  await runProgram(Deno.execPath(), args, plain);
  const later: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    later.push(...await times(1, () => runProgram(hostkit, START, warm)));
    peer.push(...await times(1, () => runProgram(Deno.execPath(), args, plain)));
  }
  const ratio = median(later) / median(peer);
  return [
    { name: "packed: size of the one file", value: size / 1e6, unit: "MB" },
    atMost("packed: --help", median(helps), "ms", 20),
    atMost("packed: first start", median(firsts), "ms", 1000),
    { name: "packed: later starts", value: median(later), unit: "ms" },
    { name: "packed: deno run of the same bundle", value: median(peer), unit: "ms" },
    atMost("packed: later starts to deno run", ratio, "x", 1.3),
  ];
}

async function times(count: number, run: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < count; at++) {
    const started = performance.now();
    await run();
    found.push(performance.now() - started);
  }
  return found;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

if (import.meta.main) { for (const line of tableLines(await executablesRows())) console.log(line); }
