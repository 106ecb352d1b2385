/** What it costs to look for builds among 2,000 processes. */
import process from "node:process";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { sleep } from "../../lib/async/mod.ts";
import { BuilderWatch } from "../../lib/nix_btm/processes/mod.ts";

const IDLE = 1_700;
const BUILDERS = 300;
const LOOKS = 40;

/** Rows of the bench. */
export async function processesRows(): Promise<BenchRow[]> {
  const groups = [startMany(IDLE, {}), startMany(BUILDERS, { NIX_BUILD_TOP: "/tmp/nix-build-bench.drv-0" })];
  try {
    const first = new BuilderWatch();
    while (membersOf(first) < BUILDERS + 1) await sleep(100);
    const watch = new BuilderWatch();
    const [firstMs] = cpuOf(() => membersOf(watch));
    // Compiled, and with quiet ones known, as after a minute.
    for (let look = 0; look < LOOKS; look++) membersOf(watch);
    const looks = Array.from({ length: LOOKS }, () => cpuOf(() => membersOf(watch))[0]);
    const steady = looks.reduce((sum, ms) => sum + ms, 0) / LOOKS;
    const what = `2,000 processes, ${BUILDERS} of a build`;
    return [
      atMost(`processes: CPU of the first look at ${what}`, firstMs, "ms", 200),
      atMost(`processes: CPU of each further look`, steady, "ms", 30),
    ];
  } finally {
    for (const { pid } of groups) Deno.kill(-pid, "SIGKILL");
    await Promise.all(groups.map(({ status }) => status));
  }
}

/** A session with as many idle processes. */
function startMany(count: number, env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command("setsid", {
    args: ["sh", "-c", `i=0; while [ $i -lt ${count} ]; do sleep 1000 & i=$((i + 1)); done; wait`],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", ...env },
    stdin: "null",
  }).spawn();
}

function membersOf(watch: BuilderWatch): number {
  const build = watch.scan().builds.find(({ name }) => name === "bench");
  return build?.processes.length ?? 0;
}

/** Milliseconds of CPU, user and system, and what came of it. */
function cpuOf<T>(body: () => T): [number, T] {
  const before = process.cpuUsage();
  const result = body();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1_000, result];
}
