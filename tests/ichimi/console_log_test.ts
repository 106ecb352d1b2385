/** The log of a process in the console: followed, read and searched. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";
import { ROOT } from "../../lib/build/paths.ts";
import { complaintsOfAxe } from "./_axe.ts";
import { onConsole, test } from "./_console.ts";
import { faintTexts, nameless } from "./_in_page.js";
import type { Site } from "./_site.ts";

/** Pictures that people may look at. */
const PICTURES = `${ROOT}.build/pictures/ichimi`;

test("a log follows what is written, stays where one reads, and is searched", async (site) => {
  await site.run(
    "p",
    "echo needle at first; i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done; read x; echo $x",
    {
      input: "pipe",
    },
  );
  await onConsole(site, async (page) => {
    await page.goto(`${site.door.url}/#/processes/p`);
    await page.locator(".line", { hasText: "line 300" }).waitFor();
    const atEnd = () =>
      page.locator(".scroll").evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40);
    ok(await atEnd());
    const follow = page.getByRole("button", { name: "Follow" });
    await page.getByLabel("Search the log").fill("needle");
    await page.keyboard.press("Enter");
    await page.getByText("1 / 1").waitFor();
    strictEqual(await follow.getAttribute("aria-pressed"), "false");
    ok(!await atEnd());
    await site.world.assistant().call("send", { process: "p", text: "needle \u001b[31mlast\u001b[0m\n" });
    await page.getByText("1 / 2").waitFor();
    ok(!await atEnd(), "whoever reads is left where they are");
    strictEqual(await page.locator(".line mark").count(), 2);
    await page.getByRole("button", { name: "Only matches" }).click();
    strictEqual(await page.locator(".line:visible").count(), 2);
    await page.getByLabel("Search the log").fill("/LINE 2\\d$/");
    await page.getByText("0 / 10").waitFor();
    await page.getByLabel("Search the log").fill("");
    await page.getByLabel("Search the log").blur();
    await page.locator(".line .color-1", { hasText: "last" }).waitFor();
    await page.keyboard.press("f");
    strictEqual(await follow.getAttribute("aria-pressed"), "true");
    ok(await atEnd());
    await page.keyboard.press("w");
    strictEqual(await page.locator(".scroll.wraps").count(), 0);
  });
});

test("errors alone are shown where that is asked for", async (site) => {
  await site.run("p", "echo out; echo bad >&2; exec sleep 100");
  await onConsole(site, async (page) => {
    await page.goto(`${site.door.url}/#/processes/p`);
    await page.locator(".line", { hasText: "bad" }).waitFor();
    await page.getByRole("group", { name: "Stream" }).getByRole("button", { name: "Errors" }).click();
    await page.locator(".line", { hasText: "out" }).waitFor({ state: "detached" });
    deepStrictEqual(await page.locator(".line > span").allInnerTexts(), ["bad"]);
  });
});

/** A log that is longer than what the page holds of it, with three lines that are searched for. */
async function long(site: Site): Promise<void> {
  const script = 'echo needle first; seq -f "line %.0f" 1 20000; echo "\\033[31mnee\\033[0mdle amid"; ' +
    'seq -f "line %.0f" 20001 30000; echo needle last; while read x; do echo $x; done';
  await site.run("p", script, { input: "pipe" });
}

const search = (page: Page, text: string) => page.getByLabel("Search the log").fill(text);
const status = (page: Page, text: string | RegExp) =>
  page.locator(".found [role=status]").filter({ hasText: text }).waitFor();
const current = (page: Page) => page.locator(".line.current > span").innerText();

test("a search finds what is in the whole log, far before the lines that the page holds", async (site) => {
  await long(site);
  await onConsole(site, async (page) => {
    await page.goto(`${site.door.url}/#/processes/p`);
    await page.locator(".line", { hasText: "needle last" }).waitFor();
    ok(await page.locator(".line").count() < 2_000);
    await search(page, "needle");
    await page.keyboard.press("Enter");
    await status(page, "1 / 3 in 30,003 lines");
    strictEqual(await current(page), "needle first");
    ok(await page.locator(".line.current").isVisible());
    await page.keyboard.press("Enter");
    await status(page, "2 / 3");
    strictEqual(await current(page), "needle amid");
    strictEqual(await page.locator(".gap").first().innerText(), "20,000 lines");
    strictEqual(await page.locator(".line").nth(2).locator("> span").innerText(), "line 29002");
    Deno.mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: `${PICTURES}/log-search.png` });
    await page.getByRole("button", { name: "Only matches" }).click();
    deepStrictEqual(
      await page.locator(".line:visible > span").allInnerTexts(),
      ["needle first", "needle amid", "needle last"],
    );
    await site.world.assistant().call("send", { process: "p", text: "a needle more\n" });
    await status(page, "2 / 4 in 30,004 lines");
    await search(page, "");
    await page.locator(".found").waitFor({ state: "detached" });
    strictEqual(await page.locator(".line", { hasText: "needle first" }).count(), 0);
  });
});

