/** Events on the page: marks on every chart that say what happened, and a list of them. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import type { LoggedEvent } from "../../lib/events/mod.ts";
import { LiveStore } from "../../lib/tsdb/mod.ts";
import { startViewer, type ViewerSource } from "../../lib/viewer/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { layoutMarks, markAt } from "../../lib/viewer/web/events.ts";
import { xOf } from "../../lib/viewer/web/geometry.ts";
import { browser, drawn, onPage } from "./browser.ts";
import { syntheticHost } from "./synthetic_host.ts";

const START = 1_790_000_000;
const TICKS = 400;
const END_MS = (START + TICKS) * 1_000;

function event(id: number, beforeEndMs: number, more: Partial<LoggedEvent> = {}): LoggedEvent {
  return {
    id,
    timeMs: END_MS - beforeEndMs,
    source: "nix-btm",
    name: "build",
    text: `build ${id}`,
    severity: "info",
    ...more,
  };
}

/** A browser on a host to which events happen as `add` says. */
async function onHost(
  first: readonly LoggedEvent[],
  run: (page: Page, site: { url: string; add: (...more: LoggedEvent[]) => void }) => Promise<void>,
) {
  const store = new LiveStore();
  const host = syntheticHost(START);
  for (let t = 0; t < TICKS; t++) store.append(host.snapshot(t));
  const events = [...first];
  const source: ViewerSource = {
    series: store,
    state: () => ({
      title: "synthetic-host",
      mode: "live",
      intervalSeconds: 1,
      newestEvent: events.at(-1)?.id ?? 0,
      ...store.range(),
    }),
    events: (id) => events.filter((each) => each.id > id),
  };
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  await using server = await startViewer({ show: source, listen });
  const url = formatAddress(server.address);
  await onPage(url, (page) => run(page, { url, add: (...more) => void events.push(...more) }));
}

/** Waits until the page has so many events and so many marks of them on a plot that is 500 pixels wide. */
async function untilMarks(page: Page, events: number, marks: number): Promise<void> {
  await page.waitForFunction(([events, marks]) => {
    type Hostkit = { events(width: number): { events: unknown[]; marks: number } };
    const held = (globalThis as unknown as { hostkit: Hostkit }).hostkit.events(500);
    return held.events.length === events && held.marks === marks;
  }, [events, marks]);
}

Deno.test("marks stand at their times, the worst of those that would cover each other gives its colour", () => {
  const frame = { width: 500, startMs: END_MS - 100_000, endMs: END_MS };
  const sorted = [
    event(1, 200_000),
    event(2, 50_000),
    event(3, 49_900, { severity: "error" }),
    event(4, 10_000, { severity: "warning" }),
  ];
  const marks = layoutMarks(sorted, frame);
  deepStrictEqual(marks.map(({ severity, events }) => [severity, events.map(({ id }) => id)]), [
    ["error", [2, 3]],
    ["warning", [4]],
  ]);
  strictEqual(marks[0]!.x, xOf(END_MS - 50_000, frame));
  strictEqual(markAt(marks, marks[1]!.x + 4)?.severity, "warning");
  strictEqual(markAt(marks, marks[1]!.x + 9), undefined);
});

Deno.test({
  name:
    "events are marks on every chart that tell what happened, and go off and on by a key (needs chromium)",
  ...browser,
  fn: () =>
    onHost([
      event(1, 200_000, { severity: "error", text: "hello failed in checkPhase", durationMs: 60_000 }),
      event(2, 100_000, { source: "bpm", text: "api runs" }),
    ], async (page, { add }) => {
      await drawn(page, "overview");
      await untilMarks(page, 2, 2);
      await untilOnEveryPlot(page, ".marks[data-marks='2']");
      const box = (await page.locator("[data-chart=cpu] .plot").boundingBox())!;
      await page.mouse.move(
        box.x + xOf(END_MS - 200_000, await frameOf(page, box.width)),
        box.y + 60,
      );
      await page.waitForSelector("[data-chart=cpu] .tip p");
      match(
        await page.locator("[data-chart=cpu] .tip").innerText(),
        /hello failed in checkPhase\s+1m[^]*user/,
      );
      // How long it took is on every chart.
      await untilOnEveryPlot(page, ".took");
      await page.keyboard.press("e");
      await untilMarks(page, 2, 0);
      await page.keyboard.press("e");
      add(event(3, 5_000));
      await untilMarks(page, 3, 3);
      await page.keyboard.press("?");
      await page.waitForSelector("[role=dialog]");
      match(await page.locator("[role=dialog]").innerText(), /Marks of events on charts[^]*List of events/);
    }),
});

