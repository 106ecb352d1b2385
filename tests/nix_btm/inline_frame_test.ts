/** What stands below the log, as text, at moments of recorded logs. `UPDATE=1` writes the files anew. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { endingLines, handlesOf, inlineLines, isBusy, unstyledText } from "../../lib/nix_btm/inline/mod.ts";
import { textWidth } from "../../lib/tui/mod.ts";
import { scenarios } from "../nix/_scenarios.ts";
import { clockText, Replay } from "./_inline.ts";

const FOLDER = new URL("testdata/", import.meta.url).pathname;
const SIZES = [[80, 24], [40, 10], [200, 50]] as const;

/** Scenario, time of a line of its log, and the parts of it that are looked at. */
const CASES: [name: string, stepMs: number, parts: number[]][] = [
  ["03-diamond", 50, [0.3, 0.6, 0.9, 1]],
  ["05-wide-200-j8", 5, [0.5, 0.95, 1]],
  ["06-fail-chain", 50, [0.6, 0.95, 1]],
  ["20-ca-derivations", 50, [0.5, 0.8]],
  ["33-mixed-substitute-and-build", 20, [0.5, 0.9, 1]],
  ["36-builtin-fetchurl", 100, [0.5, 1]],
  ["37-post-build-hook", 100, [0.7, 1]],
  ["53-waiting-for-uid", 50, [0.5, 0.8]],
  ["56-remote-ssh-ng", 50, [0.4, 0.7, 1]],
];

/** Builds of names that end with these digits have been seen before. */
function averageOf({ name }: { readonly name: string }) {
  return /[024]$/.test(name) ? { count: 3, medianMs: 75_000, p90Ms: 90_000 } : undefined;
}

function picture(replay: Replay, width: number, height: number): string {
  const { nowMs, world, scenario: { expected } } = replay;
  const lines = inlineLines(world, { width, height, nowMs, clockText, averageOf });
  for (const line of lines) ok(textWidth(unstyledText(line)) <= width, unstyledText(line));
  const isOver = [...world.commands.values()].every(({ state }) => state !== "running");
  if (!isOver) return lines.map(unstyledText).join("\n");
  const end = { kind: "exited", code: expected.exit_code } as const;
  return endingLines(world, { width, nowMs, end, tailLines: 10, clockText }).map(unstyledText).join("\n");
}

for (const [name, stepMs, parts] of CASES) {
  Deno.test(`the lines below the log of ${name}`, () => {
    const replay = new Replay(name, stepMs);
    const found = parts.flatMap((part) => {
      replay.to(part);
      return SIZES.map(([width, height]) =>
        `== ${100 * part} %, ${width}x${height}\n${picture(replay, width, height)}\n`
      );
    }).join("");
    const file = `${FOLDER}inline-${name}.txt`;
    if (Deno.env.get("UPDATE") !== undefined) Deno.writeTextFileSync(file, found);
    strictEqual(found, Deno.readTextFileSync(file));
  });
}

Deno.test("a fixed height is kept from the first line to the last, a free one takes a third at most", () => {
  const replay = new Replay("05-wide-200-j8", 5);
  for (let part = 0; part < 1; part += 0.05) {
    const { world, nowMs } = replay.to(part);
    strictEqual(inlineLines(world, { width: 80, height: 24, nowMs, lines: 12 }).length, 12);
    strictEqual(inlineLines(world, { width: 80, height: 6, nowMs, lines: 12 }).length, 5);
    ok(inlineLines(world, { width: 80, height: 24, nowMs }).length <= 8);
    strictEqual(inlineLines(world, { width: 80, height: 2, nowMs }).length, 1);
  }
});

Deno.test("a window holds the last lines of logs in exactly so many", () => {
  const { world, nowMs } = new Replay("03-diamond", 50).to(0.6);
  const log = ["one", "two", "three"].map((text) => [{ text, style: 0 }]);
  const lines = (windowLines: number) =>
    inlineLines(world, { width: 80, height: 24, nowMs, log, windowLines }).map(unstyledText);
  deepStrictEqual(lines(2).slice(0, 2), ["┃ two", "┃ three"]);
  deepStrictEqual(lines(4).slice(0, 4), ["┃", "┃ one", "┃ two", "┃ three"]);
  deepStrictEqual(lines(4).slice(4), lines(0));
});

Deno.test("every build that runs or failed is shown once, or counted as hidden", () => {
  const replay = new Replay("05-wide-200-j8", 5);
  for (const part of [0.4, 0.6, 0.8]) {
    const { world, nowMs } = replay.to(part);
    const running = [...world.jobs.values()].filter(({ kind, state }) =>
      kind === "build" && state.kind === "running"
    );
    const lines = inlineLines(world, { width: 80, height: 300, nowMs }).map(unstyledText);
    const names = lines.flatMap((line) => /⏵ (wide-\d+)( |$)/.exec(line)?.[1] ?? []);
    deepStrictEqual(names.sort(), running.map(({ name }) => name).sort());
    const few = inlineLines(world, { width: 80, height: 15, nowMs }).map(unstyledText);
    strictEqual(few[0], `┃ … and ${running.length - 3} more`);
  }
});

Deno.test("handles are short, and never the same", () => {
  const cases: [hosts: string[], handles: string[]][] = [
    [["", "ssh-ng://nix@builder1.example.org"], ["here", "builder1"]],
    [["https://cache.nixos.org", "https://cache.example.org/x"], ["cache.nixos", "cache.example"]],
    [["ssh://a.example.org", "ssh-ng://a.example.org"], ["ssh://a.example.org", "ssh-ng://a.example.org"]],
    [["http://10.0.0.1:80", "http://10.0.0.2"], ["10.0.0.1", "10.0.0.2"]],
    [["http://h/one", "http://h/two"], ["h/one", "h/two"]],
    [["file:///srv/cache", "s3://bucket?region=x"], ["cache", "bucket"]],
    [["file:///a/cache", "file:///b/cache"], ["a/cache", "b/cache"]],
    [["local", "/mnt/store"], ["local", "store"]],
  ];
  for (const [hosts, handles] of cases) {
    deepStrictEqual(hosts.map((host) => handlesOf(hosts).get(host)), handles);
  }
});

Deno.test("whatever log, moment and size: no line is too long, and nothing goes on once it is over", () => {
  for (const { name } of scenarios()) {
    const replay = new Replay(name, 40);
    for (const part of [0, 0.1, 0.35, 0.65, 0.8, 0.97, 1]) {
      const { world, nowMs } = replay.to(part);
      for (const [width, height] of [[1, 1], [7, 3], [40, 10], [120, 60]] as const) {
        const lines = inlineLines(world, { width, height, nowMs, clockText });
        ok(lines.length <= Math.max(1, height - 1), `${name} at ${part}: ${lines.length} lines`);
        for (const line of lines) {
          ok(textWidth(unstyledText(line)) <= width, `${name} at ${part}: ${unstyledText(line)}`);
        }
      }
    }
    ok(!isBusy(replay.world), name);
  }
});
