/** Whole screens of recorded builds as text, readable in review. `UPDATE=1` writes them anew. */
import { match, ok, strictEqual } from "node:assert/strict";
import type { ColourDepth } from "../../lib/tui/mod.ts";
import type { Model } from "../../lib/nix_btm/tui/model.ts";
import { aBuild, PAST, Player } from "./_tui_player.ts";

const FOLDER = new URL("testdata/tui/", import.meta.url);

interface Size {
  readonly width: number;
  readonly height: number;
}

const SIZES: readonly Size[] = [
  { width: 80, height: 24 },
  { width: 110, height: 30 },
  { width: 200, height: 50 },
  { width: 300, height: 100 },
  { width: 40, height: 10 },
];

/** A diamond that is done, a chain that failed, and 200 builds of which 57 are done. */
function busy(size: Size & { readonly depth?: ColourDepth }): Player {
  return new Player(size).replay("03-diamond").replay("06-fail-chain", { user: "bob" })
    .replay("05-wide-200-j8", { until: "building '/nix/store/df0ijwr8ndlwqn4lj0hyic79590186km-wide-153" })
    .processes(
      aBuild("wide-148"),
      aBuild("wide-150", { uid: 30_002, pid: 6_000, cpuRatio: 1.93, children: 5 }),
    );
}

const VIEWS: readonly [name: string, show: (player: Player) => Player][] = [
  ["builders", (player) => player.press("j", "j", "j")],
  ["eagle", (player) => player.press("2", "j", "j")],
  ["jobs", (player) => player.press("3")],
  ["build", (player) => player.press("3", "enter")],
  ["history", (player) => player.press("5").news({ kind: "historyRead", rows: PAST })],
  ["hosts", (player) => player.press("6")],
];

/** Moments and states of one size. */
const MOMENTS: readonly [name: string, play: () => Player][] = [
  ["connecting", () => new Player()],
  ["lost", () => {
    const player = busy({ width: 80, height: 24 });
    const { source } = player.model;
    return player.news({
      kind: "changed",
      source: { ...source, standing: { kind: "lost", why: "the daemon has died" } },
    });
  }],
  ["diamond_begins", () => new Player().replay("03-diamond", { until: "buildPhase of dia-a" }).press("2")],
  [
    "diamond_goes_on",
    () =>
      new Player().replay("03-diamond", {
        until: "building '/nix/store/nd7xsq7kw8az3jv0z3y3c78lr5l6g47l",
      }).press("2"),
  ],
  ["diamond_is_done", () => new Player().replay("03-diamond").press("2", "enter")],
  ["failed_on_top", () => new Player().replay("06-fail-chain").press("2")],
  ["failed_why", () => new Player().replay("06-fail-chain").press("3", "e")],
  [
    "waiting_for_a_user",
    () => new Player().replay("53-waiting-for-uid", { until: "buildPhase of slow-1" }).pass(2_000).press("3"),
  ],
  ["substitution", () => new Player({ width: 110, height: 30 }).replay("32-substitute-http").press("3")],
  ["caches", () => new Player({ width: 110, height: 30 }).replay("33-mixed-substitute-and-build").press("6")],
  ["remote", () => new Player({ width: 110, height: 30 }).replay("56-remote-ssh-ng").press("3", "t")],
  ["remote_eagle", () => new Player({ width: 110, height: 30 }).replay("56-remote-ssh-ng").press("2", "O")],
  ["pruned", () => busy({ width: 80, height: 24 }).press("2", "A", "A")],
  ["filtered", () => busy({ width: 80, height: 24 }).press("3", "/").type("wide run").press("enter")],
  ["filtering", () => busy({ width: 80, height: 24 }).press("2", "/").type("fc-m")],
  [
    "searched",
    () => busy({ width: 80, height: 24 }).press("3", "enter", "/").type("phase").press("enter", "n"),
  ],
  ["environment", () => {
    const player = busy({ width: 200, height: 50 }).press("j", "v", "l", "j");
    return player.news({
      kind: "environmentsRead",
      found: new Map([["process 5001 101", "NIX_BUILD_TOP=/build\nout=/nix/store/x-wide-148"]]),
    });
  }],
  ["process", () => {
    const player = busy({ width: 80, height: 24 }).press("l", "enter");
    return player.news({
      kind: "environmentsRead",
      found: new Map([[
        "process 5000 100",
        "NIX_BUILD_TOP=/build\nout=/nix/store/x-wide-148\nPATH=/path-not-set",
      ]]),
    });
  }],
  ["kill_asks", () => busy({ width: 80, height: 24 }).press("j", "X")],
  ["help", () => busy({ width: 80, height: 24 }).press("2", "?")],
  ["palette", () => busy({ width: 80, height: 24 }).press("3", ":").type("so")],
  ["past_build", () => {
    const player = new Player().press("5").news({ kind: "historyRead", rows: PAST }).press("enter");
    return player.news({
      kind: "logRead",
      job: -3,
      lines: ["\x1b[1munpacking\x1b[0m", "configure: ok", "make: *** [all] Error 2"],
    });
  }],
];

