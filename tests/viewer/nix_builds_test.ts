/** The whole line of a build: real Nix, the fed monitor, the agent, the viewer, a browser. */
import { match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { startViewer } from "../../lib/viewer/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { AgentProcess } from "../telemetry/_agent_process.ts";
import { hasNix, NixPlace } from "../nix/_nix.ts";
import { DaemonProcess } from "../nix_btm/_daemon.ts";
import { browser, drawn, type Held, onPage } from "./browser.ts";

/** A file to which the section is painted with some history. */
const SCREENSHOT = Deno.env.get("HOSTKIT_SCREENSHOT_BUILDS");

/** A shell that computes until its gate opens. */
const busy = (gate: string) =>
  `until [ -e ${gate} ]; do n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; done`;

Deno.test({
  name:
    "while real Nix builds under the fed daemon, the viewer has its CPU, and marks when it begins, ends and fails (needs chromium, nix)",
  ...browser,
  ignore: browser.ignore || !hasNix,
  async fn() {
    await using place = new NixPlace();
    const push = `${place.folder}/agent.sock`;
    await using agent = await AgentProcess.start(
      `[external_metrics]\nenabled = true\nsocket_path = "${push}"\n`,
    );
    await using daemon = await new DaemonProcess().start("--agent", push);
    await using viewer = await startViewer({
      show: { agent: { kind: "unix", path: agent.socket } },
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    });
    await onPage(formatAddress(viewer.address), async (page) => {
      const graph = {
        roots: ["broken"],
        nodes: [
          { name: "hungry-1.0", script: busy(place.gate("hungry")) },
          { name: "broken", inputs: ["hungry-1.0"], phases: ["checkPhase"], script: "exit 3" },
        ],
      };
      const running = place.feed(daemon.socket, place.build(graph)).output();
      try {
        // Its section comes with the first of its series.
        await page.locator(".sidebar button", { hasText: "Builds" }).click();
        await drawn(page, "builds");
        await page.waitForFunction(
          () => {
            const charts = (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts();
            const cpu = charts.find(({ id }) => id === "builds.cpu");
            const own = cpu?.series.find(({ labels }) => labels.derivation === "hungry-1.0");
            return own?.values.some((value) => value !== null && value > 0.2) === true;
          },
          undefined,
          { timeout: 60_000 },
        );
        await untilEvents(page, ["begins"]);
        if (SCREENSHOT !== undefined) await paint(page, { place, daemon, path: SCREENSHOT });
      } finally {
        place.openGate("hungry");
      }
      strictEqual((await running).code, 100);
      await untilEvents(page, ["begins", "hungry-1.0 built", "broken failed"]);
      await page.keyboard.press("l");
      const failed = page.locator(".events li.error", { hasText: "broken failed" });
      match(await failed.innerText(), /nix-btm\s+broken failed with exit code 3 in checkPhase/);
      await failed.hover();
      await page.waitForSelector("[data-chart=cpu] .cursor");
      ok(Number(await page.locator("[data-chart=cpu] .marks").getAttribute("data-marks")) > 0);
    });
  },
});

/** Waits until some event of the page has each of the texts. */
async function untilEvents(page: Page, texts: readonly string[]): Promise<void> {
  await page.waitForFunction(
    (texts) => {
      type Hostkit = { events(width: number): { events: readonly { text: string }[] } };
      const { events } = (globalThis as unknown as { hostkit: Hostkit }).hostkit.events(500);
      return texts.every((each) => events.some(({ text }) => text.includes(each)));
    },
    texts,
    { timeout: 60_000 },
  );
}

/** Some builds more of all kinds, and a picture with the list open. */
async function paint(
  page: Page,
  { place, daemon, path }: { place: NixPlace; daemon: DaemonProcess; path: string },
): Promise<void> {
  const seconds = (count: number) =>
    `end=$(($(date +%s)+${count})); while [ $(date +%s) -lt $end ]; do n=0; while [ $n -lt 9000 ]; do n=$((n+1)); done; done`;
  const nodes = [
    { name: "openssl-3.4.0", phases: ["buildPhase", "checkPhase"], script: seconds(7) },
    {
      name: "curl-8.11.0",
      inputs: ["openssl-3.4.0"],
      phases: ["buildPhase", "installPhase"],
      script: seconds(6),
    },
    { name: "zlib-1.3.1", script: seconds(3) },
    { name: "git", inputs: ["curl-8.11.0", "zlib-1.3.1"], script: seconds(5) },
    {
      name: "ripgrep",
      phases: ["buildPhase", "checkPhase"],
      script: `${seconds(5)}; echo 'assertion failed' >&2; exit 101`,
    },
  ];
  const graph = { roots: ["git", "ripgrep"], nodes };
  await place.feed(daemon.socket, [...place.build(graph), "-j2", "--keep-going"]).output();
  await page.keyboard.press("l");
  await page.waitForTimeout(4_000);
  const box = (await page.locator("[data-chart=cpu] .plot").boundingBox())!;
  await page.screenshot({ path });
  await page.mouse.move(box.x + box.width * 0.9, box.y + 60);
  const rows = page.locator(".events li.error");
  await rows.first().hover();
  const cursor = (await page.locator("[data-chart=cpu] .cursor").boundingBox())!;
  await page.mouse.move(cursor.x, box.y + 80);
  await page.screenshot({ path: path.replace(".png", "-hover.png") });
  await page.keyboard.press("l");
  await page.keyboard.press("t");
  await page.keyboard.press("1");
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: path.replace(".png", "-overview.png") });
  await page.keyboard.press("t");
  await page.keyboard.press("8");
}
