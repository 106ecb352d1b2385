/** Whole screens as text, readable in review. `UPDATE=1` writes them anew. */
import { match, ok, strictEqual } from "node:assert/strict";
import { aProject, Player, UPSTREAM, upstreamProject } from "./player.ts";

const LINES = [
  "\x1b[2m12:00:01\x1b[0m \x1b[32mINFO\x1b[0m listening on 127.0.0.1:8080",
  "GET /orders/1 200 in 3 ms",
  "[stderr] WARN slow query: 312 ms, table orders, and a line that is longer than the terminal is wide, by far",
  "接続エラー 🦀 column\tafter a tab",
  "GET /orders/2 200 in 4 ms",
];

function ours(width: number, height: number): Player {
  const player = new Player({ width, height }).online(aProject());
  return player.logs(...LINES);
}

const FRAMES: [name: string, player: () => Player][] = [
  ["connecting_80x24", () => {
    const player = new Player();
    player.news({ kind: "tick" });
    return player;
  }],
  ["upstream_80x24", () => new Player().online(upstreamProject(), UPSTREAM).logs(...LINES)],
  ["ours_80x24", () => ours(80, 24)],
  ["ours_120x40", () => ours(120, 40)],
  ["ours_200x50", () => ours(200, 50)],
  ["tiny_30x8", () => ours(30, 8)],
  ["wrapped_and_searched_80x24", () => ours(80, 24).press("enter", "w", "/").type("orders").press("enter")],
  ["searching_100x24", () => ours(100, 24).press("/").type("GET")],
  ["graph_100x24", () => ours(100, 24).press("d")],
  ["help_80x24", () => ours(80, 24).press("?")],
  [
    "help_of_upstream_100x40",
    () => new Player({ width: 100, height: 40 }).online(upstreamProject(), UPSTREAM).press("?"),
  ],
  ["palette_100x24", () => ours(100, 24).press(":").type("re")],
  ["backoff_100x24", () => ours(100, 24).pass(3_000).press("j", "j", "j", "j")],
  ["restarting_100x24", () => ours(100, 24).press("j", "r").pass(3_000)],
  ["failed_100x24", () => {
    const player = ours(100, 24).press("r");
    const job = player.model.jobs[0]!.id;
    return player.news({
      kind: "jobEnded",
      job,
      ok: false,
      text: "Build failed: error[E0432]: unresolved import\n  --> src/main.rs:1:5",
    });
  }],
  [
    "away_80x24",
    () =>
      ours(80, 24).news({
        kind: "pollFailed",
        project: 0,
        reason: "nobody listens there (connection refused)",
      }),
  ],
  ["two_projects_100x24", () => {
    const player = new Player({
      urls: ["http://localhost:3001/mcp", "http://localhost:3002/mcp"],
      width: 100,
    });
    player.online(aProject()).logs(...LINES);
    return player.news({ kind: "pollFailed", project: 1, reason: "no answer within 10 s" });
  }],
  ["attached_100x24", () => ours(100, 24).press("a")],
  ["input_100x24", () => ours(100, 24).press("i").type("rs")],
  [
    "explained_100x24",
    () =>
      ours(100, 24).news({
        kind: "told",
        title: "mailer: its last failure",
        text: "exit 101\n\nits last lines:\n  panicked",
      }),
  ],
  ["no_processes_80x24", () => new Player().online({ services: [] }, UPSTREAM)],
];

for (const [name, play] of FRAMES) {
  Deno.test(`the frame ${name} is its golden file`, () => {
    const file = new URL(`testdata/${name}.txt`, import.meta.url);
    const frame = play().text();
    if (Deno.env.get("UPDATE") !== undefined) Deno.writeTextFileSync(file, frame);
    strictEqual(frame, Deno.readTextFileSync(file));
  });
}

Deno.test("what has ended is told in the columns that there are", () => {
  const project = aProject();
  const ended = project.services.map((each, at) => ({
    ...each,
    state: "finished",
    exit: at === 0 ? "0" : "3",
  }));
  const text = new Player({ width: 80, height: 24 }).online({ ...project, services: ended }).text();
  match(text, /■ web +done /);
  match(text, /✗ api +ended /);
});

Deno.test("every size from nothing to large is drawn without an error", () => {
  const player = ours(80, 24).press("/").type("get");
  for (let width = 0; width < 140; width += 7) {
    for (let height = 0; height < 50; height += 3) {
      player.terminal({ kind: "resize", width, height });
      for (const overlay of ["escape", "?", "escape", ":", "escape", "z", "z"]) {
        player.press(overlay);
        ok(player.text().split("\n").length === height + 1);
      }
      if (player.model.ended) player.model = { ...player.model, ended: false };
    }
  }
});
