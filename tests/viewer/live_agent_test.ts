/** The whole line: tracepoints of this kernel, the agent, the viewer, a browser. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { SECTIONS, startViewer } from "../../lib/viewer/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { AgentProcess, CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";
import { assertEqualsApi, browser, drawn, type Held, held, onPage } from "./browser.ts";

/** Points that every chart has before it is compared. */
const LEAST_POINTS = 20;

/** A file to which the overview is painted, once it has `SCREENSHOT_POINTS`: the README's picture. */
const SCREENSHOT = Deno.env.get("HOSTKIT_SCREENSHOT");
const SCREENSHOT_POINTS = 60;

const BURN = "while :; do :; done";

/** Something to look at: bursts of programs, file writes and requests of $1; the shell is ended, its commands end soon. */
const BUSY = `
while :; do
  for size in 4 40 12 90 25; do
    dd if=/dev/zero of="$0/file" bs=64k count=$size conv=fsync 2>/dev/null
    dd if="$0/file" of=/dev/null bs=4k iflag=direct 2>/dev/null
    for each in $(seq $size); do curl -s -o /dev/null "$1/viewer.js"; done
    sleep 2
  done
done`;

/** A window in which every chart of a section is in view. */
const TALL = { width: 1440, height: 4_000 };
const USUAL = { width: 1440, height: 900 };

Deno.test({
  name:
    "a live agent's charts hold what query_range answers, a burner shows on its CPU, a zoom is everywhere (needs chromium, root, BTF)",
  ...browser,
  ignore: browser.ignore || !CAN_LOAD_BPF,
  async fn() {
    const cpus = navigator.hardwareConcurrency;
    const burnerCpu = cpus > 1 ? 1 : 0;
    await using agent = await AgentProcess.start("");
    const burner = new Deno.Command("taskset", {
      args: ["-c", String(burnerCpu), "sh", "-c", BURN],
      stdin: "null",
    }).spawn();
    try {
      await using viewer = await startViewer({
        show: { agent: { kind: "unix", path: agent.socket } },
        listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      });
      const url = formatAddress(viewer.address);
      await onPage(url, async (page) => {
        await untilPoints(page, LEAST_POINTS);
        await page.setViewportSize(TALL);
        const kinds = new Set<string>();
        for (const [index, { id }] of SECTIONS.filter(({ needs }) => needs === undefined).entries()) {
          await page.keyboard.press(String(index + 1));
          const charts = await allDrawn(page, id);
          for (const kind of await assertEqualsApi(url, charts)) kinds.add(kind);
          if (id !== "overview" || cpus < 2) continue;
          const cores = charts.find((chart) => chart.id === "overview.cores")!;
          const { values } = cores.series.find(({ labels }) => labels.id === String(burnerCpu))!;
          const newest = values.filter((value) => value !== null).slice(-5);
          ok(newest.every((value) => value! > 0.8), `CPU ${burnerCpu} is busy: ${newest}`);
        }
        deepStrictEqual([...kinds].sort(), ["heat", "lines"]);
        await page.setViewportSize(USUAL);
        await page.keyboard.press("1");
        await zoomsAll(page);
        if (SCREENSHOT === undefined) return;
        burner.kill();
        using _busy = busy(url);
        await untilPoints(page, SCREENSHOT_POINTS);
        await page.screenshot({ path: SCREENSHOT });
      });
    } finally {
      end(burner);
      await burner.status;
    }
  },
});

/** Waits until the heatmap of CPUs has so many points. */
async function untilPoints(page: Page, least: number): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const charts = (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts();
      return charts.some(({ id, series }) =>
        id === "overview.cores" && (series[0]?.values.filter((value) => value !== null).length ?? 0) >= least
      );
    },
    least,
    { timeout: 120_000 },
  );
}

/** Waits until every card of the section has its chart, those below the others too. */
async function allDrawn(page: Page, section: string): Promise<Held[]> {
  await drawn(page, section);
  // A function, not a text: the page's content policy forbids to evaluate texts, which a second look would do.
  await page.waitForFunction(() => {
    type Element = { querySelector(selector: string): unknown };
    const { document } = globalThis as unknown as {
      document: { querySelectorAll(selector: string): Iterable<Element> };
    };
    return [...document.querySelectorAll("article.card")].every((card) =>
      card.querySelector("canvas") !== null
    );
  });
  return drawn(page, section);
}

/** Drags over one chart: all show the same shorter range; a double click lets them follow again. */
async function zoomsAll(page: Page): Promise<void> {
  const [from, to] = (await drawn(page, "overview"))[0]!.xRange;
  const box = (await page.locator("[data-chart=cpu] .plot").boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await page.waitForSelector(".live[aria-pressed=false]");
  // Charts show their part of the range as its data come, which is not for all at once.
  await page.waitForFunction(
    (mostS) => {
      type Charts = { charts(): { xRange: readonly [number, number] }[] };
      const { hostkit } = globalThis as unknown as { hostkit: Charts };
      return hostkit.charts().every(({ xRange: [left, right] }) => right - left < mostS);
    },
    (to - from) / 2,
  );
  const zoomed = (await held(page)).map(({ xRange }) => xRange);
  strictEqual(new Set(zoomed.map((range) => range.join())).size, 1);
  await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 60);
  await page.waitForSelector(".live[aria-pressed=true]");
  await page.mouse.move(0, 0);
}

/** Work for all the charts, until it is disposed. */
function busy(url: string): Disposable {
  const folder = Deno.makeTempDirSync();
  const shell = new Deno.Command("sh", { args: ["-c", BUSY, folder, url], stdin: "null" }).spawn();
  return {
    [Symbol.dispose]() {
      end(shell);
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}
