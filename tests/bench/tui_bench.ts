/** The design's figures for terminals: CPU while 2,000 rows change five times a second. */
import process from "node:process";
import type { BenchRow } from "../../cmd/dev/bench_row.ts";
import { Renderer } from "../../lib/tui/mod.ts";
import { Player } from "../bpm_tui/player.ts";

const ROWS = 2_000;
const HZ = 5;
const SECONDS = 5;
/** Frames in a row, so that the program is compiled, and then some at its own pace, while their garbage is collected. */
const WARM_UP = 300;
const SETTLING = 2 * HZ;

/** Rows of the bench. */
export async function tuiRows(): Promise<BenchRow[]> {
  const player = new Player({ width: 80, height: 40, depth: 256 });
  const base = { crashes: 0, dependsOn: [], events: [], state: "running", ready: true, memoryBytes: 5e7 };
  const overview = (turn: number) => ({
    services: Array.from({ length: ROWS }, (_, at) => ({
      ...base,
      name: `service-${(at * 7 + turn) % ROWS}`,
      pid: at + 1,
      cpuRatio: ((at * 31 + turn * 17) % 100) / 100,
    })),
  });
  // What a server's answer costs to read is not the terminal's.
  const overviews = Array.from({ length: HZ * SECONDS }, (_, turn) => overview(turn));
  player.online(overviews[0]!);
  const renderer = new Renderer(256);
  let bytes = 0;
  let frameMs = 0;
  // A program that is looked at for hours is measured when it is warm.
  for (let turn = 0; turn < WARM_UP; turn++) {
    player.news({ kind: "polled", project: 0, overview: overviews[turn % overviews.length]! });
    renderer.render(player.frame());
  }
  const turns = HZ * SECONDS;
  let before = process.cpuUsage();
  let begin = performance.now();
  for (let turn = 1 - SETTLING; turn <= turns; turn++) {
    if (turn === 1) {
      [bytes, frameMs] = [0, 0];
      before = process.cpuUsage();
      begin = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000 / HZ));
    player.nowMs += 1_000 / HZ;
    const overview = overviews[(turn + SETTLING) % overviews.length]!;
    player.news({ kind: "polled", project: 0, overview });
    const started = performance.now();
    bytes += renderer.render(player.frame()).length;
    frameMs += performance.now() - started;
  }
  const { user, system } = process.cpuUsage(before);
  const percent = (user + system) / 1_000 / (performance.now() - begin) * 100;
  return [
    {
      name: `tui: CPU with ${ROWS} rows at ${HZ} Hz`,
      value: percent,
      unit: "%",
      bar: "<= 1",
      ok: percent <= 1,
    },
    { name: "tui: drawing a frame of 80x40", value: frameMs / turns, unit: "ms" },
    { name: "tui: bytes of a frame", value: bytes / turns, unit: "B" },
  ];
}
