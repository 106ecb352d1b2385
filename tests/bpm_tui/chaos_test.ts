/** Whatever is pressed and whatever servers say, in any order: nothing throws, and what has to hold holds. */
import { ok, strictEqual } from "node:assert/strict";
import type { ServerNews } from "../../lib/bpm_tui/model.ts";
import { KEYMAP } from "../../lib/bpm_tui/keymap.ts";
import { lineOfText } from "../../lib/bpm_tui/log_lines.ts";
import type { Overview } from "../../lib/bpm_tui/service.ts";
import { chance, seedOf } from "../tui/vt.ts";
import { ALL_ABILITIES, aProject, NOON_MS, Player, UPSTREAM, upstreamProject } from "./player.ts";

const KEYS = [
  ...KEYMAP.flatMap(({ keys }) => keys),
  "x",
  "1",
  "2",
  "9",
  "backspace",
  "ctrl+]",
  "ctrl+u",
  "漢",
  "(",
]
  .filter((key) => key !== "q" && key !== "ctrl+c");
const LINES = [
  "plain",
  "[stderr] \x1b[31mred\x1b[0m",
  "漢字\twide",
  "",
  "\x1b[2J\x1b[5;5Hdrawn",
  "x".repeat(300),
  "50%\r100%",
];

Deno.test("any keys, mouse, news and sizes in any order are drawn, with one question at a time", () => {
  const seed = seedOf("chaos");
  const random = chance(seed);
  const one = <T>(list: readonly T[]): T => list[random(list.length)]!;
  for (let round = 0; round < 40; round++) {
    const player = new Player({ urls: ["http://a/mcp", "http://b/mcp"].slice(random(2)) });
    const asked = new Map<string, number>();
    for (let step = 0; step < 120; step++) {
      const project = random(player.model.projects.length);
      const happen: (() => void)[] = [
        () => player.press(one(KEYS)),
        () => player.press(one(KEYS), one(KEYS), one(KEYS)),
        () => player.mouse(one(["press", "wheelup", "wheeldown"] as const), random(140), random(50)),
        () => player.terminal({ kind: "paste", text: one(LINES) }),
        () => player.terminal({ kind: "resize", width: random(140), height: random(50) }),
        () => player.pass(100 + random(3_000)),
        () => answer(player, asked, project, one([aProject(), upstreamProject(), { services: [] }]), random),
        () => answerLog(player, asked, Array.from({ length: random(40) }, () => one(LINES)), random),
        () => player.news({ kind: "jobEnded", job: random(5), ok: random(2) === 0, text: one(LINES) }),
        () => player.news({ kind: "told", title: "why", text: one(LINES) }),
      ];
      one(happen)();
      for (const effect of player.done()) {
        if (!["connect", "poll", "readLog"].includes(effect.kind) || !("project" in effect)) continue;
        const what = `${effect.kind === "readLog" ? "log" : "poll"} ${effect.project}`;
        strictEqual(asked.has(what), false, `two questions at once: ${what}, round ${round}`);
        asked.set(what, step);
      }
      const { model } = player;
      strictEqual(player.text().split("\n").length, model.height + 1);
      const { overview, selected, list } = model.projects[model.active]!;
      if (overview !== undefined && overview.services.length > 0) {
        ok(
          overview.services.some(({ name }) => name === selected),
          `round ${round}: ${selected} is selected`,
        );
        strictEqual(overview.services[list.selected]?.name, selected);
      }
      ok(player.nowMs >= NOON_MS);
      player.model = { ...model, ended: false };
    }
  }
});

type Random = (below: number) => number;

/** A poll or a connection that was asked for is answered, well or not. */
function answer(
  player: Player,
  asked: Map<string, number>,
  project: number,
  overview: Overview,
  random: Random,
): void {
  if (!asked.delete(`poll ${project}`)) return;
  const identity = { name: "bpm", version: "1", protocol: "1" };
  const abilities = random(2) === 0 ? ALL_ABILITIES : UPSTREAM;
  const connecting = player.model.projects[project]!.link.kind !== "online";
  const well: ServerNews = connecting
    ? { kind: "connected", project, identity, abilities }
    : { kind: "polled", project, overview };
  player.news(random(4) === 0 ? { kind: "pollFailed", project, reason: "gone" } : well);
}

/** The log that is being read comes, or does not. */
function answerLog(player: Player, asked: Map<string, number>, lines: string[], random: Random): void {
  for (const [project, { reading }] of player.model.projects.entries()) {
    if (reading === undefined || !asked.delete(`log ${project}`)) continue;
    if (random(4) === 0) {
      player.news({
        kind: "logFailed",
        project,
        key: reading,
        reason: "Log instance -3 not found (have 2 instances)",
      });
    } else {
      player.news({ kind: "logRead", project, key: reading, lines: lines.map(lineOfText), depth: 1_000 });
    }
  }
}
