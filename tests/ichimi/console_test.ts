/** The console in a real browser, against processes that live. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { ROOT } from "../../lib/build/paths.ts";
import { browser, CHROMIUM, CHROMIUM_FLAGS } from "../viewer/browser.ts";
import { complaintsOfAxe } from "./_axe.ts";
import { onConsole, test } from "./_console.ts";
import type { OpenDoor } from "../../lib/ichimi/mod.ts";
import { DEMO_RULES, makeDemo } from "./_demo.ts";
import { freePort } from "../free_port.ts";
import { Home } from "./_front.ts";
import { faintTexts, nameless } from "./_in_page.js";

/** Pictures that people may look at. */
const PICTURES = `${ROOT}.build/pictures/ichimi`;
const PAGES = [
  "dashboard",
  "processes",
  "processes/web",
  "templates",
  "snapshots",
  "clipboard",
  "timeline",
  "settings",
];

const row = (page: Page, id: string) =>
  page.locator("tbody tr").filter({ has: page.getByRole("link", { name: id, exact: true }) });

test("a process is made, started, stopped, changed and removed from the page", (site) =>
  onConsole(site, async (page) => {
    await page.keyboard.press("2");
    await page.getByText("No processes yet").waitFor();
    await page.keyboard.press("c");
    const form = page.getByRole("dialog");
    await form.getByLabel("Name").fill("web");
    await form.getByLabel("Command").fill("sh");
    await form.getByLabel("Arguments").fill("-c\necho hello from $GREETED; exec sleep 100");
    await form.getByLabel("Environment").fill("GREETED=the page");
    await form.getByRole("button", { name: "Create" }).click();
    await page.locator("h1", { hasText: "web" }).waitFor();
    await page.locator(".line", { hasText: "hello from the page" }).waitFor();
    await page.locator(".top .badge.good").waitFor();
    strictEqual(site.world.host.standing("web").state.kind, "running");

    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".top .badge", { hasText: "Stopped" }).waitFor();
    strictEqual(site.world.host.standing("web").state.kind, "stopped");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.locator(".mark", { hasText: "Run 2" }).waitFor();
    await page.keyboard.press("r");
    await page.locator(".mark", { hasText: "Run 3" }).waitFor();

    await page.keyboard.press("e");
    await form.getByLabel("Tags").fill("one, two");
    await form.getByRole("button", { name: "Save" }).click();
    await page.locator(".facts .tag", { hasText: "two" }).waitFor();
    deepStrictEqual(site.world.host.record("web").tags, ["one", "two"]);

    await page.keyboard.press("Delete");
    await form.getByRole("button", { name: "Remove" }).click();
    await page.getByText("No processes yet").waitFor();
    deepStrictEqual(site.world.host.records, []);
  }));

test("what is refused is said, and the form stays", (site) =>
  onConsole(site, async (page) => {
    await page.keyboard.press("2");
    await page.getByRole("button", { name: "New process" }).first().click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Name").fill("x");
    await form.getByLabel("Command").fill("a; b");
    await form.evaluate((dialog) => dialog.querySelector("form")!.requestSubmit());
    match(await form.getByRole("alert").innerText(), /dangerous pattern/);
  }, { expected: /status of 422/ }));

test("what others do is on the page at once, and the list is filtered, sorted and walked with keys", async (site) => {
  for (const id of ["beta", "alpha", "gamma"]) {
    await site.ask("POST", "/processes", { id, command: "sleep", args: ["100"], tags: [`of-${id}`] });
  }
  await onConsole(site, async (page) => {
    await page.keyboard.press("2");
    const names = () => page.locator("td.name > a").allInnerTexts();
    await row(page, "gamma").waitFor();
    deepStrictEqual(await names(), ["beta", "alpha", "gamma"]);
    await page.getByRole("button", { name: "Name" }).click();
    deepStrictEqual(await names(), ["alpha", "beta", "gamma"]);
    strictEqual(await page.locator("th.name").getAttribute("aria-sort"), "ascending");
    await site.ask("POST", "/processes/alpha/start");
    await row(page, "alpha").locator(".badge.good").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("of-ga");
    await row(page, "alpha").waitFor({ state: "detached" });
    deepStrictEqual(await names(), ["gamma"]);
    await page.keyboard.press("Escape");
    await page.getByLabel("Filter by name").fill("");
    await page.getByRole("group", { name: "State" }).getByRole("button", { name: /Running/ }).click();
    await row(page, "gamma").waitFor({ state: "detached" });
    deepStrictEqual(await names(), ["alpha"]);
    await page.getByRole("group", { name: "State" }).getByRole("button", { name: /All/ }).click();
    await page.getByRole("heading", { name: "Processes" }).click();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    strictEqual(await row(page, "beta").getAttribute("aria-current"), "true");
    await page.keyboard.press("s");
    await row(page, "beta").locator(".badge.good").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("h1", { hasText: "beta" }).waitFor();
    await page.keyboard.press("Escape");
    await site.ask("DELETE", "/processes/beta");
    await row(page, "beta").waitFor({ state: "detached" });
  });
});