test("older matches than fit on the page are gone to one after the other, or shown at once", async (site) => {
  await long(site);
  await onConsole(site, async (page) => {
    await page.goto(`${site.door.url}/#/processes/p`);
    await page.locator(".line", { hasText: "needle last" }).waitFor();
    await search(page, "/^line \\d+0$/");
    await status(page, "0 / 3,000 in 30,003 lines");
    const older = page.getByRole("button", { name: /^[\d,]+ older$/ });
    strictEqual(await older.innerText(), "1,900 older");
    await page.keyboard.press("Enter");
    await status(page, "1,901 / 3,000");
    strictEqual(await current(page), "line 19010");
    await page.keyboard.press("Shift+Enter");
    await status(page, "1,900 / 3,000");
    strictEqual(await current(page), "line 19000");
    await older.click();
    await older.waitFor({ state: "detached" });
    strictEqual(await page.locator(".line.match").count(), 3_000);
    strictEqual(await page.locator(".line.match > span").first().innerText(), "line 10");
    await status(page, "1,900 / 3,000");
  });
});

for (const [colors, locale, width] of [["light", "en-GB", 1440], ["dark", "ja-JP", 420]] as const) {
  test(`what a search says can be read and used: ${colors}, ${locale}, ${width}`, async (site) => {
    await long(site);
    Deno.mkdirSync(PICTURES, { recursive: true });
    await onConsole(site, async (page) => {
      await page.goto(`${site.door.url}/#/processes/p`);
      await page.locator(".line", { hasText: "needle last" }).waitFor();
      for (const [name, text] of [["many", "1"], ["none", "none"], ["bad", "/a(/"]] as const) {
        await page.locator("input[type=search]").fill(text);
        await page.locator(".found:not(.searching)").waitFor();
        if (name === "many") await page.keyboard.press("Enter");
        if (name === "many") await page.locator(".line.current").waitFor();
        await page.screenshot({ path: `${PICTURES}/log-search-${name}-${colors}-${width}.png` });
        deepStrictEqual(await page.evaluate(faintTexts), [], name);
        deepStrictEqual(await page.evaluate(nameless), [], name);
        deepStrictEqual(await complaintsOfAxe(page), [], name);
        const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth") as number;
        ok(beyond <= 0, `${name} is ${beyond} pixels wider than the window`);
        await page.locator("input[type=search]").fill("");
        await page.locator(".found").waitFor({ state: "detached" });
      }
    }, { colors, locale, width, expected: /status of 400/ });
  });
}

test("a search says that it goes on, that there is nothing, and why a pattern is none", async (site) => {
  await site.run("p", "seq 1 5000; echo bad >&2; exec sleep 100");
  await onConsole(site, async (page) => {
    await page.goto(`${site.door.url}/#/processes/p`);
    await page.locator(".line", { hasText: "bad" }).waitFor();
    const held = Promise.withResolvers<void>();
    await page.route("**/logs/matches?*", async (route) => {
      await held.promise;
      await route.continue();
    });
    await search(page, "bad");
    await status(page, "Searching the whole log…");
    held.resolve();
    await status(page, "0 / 1 in 5,001 lines");
    await search(page, "/never(/");
    await status(page, /^This cannot be searched for: \S/);
    strictEqual(await page.locator(".line mark").count(), 0);
    await search(page, "never");
    await status(page, "No match in 5,001 lines");
    await page.getByRole("group", { name: "Stream" }).getByRole("button", { name: "Errors" }).click();
    await status(page, "No match in 1 line");
    await search(page, "a.?d");
    await status(page, "No match in 1 line");
    await search(page, "/A.?D/");
    await status(page, "0 / 1 in 1 line");
  }, { expected: /status of 400/ });
});