/** Waits until every chart that is drawn has what the selector names, and there are several. */
async function untilOnEveryPlot(page: Page, selector: string): Promise<void> {
  await page.waitForFunction((selector) => {
    type Element = { querySelector(selector: string): Element | null };
    const { document } = globalThis as unknown as {
      document: { querySelectorAll(selector: string): Iterable<Element> };
    };
    const plots = [...document.querySelectorAll(".plot")].filter((plot) => plot.querySelector("canvas"));
    return plots.length > 3 && plots.every((plot) => plot.querySelector(selector) !== null);
  }, selector);
}

/** The frame of a plot of the page. */
async function frameOf(page: Page, width: number) {
  const [startS, endS] = (await drawn(page, "overview"))[0]!.xRange;
  return { width, startMs: startS * 1_000, endMs: endS * 1_000 };
}

Deno.test({
  name:
    "the list tells what happened, newest first; it filters, zooms to an event, and is kept open (needs chromium)",
  ...browser,
  fn: () =>
    onHost([
      event(1, 200_000, { severity: "error", text: "hello failed", durationMs: 1_500 }),
      event(2, 100_000, { source: "bpm", text: "api runs" }),
      event(3, 9_000_000),
    ], async (page) => {
      await drawn(page, "overview");
      await untilMarks(page, 3, 2);
      strictEqual(await page.locator(".events").count(), 0);
      await page.keyboard.press("l");
      await page.waitForSelector(".events li");
      const rows = page.locator(".events li");
      deepStrictEqual(
        (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").replace(/^[\d:]+ /, "")),
        ["bpm api runs", "nix-btm hello failed 1.5 s"],
      );
      await page.locator(".events .chip", { hasText: "bpm" }).click();
      await untilMarks(page, 2, 1);
      await rows.nth(1).waitFor({ state: "detached" });
      await rows.first().hover();
      // All charts show when it was.
      await untilOnEveryPlot(page, ".cursor");
      await rows.first().click();
      await page.waitForSelector(".live[aria-pressed=false]");
      await page.waitForFunction((endMs) => {
        type Charts = { charts(): { xRange: readonly [number, number] }[] };
        const { hostkit } = globalThis as unknown as { hostkit: Charts };
        return hostkit.charts().every(({ xRange: [from, to] }) =>
          from * 1000 < endMs && endMs < to * 1000 && to - from < 70
        );
      }, END_MS - 200_000);
      await page.reload();
      await page.waitForSelector(".events li");
    }),
});

Deno.test({
  name: "a thousand events cost a page that follows little (needs chromium)",
  ...browser,
  fn: () =>
    onHost(
      Array.from({ length: 1_000 }, (_, at) => event(at + 1, 299_000 - 290 * at)),
      async (page) => {
        await drawn(page, "overview");
        await page.waitForFunction(() => {
          type Hostkit = { events(width: number): { events: unknown[]; marks: number } };
          return (globalThis as unknown as { hostkit: Hostkit }).hostkit.events(500).marks > 100;
        });
        await page.keyboard.press("l");
        await page.waitForSelector(".events li:nth-child(200)");
        strictEqual(await page.locator(".events li").count(), 200);
        strictEqual(await page.locator(".events > p").innerText(), "and 800 earlier ones");
        ok(await page.locator("*").count() < 3_000, "marks are pixels, not elements");
      },
    ),
});