test("what happens while the page asks what was before is there once", async (site) => {
  await site.ask("POST", "/processes", { id: "before", command: "true" });
  await onConsole(site, async (page) => {
    // The answers are those of before, and come after what has happened meanwhile.
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const answered: string[] = [];
    for (const path of ["timeline", "usage"]) {
      await page.route(new RegExp(`/api/${path}`), async (route) => {
        const response = await route.fetch();
        answered.push(path);
        await told;
        await route.fulfill({ response });
      });
    }
    await page.goto(`${site.door.url}/#/processes`);
    await page.reload();
    await site.world.until("both answers", () => answered.length === 2);
    await site.ask("POST", "/processes", { id: "meanwhile", command: "true" });
    await row(page, "meanwhile").waitFor();
    const { usage: { points }, usage: { points: { length } } } = site;
    await site.world.until("a look that is told", () => points.length > length + 1);
    resolve();
    await page.evaluate("hostkit.ready");
    await site.ask("POST", "/processes", { id: "after", command: "true" });
    await row(page, "after").waitFor();
    await page.keyboard.press("6");
    deepStrictEqual(await page.locator(".events li a").allInnerTexts(), ["after", "meanwhile", "before"]);
    await page.keyboard.press("1");
    const drawn = async () =>
      (await page.locator(".stat .memory .stroke").getAttribute("d"))?.match(/[ML]/g)?.length;
    await site.world.until("each look, once", async () => await drawn() === points.length);
  });
});

test("templates are made and filled, snapshots kept and restored, texts left", (site) =>
  onConsole(site, async (page) => {
    const dialog = page.getByRole("dialog");
    await page.keyboard.press("3");
    await page.getByRole("button", { name: "New template" }).first().click();
    await dialog.getByLabel("Name").fill("Sleeper");
    await dialog.getByLabel("Command").fill("sleep");
    await dialog.getByLabel("Arguments").fill("{{seconds}}");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Use" }).click();
    await dialog.getByLabel("Name").fill("made");
    await dialog.getByLabel("seconds").fill("77");
    await dialog.locator(".preview", { hasText: "sleep 77" }).waitFor();
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.locator(".top .badge.good").waitFor();
    deepStrictEqual(site.world.host.record("made").args, ["77"]);

    await page.keyboard.press("4");
    await page.getByRole("button", { name: "New snapshot" }).first().click();
    await dialog.getByLabel("Name").fill("kept");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByText("kept.yaml").waitFor();
    await site.ask("DELETE", "/processes/made");
    await page.getByRole("button", { name: "Restore" }).click();
    await dialog.getByRole("button", { name: "Restore" }).click();
    await page.getByText("1 created, 0 changed").waitFor();
    deepStrictEqual(site.world.host.record("made").args, ["77"]);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download kept.yaml" }).click();
    match(Deno.readTextFileSync(await (await download).path()), /made/);

    await page.keyboard.press("5");
    await page.getByLabel("Text for assistants").fill("have a look at this");
    await page.getByRole("button", { name: "Put it there" }).click();
    await page.locator(".clip pre", { hasText: "have a look" }).waitFor();
    match(await site.world.assistant().call("get_clipboard"), /have a look at this/);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    strictEqual(await page.evaluate("navigator.clipboard.readText()"), "have a look at this");
  }));

test("what was allowed for good is shown with the rules, and taken back", async (site) => {
  const { allowed } = site.world.host;
  for (const line of ["make all", "make test"]) allowed.add({ folder: "/home/a", line });
  allowed.add({ folder: "/gone", line: "true" });
  await onConsole(site, async (page) => {
    await page.keyboard.press("7");
    const lines = page.locator(".allowed li");
    await lines.first().waitFor();
    deepStrictEqual(
      (await lines.allInnerTexts()).map((text) => text.replaceAll(/\s*\n\s*/g, ": ")),
      [
        "npm run *: Configured",
        "make all: Always, as you said",
        "make test: Always, as you said",
        "All others: You are asked",
        "true: /gone",
      ],
    );
    for (const line of ["make all", "true"]) {
      await page.getByRole("button", { name: `Ask for “${line}” again` }).click();
      await page.getByText(`“${line}” is asked for again`).waitFor();
    }
    strictEqual(await lines.count(), 3);
    deepStrictEqual(allowed.learned, [{ folder: "/home/a", line: "make test" }]);
  });
}, { allow: [{ folder: "/home/a", commands: ["npm run *"], unlisted: "ask" }] });

