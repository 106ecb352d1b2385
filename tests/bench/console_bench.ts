/** What the web console costs the daemon, with 200 processes that live and a page that shows them. */
import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { systemConfig } from "../../ffi/sys/mod.ts";
import { sleep } from "../../lib/async/mod.ts";
import { Home } from "../ichimi/_front.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../viewer/browser.ts";

const PROCESSES = 200;
/** A line of each in so many seconds: fifty lines a second in all. */
const LINE_EVERY_S = 4;
const MEASURED_MS = 15_000;
/** Until everything is compiled and has come to rest. */
const WARM_MS = 8_000;
const ASKS = 100;

interface Door {
  readonly url: string;
  readonly token: string;
}

/** Rows of the bench. */
export async function consoleRows(): Promise<BenchRow[]> {
  await using home = new Home();
  const door: Door = JSON.parse((await home.run("console", "--json")).out);
  const ask = (method: string, path: string, body?: object) =>
    fetch(`${door.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${door.token}`, "content-type": "application/json" },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    }).then((response) => response.text());
  const script = `while :; do echo request served; sleep ${LINE_EVERY_S}; done`;
  for (let at = 0; at < PROCESSES; at++) {
    const id = `process-${at}`;
    await ask("POST", "/processes", {
      id,
      command: "sh",
      args: ["-c", script],
      auto_start_on_create: true,
      // They end with the daemon.
      lifetime: "session",
    });
  }
  const cost = async (): Promise<number> => {
    await sleep(WARM_MS);
    const [before, sinceMs] = [cpuSeconds(home.pid), performance.now()];
    await sleep(MEASURED_MS);
    return 100_000 * (cpuSeconds(home.pid) - before) / (performance.now() - sinceMs);
  };
  const without = await cost();
  const what = `console: CPU of the daemon with ${PROCESSES} live processes`;
  const rows: BenchRow[] = [{ name: `${what} and no page`, value: without, unit: "% of a core" }];
  const pages = await withPages(door, ["processes", "processes/process-7"], cost);
  rows.push(...pages.map(({ path, value }) => atMost(`${what}, page #/${path}`, value, "% of a core", 5)));
  for (const path of ["/processes", "/dashboard", "/usage"]) {
    const times: number[] = [];
    for (let at = 0; at < ASKS; at++) {
      const begunMs = performance.now();
      await ask("GET", path);
      times.push(performance.now() - begunMs);
    }
    rows.push({
      name: `console: GET /api${path}, p50`,
      value: times.sort((a, b) => a - b)[ASKS / 2]!,
      unit: "ms",
    });
  }
  return rows;
}

/** What something costs while a browser shows a page. */
async function withPages(
  { url, token }: Door,
  paths: readonly string[],
  cost: () => Promise<number>,
): Promise<{ readonly path: string; readonly value: number }[]> {
  if (!existsSync(CHROMIUM)) return [];
  const app = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
  try {
    const page = await app.newPage();
    await page.goto(`${url}/?token=${token}`);
    await page.evaluate("hostkit.ready");
    const found = [];
    for (const path of paths) {
      await page.goto(`${url}/#/${path}`);
      found.push({ path, value: await cost() });
    }
    return found;
  } finally {
    await app.close();
  }
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / systemConfig("clockTicksPerSecond");
}
