/** The real command in a real terminal, against a server that answers as upstream's. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { hasTmux, Tmux, tuiCommand } from "./tmux.ts";
import { aPlay, startUpstream } from "./upstream.ts";

const SIZE = { columns: 100, rows: 30 };

function screenTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: hasTmux() ? name : `${name} (needs tmux)`, ignore: !hasTmux(), fn });
}

screenTest("the screen shows the four panels of an upstream server, and upstream's keys work", async () => {
  await using server = startUpstream();
  await using tmux = await Tmux.start(tuiCommand(server.url), { columns: 80, rows: 24 });
  const screen = await tmux.until(/GET \/orders 200/);
  for (
    const part of ["─ status ─", "─ details: api ─", "─ processes ─", "[log]", "▶ api", "■ worker", "✗ web"]
  ) {
    ok(screen.includes(part), `${part} is missing:\n${screen}`);
  }
  match(screen, /Dev · release in 2h 14m/);
  // What this server cannot do is not offered.
  ok(!/ (s start|x stop|d graph)/.test(screen.split("\n").at(-2)!), screen);
  await tmux.keys("j");
  const below = await tmux.until(/details: web[\s\S]*panicked at src\/main\.rs/);
  match(below, /crashes {2}2/);
  match(below, /✗ 2026-11-21 09:00:00 {2}exit 101/);
  await tmux.keys("Up");
  await tmux.until(/details: api/);
  await tmux.keys("c");
  await tmux.until(/cleared; new lines appear here/);
  server.play.logs["api"]!.at(-1)!.push("a line after the clearing");
  await tmux.until((text) => text.includes("a line after the clearing") && !text.includes("GET /orders"));
  await tmux.keys("r");
  await tmux.until(/Process 'api' restarted successfully in dev mode/);
  deepStrictEqual(server.calls.filter(({ name }) => name === "restart"), [
    { name: "restart", args: { process: "api" } },
  ]);
  await tmux.keys("q");
  await tmux.until(/ended with 0/);
});

screenTest("a build that takes its time is told with a spinner and blocks no key", async () => {
  const built = Promise.withResolvers<void>();
  const play = { ...aPlay(), hold: { restart: built.promise } };
  await using server = startUpstream(play);
  await using tmux = await Tmux.start(tuiCommand(server.url), SIZE);
  await tmux.until(/GET \/orders/);
  await tmux.keys("r");
  await tmux.until(/api +restarting/);
  await tmux.keys("j");
  await tmux.until(/details: web/);
  play.fail["restart"] = "Build failed: error[E0432]";
  built.resolve();
  await tmux.until(/✗ api: Build failed: error\[E0432\]/);
});

screenTest("a server that goes away is told at once, keys go on, and it is found again", async () => {
  const play = aPlay();
  let port: number;
  await using tmux = await (async () => {
    const first = startUpstream(play);
    port = Number(new URL(first.url).port);
    const tmux = await Tmux.start(tuiCommand(first.url), SIZE);
    await tmux.until(/GET \/orders/);
    await first[Symbol.asyncDispose]();
    return tmux;
  })();
  await tmux.until(/nobody listens there/);
  await tmux.keys("j");
  await tmux.until(/details: web/);
  await using _second = startUpstream(play, port!);
  await tmux.until((screen) => !screen.includes("nobody listens there"));
});

screenTest("a server that never answers freezes nothing", async () => {
  const play = { ...aPlay(), hold: { search_logs: new Promise<void>(() => {}) } };
  await using server = startUpstream(play);
  await using tmux = await Tmux.start(tuiCommand(server.url), SIZE);
  await tmux.until(/reading …/);
  await tmux.keys("?");
  await tmux.until(/build and restart the service/);
  await tmux.keys("Escape");
  await tmux.until((screen) => !screen.includes("build and restart the service"));
  await tmux.keys("q");
  await tmux.until(/ended with 0/);
});

screenTest("the terminal is given back on quitting, on SIGTERM and on SIGHUP", async () => {
  await using server = startUpstream();
  for (const [how, code] of [["q", 0], ["SIGTERM", 143], ["SIGHUP", 0]] as const) {
    await using tmux = await Tmux.start(tuiCommand(server.url), SIZE);
    await tmux.until(/GET \/orders/);
    strictEqual(await tmux.fact("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "1 1 0");
    if (how === "q") await tmux.keys("q");
    else Deno.kill(await tmux.program(), how);
    const screen = await tmux.until(/ended with \d+\n-?icanon/);
    match(screen, new RegExp(`ended with ${code}\\nicanon`));
    strictEqual(await tmux.fact("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1");
  }
});

screenTest("another size is drawn anew, and the mouse selects", async () => {
  await using server = startUpstream();
  await using tmux = await Tmux.start(tuiCommand(server.url), { columns: 80, rows: 24 });
  await tmux.until(/GET \/orders/);
  await tmux.resize(120, 40);
  // Side by side: the output begins in the first row.
  const wide = await tmux.until(/^╭─ status ─.*╮╭─ \[log\] build {2}api ─/);
  strictEqual(wide.split("\n").findIndex((row) => /✗ web/.test(row)) > 0, true);
  const row = wide.split("\n").findIndex((each) => /■ worker/.test(each));
  await tmux.type(`\x1b[<0;6;${row + 1}M\x1b[<0;6;${row + 1}m`);
  await tmux.until(/details: worker/);
});

Deno.test("without a terminal, or with an address that is none, it says so", async () => {
  const run = async (...args: string[]) => {
    const [program, ...words] = tuiCommand(...args) as [string, ...string[]];
    const { code, stderr } = await new Deno.Command(program, { args: words, stdin: "null" }).output();
    return `${code} ${new TextDecoder().decode(stderr)}`;
  };
  match(await run(), /^1 bpm-tui: Cannot draw: standard input and output have to be a terminal/);
  match(await run("localhost"), /^2 bpm-tui: "localhost" is no URL of a manager, expected one such as http:/);
  match(await run("-p", "ftp://x"), /^2 bpm-tui: "ftp:\/\/x" is no URL/);
});