test("theme and language follow system and browser, are switched, and stay", async (site) => {
  const look = (page: Page) =>
    page.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang, document.title]");
  await onConsole(site, async (page) => {
    deepStrictEqual(await look(page), ["light", "ja", "ダッシュボード · ichimi"]);
    await page.keyboard.press("t");
    await page.keyboard.press("l");
    deepStrictEqual(await look(page), ["dark", "en", "Dashboard · ichimi"]);
    await page.waitForFunction(async () => {
      const { color_mode: theme, language } = await (await fetch("/api/settings")).json();
      return theme === "dark" && language === "en";
    });
    await page.reload();
    await page.evaluate("hostkit.ready");
    deepStrictEqual(await look(page), ["dark", "en", "Dashboard · ichimi"]);
    await page.keyboard.press("7");
    await page.getByRole("group", { name: "Language" }).getByRole("button", { name: "日本語" }).click();
    await page.getByRole("heading", { name: "設定" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "キーボードショートカット" }).waitFor();
    await page.keyboard.press("Escape");
    strictEqual(await page.getByRole("dialog").count(), 0);
  }, { colors: "light", locale: "ja-JP" });
});

Deno.test({
  name: "a page comes back by itself when the daemon was killed and another one has come (needs chromium)",
  ...browser,
  fn: async () => {
    await using home = new Home();
    // One that nobody else's daemon takes while this one has none.
    home.configure(`[web]\nport = ${freePort()}\n`);
    const door: OpenDoor = JSON.parse((await home.run("console", "--json")).out);
    const app = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
    try {
      const page = await app.newPage();
      await page.goto(`${door.url}/?token=${door.token}`);
      await page.evaluate("hostkit.ready");
      await page.evaluate(async () => {
        const process = { id: "stays", command: "sleep", args: ["100"], auto_start_on_create: true };
        const headers = { "content-type": "application/json" };
        await fetch("/api/processes", { method: "POST", headers, body: JSON.stringify(process) });
      });
      await page.keyboard.press("2");
      await row(page, "stays").locator(".badge.good").waitFor();
      await home.end("SIGKILL");
      await page.locator(".connection .dot.lost").waitFor();
      strictEqual((await home.run("console", "--json")).code, 0);
      await page.locator(".connection .dot.live").waitFor();
      await row(page, "stays").locator(".badge.good").waitFor();
      await page.keyboard.press("6");
      await page.locator(".events li", { hasText: "Created" }).waitFor();
      await page.keyboard.press("2");
      await row(page, "stays").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("No processes yet").waitFor();
    } finally {
      await app.close();
    }
  },
});

for (
  const [width, height, colors, locale] of [
    [1440, 900, "light", "en-GB"],
    [1440, 900, "dark", "ja-JP"],
    [420, 860, "dark", "en-GB"],
    [420, 860, "light", "ja-JP"],
    [1920, 1080, "light", "ja-JP"],
    [1920, 1080, "dark", "en-GB"],
  ] as const
) {
  const name = `${colors}-${locale.slice(0, 2)}-${width}`;
  test(`every page can be read, used and is as wide as its window: ${name}`, async (site) => {
    await makeDemo(site);
    Deno.mkdirSync(PICTURES, { recursive: true });
    await onConsole(site, async (page) => {
      for (const each of PAGES) {
        await page.goto(`${site.door.url}/#/${each}`);
        await page.locator("h1").waitFor();
        if (each === "processes/web") await page.locator(".line").first().waitFor();
        await page.screenshot({ path: `${PICTURES}/${name}-${each.replace("/", "-")}.png` });
        deepStrictEqual(await page.evaluate(faintTexts), [], each);
        deepStrictEqual(await page.evaluate(nameless), [], each);
        deepStrictEqual(await complaintsOfAxe(page), [], each);
        const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth") as number;
        ok(beyond <= 0, `${each} is ${beyond} pixels wider than the window`);
      }
    }, { width, height, colors, locale });
  }, { allow: DEMO_RULES });
}