for (const [view, show] of VIEWS) {
  for (const size of SIZES) {
    golden(`${view}_${size.width}x${size.height}`, () => show(busy(size)));
  }
}
for (const [name, play] of MOMENTS) golden(name, play);

function golden(name: string, play: () => Player): void {
  Deno.test(`the frame ${name} is its golden file`, () => {
    const file = new URL(`${name}.txt`, FOLDER);
    const frame = play().text();
    if (Deno.env.get("UPDATE") !== undefined) Deno.writeTextFileSync(file, frame);
    strictEqual(frame, Deno.readTextFileSync(file));
  });
}

Deno.test("colours change nothing of what is written, whatever the theme", () => {
  for (const [, show] of VIEWS) {
    const plain = show(busy({ width: 110, height: 30 }));
    const colours = show(busy({ width: 110, height: 30, depth: "true" }));
    strictEqual(colours.text(), plain.text());
    const ground = colours.press("T").frame();
    ok(ground.styles.every((id) => id !== 0), "each cell has the colours of the theme");
    match(colours.text(), /theme: gruvbox-dark/);
  }
});

Deno.test("a command whose evaluation failed says why in its row, and e with it all", () => {
  const player = new Player();
  const log = player.monitor.open({ source: "socket", command: ["nix-build", "-A", "app"] });
  const trace =
    "error:\n       … while calling 'f'\n         at «string»:1:9:\n\n       error: no attribute 'app'";
  const record = { action: "msg", level: 0, msg: trace, raw_msg: "no attribute 'app'" };
  log.push(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  log.end(1);
  player.pass(1_000).tell().press("2");
  match(player.text(), /✖ #1 nix-build -A app +no attribute 'app' 0ms │/);
  player.press("e");
  match(player.text(), /nix-build -A app .*it is over after 0ms: failed .*error: .*while calling 'f' /s);
});

Deno.test("on the widest terminals what belongs to a name stands near it, and headings are where they are clicked", () => {
  const player = busy({ width: 300, height: 100 });
  for (const tab of ["2", "3", "5", "6"]) {
    const rows = player.press(tab).text().split("\n").slice(3, -3);
    for (const row of rows) match(row, /^│.{162} {130,}.{0,6}$/u, tab);
  }
  player.press("3").click("cpu");
  strictEqual(player.model.sort, "cpu");
});

Deno.test("who has no daemon is told how to start one, who had one that what was known is shown", () => {
  const lost = { kind: "lost", why: "there is no such socket (ENOENT)" } as const;
  const standing = (player: Player, worlds: Model["source"]["worlds"]) =>
    player.news({ kind: "changed", source: { worlds, standing: lost, version: 1 } }).text().split("\n")[1];
  const player = new Player();
  strictEqual(standing(player, new Map()), " there is no such socket (ENOENT); nix-btm daemon starts one");
  const known = new Map([["", player.monitor.world]]);
  strictEqual(standing(player, known), " there is no such socket (ENOENT); what was known is shown");
});

Deno.test("how a build failed leaves its name to be read, and its hashes to e", () => {
  const player = new Player();
  const log = player.monitor.open({ source: "socket" });
  const path = `/nix/store/${"a".repeat(32)}-fetched-source-of-something.drv`;
  const hashes = `specified: sha256-${"A".repeat(43)}=\n            got:    sha256-${"B".repeat(43)}=`;
  const msg = `error: hash mismatch in fixed-output derivation '${path}':\n         ${hashes}`;
  const start = { action: "start", id: 1, level: 3, type: 105, text: "", fields: [path, "", 1, 1] };
  const failed = { action: "msg", level: 0, msg, raw_msg: msg.slice("error: ".length) };
  for (const record of [start, failed, { action: "stop", id: 1 }]) {
    log.push(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
    player.pass(1_000);
  }
  log.end(1);
  player.tell().press("2", "j");
  match(player.text(), /│ {5}✖ fetched-source-of-something +hash mismatch 2s │/);
  match(player.press("3").text(), /│ ✖ build +fetched-source-… hash mismatch {2,}/);
  match(player.press("2", "e").text(), /│ specified: sha256-A+= +│\n│ got: {7}sha256-B+= +│/);
});
