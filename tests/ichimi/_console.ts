/** The console of a site in a real browser. @module */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { browser, CHROMIUM, CHROMIUM_FLAGS } from "../viewer/browser.ts";
import { Site } from "./_site.ts";
import type { WorldOptions } from "./_world.ts";

interface Window {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: "light" | "dark";
  readonly locale?: string;
  /** What the browser may tell of. */
  readonly expected?: RegExp;
}

/** Opens a page in a browser of its own; fails when the page complains. */
export async function onBrowser(
  run: (page: Page) => Promise<void>,
  { width = 1440, height = 900, colors = "dark", locale = "en-GB", expected }: Window = {},
): Promise<void> {
  const app = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
  try {
    const context = await app.newContext({ viewport: { width, height }, colorScheme: colors, locale });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await run(page);
    deepStrictEqual(complaints.filter((text) => expected?.test(text) !== true), [], "the page is silent");
  } finally {
    await app.close();
  }
}

/** Opens the console of a site in a browser of its own; fails when the page complains. */
export async function onConsole(
  site: Site,
  run: (page: Page) => Promise<void>,
  window?: Window,
): Promise<void> {
  await onBrowser(async (page) => {
    await page.goto(site.address);
    strictEqual(page.url(), `${site.door.url}/`, "the token does not stay in the address");
    await page.evaluate("hostkit.ready");
    await run(page);
  }, window);
}

/** A test with a site of its own, in which nothing may have gone wrong at the end. */
export function test(name: string, fn: (site: Site) => Promise<void>, options: WorldOptions = {}): void {
  Deno.test({
    name: `${name} (needs chromium)`,
    ...browser,
    fn: async () => {
      await using site = await Site.open(options);
      await fn(site);
      deepStrictEqual(site.bugs, []);
    },
  });
}
