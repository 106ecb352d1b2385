/**
 * `deno task test --mutate [AREA…]`: replaces the body of each exported function by a `throw`, one at a time in a copy
 * of the checkout, and lists those that no test misses.
 * @module
 */
import { testCommand } from "../../lib/build/checks.ts";
import { type Mutant, mutantsOf, mutated } from "../../lib/build/mutants.ts";
import { BUILD, ROOT } from "../../lib/build/paths.ts";
import { exec, filesBelow } from "../../lib/build/step.ts";

/** What is mutated, and by which tests it must be missed. */
const AREAS: Readonly<Record<string, { sources: readonly string[]; tests: readonly string[] }>> = {
  ring: { sources: ["lib/ring", "ffi/ring"], tests: ["tests/ring"] },
  bpf: { sources: ["ffi/bpf", "lib/telemetry/bpf"], tests: ["tests/bpf", "tests/telemetry"] },
  metrics: { sources: ["lib/metrics"], tests: ["tests/metrics"] },
  recording: { sources: ["lib/recording"], tests: ["tests/recording"] },
  keeper: { sources: ["lib/keeper", "ffi/keeper"], tests: ["tests/keeper"] },
  swap: { sources: ["lib/swap", "ffi/sockets", "ffi/interpose"], tests: ["tests/swap", "tests/sockets"] },
  supervisor: { sources: ["lib/supervisor"], tests: ["tests/supervisor"] },
  nix: { sources: ["lib/nix"], tests: ["tests/nix", "tests/nix_btm"] },
};

/** Copies of the checkout in use at one time. */
const WORKERS = 2;

/** A test that hangs is a test that missed something. */
const TEST_LIMIT_S = 180;

export async function mutate(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.find((area) => !(area in AREAS));
  if (unknown !== undefined) {
    throw new RangeError(`unknown area "${unknown}"; there are: ${Object.keys(AREAS).join(", ")}`);
  }
  const jobs = (wanted.length > 0 ? wanted : Object.keys(AREAS)).flatMap((area) => {
    const { sources, tests } = AREAS[area]!;
    const files = sources.flatMap((folder) => filesBelow(folder, /\.ts$/));
    const mutants = files.flatMap((file) => mutantsOf(file, Deno.readTextFileSync(ROOT + file)));
    return mutants.map((mutant) => ({ mutant, tests }));
  });
  console.log(`${jobs.length} mutants`);
  const survivors: Mutant[] = [];
  let done = 0;
  await Promise.all(Array.from({ length: WORKERS }, async (_, worker) => {
    const copy = await copyCheckout(worker);
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      if (await survives(copy, job.mutant, job.tests)) {
        survivors.push(job.mutant);
        console.log(`survived: ${job.mutant.file} ${job.mutant.name}`);
      }
      if (++done % 20 === 0) console.log(`${done} tried`);
    }
    await Deno.remove(copy, { recursive: true });
  }));
  console.log(`${done} mutants, ${survivors.length} survivors`);
  return survivors.length === 0 ? 0 : 1;
}

async function copyCheckout(worker: number): Promise<string> {
  const copy = `${BUILD}mutate/${worker}/`;
  await Deno.mkdir(copy, { recursive: true });
  await exec("cp", [
    "-a",
    ...["cmd", "lib", "ffi", "bpf", "config", "tests", "deno.json", "deno.lock"].map((name) => ROOT + name),
    copy,
  ]);
  await exec("ln", ["-sfn", BUILD.slice(0, -1), `${copy}.build`]);
  await exec("ln", ["-sfn", `${ROOT}../shared`, `${BUILD}mutate/shared`]);
  return copy;
}

async function survives(copy: string, mutant: Mutant, tests: readonly string[]): Promise<boolean> {
  const path = copy + mutant.file;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, mutated(text, mutant));
  try {
    // The nearest tests know most mutants, in a fraction of the time.
    for (const near of nearestTests(mutant.file, tests)) if (!(await passes(copy, [near]))) return false;
    return await passes(copy, tests);
  } finally {
    await Deno.writeTextFile(path, text);
  }
}

/** Files that are named as a source or as its folder. */
function nearestTests(source: string, folders: readonly string[]): string[] {
  const names = source.replace(/\.ts$/, "").split("/").slice(-2).toReversed();
  const files = folders.flatMap((folder) => filesBelow(folder, /_test\.ts$/));
  return names.flatMap((name) => files.filter((file) => file.endsWith(`/${name}_test.ts`)));
}

async function passes(copy: string, tests: readonly string[]): Promise<boolean> {
  // What a mutant leaves behind ends with its namespace.
  const alone = Deno.uid() === 0 ? ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] : [];
  const args = [
    ...["--signal=KILL", `${TEST_LIMIT_S}`, ...alone],
    ...testCommand("--fail-fast", ...tests),
  ];
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  return (await new Deno.Command("timeout", { args, cwd: copy, ...quiet }).output()).success;
}
