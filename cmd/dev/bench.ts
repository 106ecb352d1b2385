/** `deno task bench [AREA…] [--json]`: measures every figure of the design that stands so far. @module */
import { setUp } from "../../lib/build/setup.ts";
import { ROOT } from "../../lib/build/paths.ts";
import type { BenchRow } from "./bench_row.ts";

/** Each area is `tests/bench/<area>_bench.ts`, which exports `<area>Rows()`. */
const AREA_FILE = /^([a-z]+)_bench\.ts$/;

export async function run(args: string[]): Promise<number> {
  const json = args.includes("--json");
  const asked = args.filter((word) => word !== "--json");
  const areas = [...Deno.readDirSync(`${ROOT}tests/bench`)].flatMap(({ name }) =>
    AREA_FILE.exec(name)?.[1] ?? []
  )
    .sort();
  const wrong = asked.find((word) => !areas.includes(word));
  if (wrong !== undefined) {
    console.error(`bench: unknown area "${wrong}"; there are: ${areas.join(", ")}`);
    return 2;
  }
  await setUp("test", (line) => console.error(`setup: ${line}`));
  const rows: BenchRow[] = [];
  const failures: string[] = [];
  for (const area of areas.filter((each) => asked.length === 0 || asked.includes(each))) {
    console.error(`bench: ${area}`);
    try {
      const found = await measure(area);
      rows.push(...found);
      if (!json) { for (const line of tableLines(found)) console.log(line); }
    } catch (error) {
      failures.push(`${area}: ${error instanceof Error ? error.message : error}`);
      console.error(`bench: ${failures.at(-1)}`);
    }
  }
  if (json) console.log(JSON.stringify({ host: hostFacts(), rows, failures }, undefined, 2));
  const missed = rows.filter(({ ok }) => ok === false);
  for (const { name, value, unit, bar } of missed) {
    console.error(`bench: missed: ${name}: ${figure(value)} ${unit}, bar ${bar}`);
  }
  console.error(`bench: ${rows.length} rows, ${missed.length} missed, ${failures.length} areas failed`);
  return missed.length === 0 && failures.length === 0 ? 0 : 1;
}

/** Each area runs in a process of its own: heaps and threads of one must not weigh on the next. */
async function measure(area: string): Promise<BenchRow[]> {
  const module = `${ROOT}tests/bench/${area}_bench.ts`;
  const program = `const m = await import(${JSON.stringify(module)});
    const rows = await m.${area}Rows();
    console.log("\\n" + JSON.stringify(rows));
    Deno.exit(0);`;
  const args = ["run", "--quiet", "--allow-all", "--ext=ts", "-"];
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { code, stdout } = await child.output();
  if (code !== 0) throw new Error(`Cannot measure ${area}: exit ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!);
}

/** The table of some rows; a row without a bar says so. */
export function tableLines(rows: readonly BenchRow[]): string[] {
  const cells = rows.map(({ name, value, unit, bar, ok }) => [
    name,
    figure(value),
    unit,
    bar === undefined ? "no bar" : `${bar}`,
    ok === undefined ? "" : ok ? "ok" : "MISSED",
  ]);
  const widths = [0, 1, 2, 3].map((at) => Math.max(0, ...cells.map((row) => row[at]!.length)));
  return cells.map(([name, value, unit, bar, verdict]) =>
    `  ${name!.padEnd(widths[0]!)}  ${value!.padStart(widths[1]!)} ${unit!.padEnd(widths[2]!)}  ${
      bar!.padEnd(widths[3]!)
    }  ${verdict}`.trimEnd()
  );
}

/** Three digits tell enough, and none is made up. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return "none";
  const digits = Math.abs(value) >= 100 || value === 0
    ? 0
    : Math.abs(value) >= 10
    ? 1
    : Math.abs(value) >= 1
    ? 2
    : 3;
  return value.toFixed(digits);
}

function hostFacts(): Record<string, string | number> {
  return {
    arch: Deno.build.arch,
    cpus: navigator.hardwareConcurrency,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
  };
}
