/** Drives the page in headless Chromium and reads what its charts hold. @module */
import { existsSync } from "node:fs";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Debian's browser. */
export const CHROMIUM = "/usr/bin/chromium";

/** Flags for a browser that shows nothing and asks nobody. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What a chart holds for one of its queries; `hostkit.charts()` of the page. */
export interface Held {
  id: string;
  kind: string;
  query: string;
  series: { labels: Record<string, string>; times: number[]; values: (number | null)[] }[];
  xRange: [number, number];
}

/** Test options of a browser test: skipped without Chromium. The driver keeps pipes to its browser. */
export const browser = { ignore: !existsSync(CHROMIUM), sanitizeOps: false, sanitizeResources: false };

/** Opens `url` in a browser of its own and runs `run`; fails when the page complains on its console. */
export async function onPage(url: string, run: (page: Page) => Promise<void>): Promise<void> {
  const profile = await Deno.makeTempDir({ prefix: "viewer-page-" });
  let context: BrowserContext | undefined;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: [...CHROMIUM_FLAGS],
      viewport: { width: 1440, height: 900 },
      colorScheme: "dark",
    });
    const page = context.pages()[0] ?? await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(url);
    await page.evaluate("hostkit.ready");
    await run(page);
    deepStrictEqual(complaints, [], "the console is silent");
  } finally {
    await context?.close();
    await Deno.remove(profile, { recursive: true });
  }
}

/** What is on the canvases now. */
export const held = (page: Page): Promise<Held[]> => page.evaluate("hostkit.charts()");

/** Waits until all charts that are in view hold data of the section. */
export async function drawn(page: Page, section: string): Promise<Held[]> {
  await page.waitForFunction(
    (id) => {
      const charts = (globalThis as unknown as { hostkit: { charts(): { id: string }[] } }).hostkit.charts();
      return charts.length > 0 && charts.every((chart) => chart.id.startsWith(`${id}.`));
    },
    section,
  );
  return held(page);
}

/** Asserts that charts hold at least 20 points each, and exactly what `query_range` says. Returns their kinds. */
export async function assertEqualsApi(url: string, charts: readonly Held[]): Promise<Set<string>> {
  const kinds = new Set<string>();
  for (const chart of charts) {
    kinds.add(chart.kind);
    // A query of a chart with several may have no series: a percentile of nothing.
    if (chart.series.length === 0) continue;
    const expected = await fromApi(url, chart);
    for (const { labels, times, values } of chart.series) {
      ok(times.length >= 20, `${chart.id} has ${times.length} points`);
      const answer = expected.get(JSON.stringify(Object.entries(labels).sort()));
      // A bucket that the API leaves out was empty.
      const filled = values.map((value, i) => value === 0 && answer?.[i] === null ? null : value);
      if (answer === undefined) ok(filled.every((value) => value === null || value === 0), chart.id);
      else deepStrictEqual(filled, answer, `${chart.id} ${JSON.stringify(labels)}`);
    }
  }
  return kinds;
}

/** What `query_range` says for the same query and steps. */
async function fromApi(url: string, chart: Held): Promise<Map<string, (number | null)[]>> {
  const times = chart.series[0]!.times;
  const step = times[1]! - times[0]!;
  const params = new URLSearchParams({
    query: chart.query,
    start: String(times[0]),
    end: String(times.at(-1)),
    step: String(step),
    lookback_delta: "5",
  });
  const response = await fetch(`${url}/api/v1/query_range`, { method: "POST", body: params });
  const body = await response.json();
  strictEqual(body.status, "success", `${chart.query}: ${body.error}`);
  const out = new Map<string, (number | null)[]>();
  const at = (time: number): number => Math.round((time - times[0]!) / step);
  const row = (labels: object): (number | null)[] => {
    const key = JSON.stringify(Object.entries(labels).sort());
    if (!out.has(key)) out.set(key, new Array(times.length).fill(null));
    return out.get(key)!;
  };
  for (const { metric, values = [], histograms = [] } of body.data.result) {
    for (const [time, text] of values) row(metric)[at(time)] = Number(text);
    for (const [time, { buckets }] of histograms) {
      for (const [, lower, , count] of buckets) row({ ...metric, bucket: lower })[at(time)] = Number(count);
    }
  }
  return out;
}
