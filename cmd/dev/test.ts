/**
 * `deno task test [PATH…] [--filter TEXT]`: set-up, format, lint, types, then the tests, one run an area so that the
 * minutes of each can be told. Ends with the line `N passed, N failed, N skipped`. `--mutate [AREA…]` asks instead what
 * the tests miss.
 * @module
 */
import { formatCommands, lintCommands, runShown, testCommand, typeCommands } from "../../lib/build/checks.ts";
import { setUp } from "../../lib/build/setup.ts";
import { ROOT } from "../../lib/build/paths.ts";

/** Counts of one run of `deno test`. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export async function run(args: string[]): Promise<number> {
  if (args[0] === "--mutate") {
    await setUp("test", (line) => console.error(`setup: ${line}`));
    return (await import("./mutate.ts")).mutate(args.slice(1));
  }
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const minutes: [string, number][] = [];
  const timed = async (name: string, work: () => Promise<void>) => {
    const started = performance.now();
    try {
      await work();
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : error}`);
      total.failed++;
    }
    minutes.push([name, (performance.now() - started) / 60_000]);
  };
  const whole = args.length === 0;

  await timed("set-up", () => setUp("test", (line) => console.error(`setup: ${line}`)));
  if (whole) await timed("checks", () => checks(total));
  const areas = whole ? testAreas() : [args];
  for (const area of areas) {
    await timed(
      whole ? area[0]!.slice("tests/".length) : "tests",
      async () => add(total, await denoTest(area)),
    );
  }

  console.log(`\nminutes: ${minutes.map(([name, spent]) => `${name} ${spent.toFixed(1)}`).join(", ")}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

/** Format, lint and types; each command is one passed or failed. */
async function checks(total: Counts): Promise<void> {
  for (const command of [...formatCommands({ check: true }), ...lintCommands(), ...typeCommands()]) {
    if (await runShown(command) === 0) total.passed++;
    else {
      total.failed++;
      console.error(`failed: ${command.slice(0, 4).join(" ")} …`);
    }
  }
}

/** Each folder of `tests/` is an area, and so are the files that lie in `tests/` itself. */
function testAreas(): string[][] {
  const areas: string[][] = [];
  const files: string[] = [];
  for (const entry of Deno.readDirSync(`${ROOT}tests`)) {
    if (entry.isDirectory && hasTests(`tests/${entry.name}`)) areas.push([`tests/${entry.name}`]);
    else if (entry.name.endsWith("_test.ts")) files.push(`tests/${entry.name}`);
  }
  return [...files.sort().map((file) => [file]), ...areas.sort()];
}

function hasTests(folder: string): boolean {
  return [...Deno.readDirSync(ROOT + folder)].some(({ name, isDirectory }) =>
    isDirectory ? hasTests(`${folder}/${name}`) : name.endsWith("_test.ts")
  );
}

async function denoTest(args: readonly string[]): Promise<Counts> {
  const [program, ...rest] = testCommand("--parallel", ...args);
  const env = { NO_COLOR: "1", DENO_JOBS: "2" };
  const child = new Deno.Command(program, { args: rest, cwd: ROOT, env, stdin: "null", stdout: "piped" })
    .spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    for (let written = 0; written < chunk.length;) written += Deno.stdout.writeSync(chunk.subarray(written));
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4000);
  }
  const { code } = await child.status;
  return closingCounts(tail, code);
}

/** Reads the closing line of `deno test`; a run without one (it could not even load) counts as a failure. */
export function closingCounts(output: string, code: number): Counts {
  const line =
    /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/gm;
  const [, passed, failed, skipped] = [...output.matchAll(line)].at(-1) ?? [];
  const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0) };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function add(total: Counts, counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
