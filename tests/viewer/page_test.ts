/** The page in a real browser: what it draws is what the API says, and every chart moves with the others. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { LiveStore } from "../../lib/tsdb/mod.ts";
import { SECTIONS, startViewer, type ViewerSource } from "../../lib/viewer/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { assertEqualsApi, browser, drawn, type Held, held, onPage } from "./browser.ts";
import { BURNER_CPU, burning, CPU_COUNT, syntheticHost } from "./synthetic_host.ts";

const START = 1_790_000_000;
const TICKS = 400;

/** A browser on a viewer whose time stands still until `tick` is called. */
async function onHost(
  run: (page: Page, site: { url: string; tick: (count: number) => void }) => Promise<void>,
) {
  const store = new LiveStore();
  const host = syntheticHost(START);
  let t = 0;
  const tick = (count: number): void => {
    for (const end = t + count; t < end; t++) store.append(host.snapshot(t));
  };
  tick(TICKS);
  const source: ViewerSource = {
    series: store,
    state: () => ({ title: "synthetic-host", mode: "live", intervalSeconds: 1, ...store.range() }),
  };
  await using server = await startViewer({
    show: source,
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
  });
  const url = formatAddress(server.address);
  await onPage(url, (page) => run(page, { url, tick }));
}

Deno.test({
  name: "every chart of every section holds exactly what query_range answers (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page, { url }) => {
      const kinds = new Set<string>();
      for (const [index, { id }] of SECTIONS.entries()) {
        await page.keyboard.press(String(index + 1));
        const charts = await drawn(page, id);
        ok(charts.every(({ series }) => series.length > 0), `all charts of ${id} have series`);
        for (const kind of await assertEqualsApi(url, charts)) kinds.add(kind);
      }
      deepStrictEqual([...kinds].sort(), ["heat", "lines"]);
    }),
});

Deno.test({
  name: "a busy CPU stands out in the heatmap of CPUs, and only while it is busy (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page) => {
      const chart = (await drawn(page, "overview")).find(({ id }) => id === "overview.cores")!;
      strictEqual(chart.series.length, CPU_COUNT);
      const { times, values } = chart.series.find(({ labels }) => labels.id === String(BURNER_CPU))!;
      for (const [i, value] of values.entries()) {
        // Step and tick lie half a second apart, so at the edges either may be shown.
        const t = times[i]! - START - 0.5;
        if (burning(t) !== burning(t - 1) || burning(t) !== burning(t + 1)) continue;
        ok(burning(t) ? value! > 0.85 : value! < 0.85, `tick ${t}: ${value}`);
      }
    }),
});

Deno.test({
  name: "dragging over one chart zooms all, lines and heatmaps, and a double click returns (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page) => {
      const before = await drawn(page, "overview");
      const [from, to] = before[0]!.xRange;
      const box = (await page.locator("[data-chart=cores] .plot").boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 70, { steps: 4 });
      await page.mouse.up();
      await page.waitForFunction(
        (span) => {
          const charts = (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts();
          return charts.every((chart) =>
            chart.xRange[1] - chart.xRange[0] < span / 2 &&
            chart.series.every(({ times }) =>
              times[0]! >= chart.xRange[0] - 1 && times.at(-1)! <= chart.xRange[1] + 1
            )
          );
        },
        to - from,
      );
      const zoomed = await held(page);
      strictEqual(new Set(zoomed.map(({ xRange }) => xRange.join())).size, 1);
      const [start, end] = zoomed[0]!.xRange;
      ok(start > from && end < to);
      ok((await page.evaluate("location.hash") as string).includes(`from=${Math.round(start * 1000)}`));

      await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 60);
      await page.waitForFunction((span) => {
        const charts = (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts();
        return charts.every(({ xRange }) => Math.abs(xRange[1] - xRange[0] - span) < 1);
      }, to - from);
    }),
});

Deno.test({
  name: "while it follows, new points appear; after f it stays where it is (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page, { tick }) => {
      const last = (charts: Held[]): number =>
        Math.max(...charts.map(({ series }) => series[0]!.times.at(-1)!));
      const before = last(await drawn(page, "overview"));
      tick(10);
      await page.waitForFunction(
        (end) =>
          (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts()
            .every(({ series }) => series[0]!.times.at(-1)! >= end),
        before + 9,
      );
      await page.keyboard.press("f");
      await page.waitForSelector(".live[aria-pressed=false]");
      const [, end] = (await held(page))[0]!.xRange;
      tick(10);
      await page.keyboard.press("2");
      strictEqual((await drawn(page, "cpu"))[0]!.xRange[1], end);
    }),
});

Deno.test({
  name: "keys change theme and section and open the help; the address keeps them (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page) => {
      const theme = () => page.evaluate("document.documentElement.dataset.theme");
      strictEqual(await theme(), "dark", "as the system has it");
      await page.keyboard.press("t");
      strictEqual(await theme(), "light");
      strictEqual(await page.evaluate("localStorage.getItem('theme')"), "light");
      await page.keyboard.press("j");
      await drawn(page, "cpu");
      await page.keyboard.press("k");
      await drawn(page, "overview");
      await page.keyboard.press("?");
      ok(await page.locator("[role=dialog]").isVisible());
      await page.keyboard.press("Escape");
      strictEqual(await page.locator("[role=dialog]").count(), 0);
      await page.keyboard.press("3");
      await drawn(page, "scheduler");
      await page.reload();
      await drawn(page, "scheduler");
      strictEqual(await theme(), "light");
      await page.goBack();
      await drawn(page, "overview");
    }),
});

Deno.test({
  name: "the cursor of one chart is on all, and its tooltip tells what stands there (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page) => {
      const charts = new Set((await drawn(page, "overview")).map(({ id }) => id)).size;
      const plot = page.locator("[data-chart=cpu] .plot");
      const box = (await plot.boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + 60);
      await page.waitForSelector("[data-chart=cpu] .tip:not([hidden])");
      strictEqual(await page.locator(".cursor").count(), charts);
      const tip = await page.locator("[data-chart=cpu] .tip").innerText();
      ok(/user\s+[\d.]+%/.test(tip) && /system\s+[\d.]+%/.test(tip), tip);
    }),
});

Deno.test({
  name:
    "charts are made when they come into view, and those without data are named at the end (needs chromium)",
  ...browser,
  fn: () =>
    onHost(async (page) => {
      await page.keyboard.press("2");
      const first = new Set((await drawn(page, "cpu")).map(({ id }) => id));
      ok(!first.has("cpu.migrations_cores"), "it is far below");
      await page.locator("[data-chart=migrations_cores]").scrollIntoViewIfNeeded();
      await page.waitForFunction(() =>
        (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts()
          .some(({ id }) => id === "cpu.migrations_cores")
      );
      ok((await page.locator(".without").innerText()).includes("Instructions per cycle"));
    }),
});
