/** Whatever is pressed and whatever comes, in any order and any size: it is drawn, and what has to hold holds. */
import { ok, strictEqual } from "node:assert/strict";
import type { BuilderBuild } from "../../lib/nix_btm/processes/mod.ts";
import { KEYMAP } from "../../lib/nix_btm/tui/keymap.ts";
import { rowsOf } from "../../lib/nix_btm/tui/rows.ts";
import { chance, seedOf } from "../tui/vt.ts";
import { scenario } from "../nix/_scenarios.ts";
import { aBuild, PAST, Player } from "./_tui_player.ts";

const KEYS = [...KEYMAP.flatMap(({ keys }) => keys), "x", "backspace", "漢", "(", "ctrl+]", "delete"]
  .filter((key) => key !== "q" && key !== "ctrl+c");
const LINES = ["plain", "\x1b[31mred\x1b[0m", "漢字\twide", "", "\x1b[2J\x1b[5;5Hdrawn", "x".repeat(300)];
const LOGS = [
  "03-diamond",
  "06-fail-chain",
  "33-mixed-substitute-and-build",
  "56-remote-ssh-ng",
  "53-waiting-for-uid",
];

Deno.test("any keys, mouse, news and sizes in any order are drawn, and the selection is a row that is seen", () => {
  const random = chance(seedOf("chaos"));
  const one = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const texts = LOGS.map((name) => new TextDecoder().decode(scenario(name).bytes).split("\n"));
  for (let round = 0; round < 30; round++) {
    const player = new Player({ width: random(140), height: random(50) });
    const log = player.monitor.open({ source: "socket", user: "alice" });
    const lines = one(texts);
    let at = 0;
    const builds = (): BuilderBuild[] =>
      Array.from({ length: random(4) }, (_, index) =>
        aBuild(one(["dia-a", "fc-bad", "slow-1"]), {
          uid: 30_001 + random(3),
          pid: 5_000 + index * 100,
          children: random(12),
          isPaused: random(2) === 0,
        }));
    for (let step = 0; step < 120; step++) {
      const happen: (() => void)[] = [
        () => player.press(one(KEYS)),
        () => player.press(one(KEYS), one(KEYS), one(KEYS)),
        () => player.mouse(one(["press", "wheelup", "wheeldown"] as const), random(140), random(50)),
        () => player.terminal({ kind: "paste", text: one(LINES) }),
        () => player.terminal({ kind: "resize", width: random(310), height: random(110) }),
        () => player.terminal({ kind: "background", red: random(2), green: random(2), blue: random(2) }),
        () => player.pass(100 + random(3_000)),
        () => {
          const some = lines.slice(at, at += random(40));
          log.push(new TextEncoder().encode(`${some.join("\n")}\n`));
          player.tell();
        },
        () => player.processes(...builds()),
        () => player.news({ kind: "historyRead", rows: PAST.slice(random(4)) }),
        () => player.news({ kind: "logRead", job: player.model.job ?? 1, lines: LINES.slice(random(7)) }),
        () => player.news({ kind: "logFailed", job: player.model.job ?? 1, reason: one(LINES) }),
        () => player.news({ kind: "told", text: one(LINES) }),
        () => player.news({ kind: "environmentsRead", found: new Map([["process 5000 100", one(LINES)]]) }),
        () => {
          const why = one(["live", "connecting", "lost"] as const);
          const standing = why === "lost" ? { kind: why, why: "gone" } : { kind: why };
          player.news({ kind: "changed", source: { ...player.model.source, standing } });
        },
        () => player.news({ kind: "changed", source: { ...player.model.source, worlds: new Map() } }),
      ];
      one(happen)();
      player.done();
      const { model } = player;
      strictEqual(player.text().split("\n").length, model.height + 1);
      const { selected, top } = model.lists[model.tab];
      const { count } = rowsOf(model, model.tab);
      ok(
        top >= 0 && selected >= 0 && selected < Math.max(1, count),
        `round ${round}, step ${step}: row ${selected} of ${count}`,
      );
      player.model = { ...model, ended: false };
    }
  }
});
