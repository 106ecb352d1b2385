/**
 * The viewer's rows of `deno task bench`; alone: `deno run -A tests/bench/viewer_bench.ts`.
 *
 * An hour of 3,000 series is recorded and a day of 1,000 made of another hour, `rezolus view` shows them, and headless
 * Chromium tells when which chart is drawn.
 * @module
 */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { convertToParquet, inlineSealer, Journal } from "../../lib/recording/mod.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../viewer/browser.ts";
import { syntheticHost } from "../viewer/synthetic_host.ts";
import { repeatRecording } from "./long_recording.ts";

const TICKS = 3_600;
const HOUR_NS = 3_600_000_000_000n;
const START = 1_790_000_000;

/** Counters and gauges; beside them there are 17 histograms. A day of 3,000 would take 2 GB here. */
const HOUR_SERIES = 3_000;
const DAY_SERIES = 1_000;

/** Of so many rounds the quietest counts: others use the machine too. */
const ROUNDS = 5;

/** Charts of the section that is measured: the first of all sections, since none has so many by itself. */
const CHARTS = 50;

/** Measures everything; takes about two minutes, most of it to write the recordings. Nothing without Chromium. */
export async function viewerRows(): Promise<BenchRow[]> {
  if (!existsSync(CHROMIUM)) return [];
  const folder = await Deno.makeTempDir({ prefix: "hostkit-bench-" });
  try {
    const hour = await recordHour(folder, "hour", HOUR_SERIES);
    const day = await makeDay(folder);
    const assets = await bundleWithLongSection(`${folder}/page`);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
    try {
      const rows: BenchRow[] = [];
      for (const [span, files] of Object.entries({ "an hour": hour, "a day": day })) {
        for (const [kind, path] of Object.entries(files)) {
          rows.push(atMost(`${kind}: first chart of ${span}`, await firstChartMs(browser, path), "ms", 300));
        }
      }
      return [...rows, ...await sectionRows(browser, hour.parquet, assets)];
    } finally {
      await browser.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Files {
  readonly parquet: string;
  readonly rez: string;
}

function filesAt(folder: string, name: string): Files {
  return { parquet: `${folder}/${name}.parquet`, rez: `${folder}/${name}.rez` };
}

/** A day: an hour, 24 times over. */
async function makeDay(folder: string): Promise<Files> {
  const hour = await recordHour(folder, "first-hour", DAY_SERIES);
  const day = filesAt(folder, "day");
  repeatRecording(hour.rez, day.rez, { times: 24, lengthNs: HOUR_NS });
  convertToParquet(day.rez, day.parquet);
  return day;
}

/** An hour of the synthetic host, filled up with tasks to so many counters and gauges. */
async function recordHour(folder: string, name: string, series: number): Promise<Files> {
  const files = filesAt(folder, name);
  const host = syntheticHost(START, series);
  {
    using sealer = inlineSealer();
    const metadata = { sampling_interval_ms: "1000" }; // As a recorder says.
    using journal = Journal.create(files.rez, BigInt(START) * 1_000_000_000n, { sealer, metadata });
    for (let tick = 0; tick < TICKS; tick++) {
      const snapshot = host.snapshot(tick);
      journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
      await Promise.resolve(); // The sealer's turn.
    }
    await journal.finish();
  }
  convertToParquet(files.rez, files.parquet);
  return files;
}

/** A page whose first section has 50 charts, taken from all sections. Returns the folder to serve it from. */
async function bundleWithLongSection(folder: string): Promise<string> {
  await Deno.mkdir(`${folder}/lib/viewer`, { recursive: true });
  await exec(
    "cp",
    "-r",
    ...["web", "views", "columns.ts", "follow.ts"].map(viewerFile),
    `${folder}/lib/viewer`,
  );
  await exec("cp", `${ROOT}deno.json`, `${ROOT}deno.lock`, folder);
  const list = `${folder}/lib/viewer/views/mod.ts`;
  const text = await Deno.readTextFile(list);
  const long = `
const CHARTS = ALL.flatMap(({ id, groups }) =>
  groups.flatMap(({ charts }) => charts.map((chart) => ({ ...chart, id: id + "_" + chart.id })))
);
export const SECTIONS: readonly SectionDef[] = [
  ALL.at(-1)!,
  { id: "long", title: "Long", groups: [{ title: "All", charts: CHARTS.slice(0, ${CHARTS}) }] },
];
`;
  await Deno.writeTextFile(list, text.replace("export const SECTIONS", "const ALL") + long);
  await Deno.mkdir(`${folder}/assets/web`, { recursive: true });
  const script = `${folder}/assets/web/viewer.js`;
  await exec(
    Deno.execPath(),
    ...["bundle", "--quiet", "--minify", "--platform", "browser", "--config", `${folder}/deno.json`],
    ...["-o", script, `${folder}/lib/viewer/web/main.tsx`],
  );
  return `${folder}/assets`;
}

function viewerFile(name: string): string {
  return `${ROOT}lib/viewer/${name}`;
}

async function exec(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * From the request of the page to the first chart that is drawn. Each round has a server that has just begun to listen;
 * until the browser has made its page it reads ahead, as it does for a person, who takes longer.
 */
async function firstChartMs(browser: Browser, path: string): Promise<number> {
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using view = await startView(path);
    await using opened = await openPage(browser, view.url);
    all.push(await opened.page.evaluate<number>("firstChart"));
  }
  return Math.min(...all);
}

/** Opening the section of 50 charts, and zooming one. */
async function sectionRows(browser: Browser, path: string, assets: string): Promise<BenchRow[]> {
  const sections: number[] = [];
  const zooms: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using view = await startView(path, "--assets", assets);
    await using opened = await openPage(browser, view.url);
    const { page } = opened;
    sections.push(await page.evaluate<number>(OPEN_SECTION));
    const box = (await page.locator(".plot canvas").first().boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
    await page.evaluate(WATCH_ZOOM);
    await page.mouse.up();
    zooms.push(await page.evaluate<number>("zoomed"));
  }
  return [
    atMost(
      `section of ${CHARTS} charts: those in sight drawn, data of all there`,
      Math.min(...sections),
      "ms",
      800,
    ),
    atMost(
      `section of ${CHARTS} charts: zoom, until all in sight show the new range`,
      Math.min(...zooms),
      "ms",
      100,
    ),
  ];
}

/** Runs before the page's own script: the time of the first painter, in milliseconds since the request. */
const WATCH_FIRST = `globalThis.firstChart = new Promise((resolve) => {
  const look = () => document.querySelector(".plot canvas") && hostkit.charts().length > 0 ? resolve(performance.now()) : requestAnimationFrame(look);
  requestAnimationFrame(look);
});`;

/** A chart in sight is drawn when it no longer waits; the data of a chart is there when it has legend or scale. */
const OPEN_SECTION = `new Promise((resolve) => {
  const began = performance.now();
  const inSight = (element) => element.getBoundingClientRect().top < innerHeight;
  const look = () => {
    const cards = [...document.querySelectorAll("article.card")];
    const there = cards.length > 10 && cards.every((card) => card.querySelector(".legend, .about"));
    const drawn = cards.filter(inSight).every((card) => card.querySelector("canvas"));
    there && drawn ? resolve(performance.now() - began) : requestAnimationFrame(look);
  };
  document.querySelectorAll("nav a, nav button")[1].click();
  requestAnimationFrame(look);
})`;

/**
 * From the release of the button until the new range is on the canvases: the answer for those in sight has come, and
 * the frames after it are painted. Asking the painters themselves would cost more than what is measured.
 */
const WATCH_ZOOM = `void (globalThis.zoomed = new Promise((resolve) => {
  addEventListener("pointerup", () => {
    const began = performance.now();
    const answered = () => performance.getEntriesByType("resource").some(({ name, startTime, responseEnd }) =>
      name.endsWith("/batch") && startTime >= began && responseEnd > 0);
    const look = () => requestAnimationFrame(answered()
      ? () => requestAnimationFrame(() => resolve(performance.now() - began))
      : look);
    look();
  }, { once: true, capture: true });
}))`;

interface Opened extends AsyncDisposable {
  readonly page: Page;
}

async function openPage(browser: Browser, url: string): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(LIMIT_MS);
  await page.addInitScript(WATCH_FIRST);
  await page.goto(url);
  await page.evaluate("hostkit.ready");
  return { page, [Symbol.asyncDispose]: () => page.close() };
}

interface View extends AsyncDisposable {
  readonly url: string;
}

/** A viewer as the tool runs it, on a port of the kernel's choice. */
async function startView(...args: string[]): Promise<View> {
  const [program, ...words] = toolCommand("rezolus");
  const child = new Deno.Command(program, {
    args: [...words, "view", ...args, "--listen", "127.0.0.1:0"],
    stdin: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  let url: string | undefined;
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (url === undefined) {
    const { value, done } = await errors.read();
    if (done) throw new Error(`Cannot start the viewer: ${said}`);
    url = /on (http:\S+)\n/.exec(said += value)?.[1];
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await errors.cancel();
      await child.status;
    },
  };
}

/** A figure that takes so long would never reach its bar. */
const LIMIT_MS = 20_000;

if (import.meta.main) console.table(await viewerRows());
