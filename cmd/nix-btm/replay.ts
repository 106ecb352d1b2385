/** `nix-btm replay`: a recorded log as if it came now. @module */
import { gunzipSync } from "node:zlib";
import { sleep } from "../../lib/async/mod.ts";
import { command, option, print, TempFolder } from "../../lib/cli/mod.ts";
import { optionalInteger, toggle } from "../../lib/config/mod.ts";
import { plainJson } from "../../lib/tui/mod.ts";
import { readGiven } from "./files.ts";
import { JSON_OPTION, THEME_OPTION } from "./status.ts";

const GZIP = [0x1f, 0x8b];
const NEWLINE = 0x0a;

/** Recorded lines have no times: without a speed all of them come within this. */
const REPLAY_MS = 30_000;
/** Lines come in so many portions. */
const STEP_MS = 50;
const SPEED_MAX = 100_000_000;

export const replay = command({
  name: "replay",
  summary: "show a recorded log of Nix as if it came now",
  description:
    "Reads internal-json, with or without @nix before it, or Nix' log for people; also gzipped. In a terminal it is " +
    "played: its lines have no times, so that all take equally long. Otherwise, or with --once, what happened is printed.",
  positionals: [{ name: "FILE", help: "the log; - is standard input" }],
  options: {
    speed: option(
      optionalInteger({
        help: "Lines a second [default: as many as make half a minute].",
        min: 1,
        max: SPEED_MAX,
        example: "1000",
      }),
      { value: "LINES" },
    ),
    json: JSON_OPTION,
    once: option(toggle({ help: "Prints what happened and ends.", fallback: false })),
    theme: THEME_OPTION,
  },
  examples: [
    ["nix-btm replay build.log", "All that happened in it, within half a minute"],
    ["nix-btm replay build.log --speed 10", "Slowly"],
    ["nix-btm replay build.log --once", "What it came to"],
  ],
  async run({ args: [path = "-"], options, signal }) {
    const bytes = await read(path);
    const isPlayed = path !== "-" && !options.once && !options.json && Deno.stdin.isTerminal() &&
      Deno.stdout.isTerminal();
    if (!isPlayed) return await summarize(bytes, options.json);
    const { localSource, readDerivation } = await import("../../lib/nix_btm/mod.ts");
    const { Terminal } = await import("../../lib/tui/mod.ts");
    const { runNixTui } = await import("../../lib/nix_btm/tui/mod.ts");
    using stack = new DisposableStack();
    const { path: folder } = stack.use(TempFolder.create("nix-btm-replay"));
    const source = stack.use(
      localSource({ stateFolder: folder, looks: false, readFile: readDerivation }),
    );
    const screen = stack.use(Terminal.open(Deno.env.toObject()));
    const over = new AbortController();
    const playing = play(bytes, source.monitor.open({ source: "replay" }), {
      speed: options.speed,
      signal: AbortSignal.any([signal, over.signal]),
    });
    await runNixTui({ source, screen, signal, canSteer: false, theme: options.theme, tab: "eagle" });
    over.abort();
    await playing;
    signal.throwIfAborted();
    return 0;
  },
});

async function read(path: string): Promise<Uint8Array> {
  const found = path === "-"
    ? new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer())
    : await readGiven("log", path);
  return GZIP.every((byte, at) => found[at] === byte) ? gunzipSync(found) : found;
}

async function summarize(bytes: Uint8Array, json: boolean): Promise<number> {
  const { Monitor, readDerivation, snapshotOf, summaryText } = await import("../../lib/nix_btm/mod.ts");
  const monitor = new Monitor({ readFile: readDerivation });
  const log = monitor.open({ source: "replay" });
  log.push(bytes);
  log.end();
  await monitor.settled();
  monitor.flush();
  print(
    json
      ? `${plainJson(JSON.stringify(snapshotOf(monitor.world), undefined, 2))}\n`
      : summaryText(monitor.world, Date.now()),
  );
  return 0;
}

/** Hands lines over at their pace until all have come, or the signal fires. */
async function play(
  bytes: Uint8Array,
  log: { push(bytes: Uint8Array): void; end(): void },
  { speed, signal }: { readonly speed: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const begunMs = performance.now();
  const bytesPerMs = bytes.length / REPLAY_MS;
  let lines = 0;
  for (let at = 0; at < bytes.length && !signal.aborted;) {
    const passedMs = performance.now() - begunMs;
    let end = at;
    if (speed === undefined) end = lineEnd(bytes, Math.min(bytes.length, Math.ceil(passedMs * bytesPerMs)));
    else for (; lines < passedMs / 1_000 * speed && end < bytes.length; lines++) end = lineEnd(bytes, end);
    if (end > at) log.push(bytes.subarray(at, end));
    at = Math.max(at, end);
    await sleep(STEP_MS, { signal }).catch(() => "The loop's head looks at the signal.");
  }
  log.end();
}

/** Behind the first end of a line from `from` on. */
function lineEnd(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(NEWLINE, from);
  return at < 0 ? bytes.length : at + 1;
}
