/** Plays the terminal client without a terminal and without a daemon: events in, frames and effects out. @module */
import { Monitor, type PastBuild } from "../../lib/nix_btm/mod.ts";
import type { BuilderBuild, BuilderProcess, BuilderSnapshot } from "../../lib/nix_btm/processes/mod.ts";
import type { Effect, Model, News, TuiEvent } from "../../lib/nix_btm/tui/model.ts";
import { startModel } from "../../lib/nix_btm/tui/model.ts";
import { update } from "../../lib/nix_btm/tui/update.ts";
import { view } from "../../lib/nix_btm/tui/view.ts";
import { type ColourDepth, Frame, type TerminalEvent } from "../../lib/tui/mod.ts";
import { inputsOf, scenario } from "../nix/_scenarios.ts";

/** 2026-11-21 12:00 UTC. */
export const NOON_MS = 1_795_262_400_000;

/** Time that a recorded log takes, from its first line to its last one. */
const REPLAY_MS = 60_000;

/** A client that is played, with a monitor of its own as what it looks at. */
export class Player {
  model: Model;
  nowMs = NOON_MS;
  /** Effects that have not been looked at. */
  effects: Effect[] = [];
  readonly monitor: Monitor;
  #version = 0;

  constructor(
    { width = 80, height = 24, depth = "none", canSteer = true }: {
      readonly width?: number;
      readonly height?: number;
      readonly depth?: ColourDepth;
      readonly canSteer?: boolean;
    } = {},
  ) {
    this.monitor = new Monitor({ now: () => this.nowMs });
    this.model = startModel({ depth, nowMs: NOON_MS, hostname: "anvil", canSteer });
    this.terminal({ kind: "resize", width, height });
  }

  terminal(event: TerminalEvent): this {
    return this.#take(event);
  }

  /** Presses keys by name. */
  press(...names: string[]): this {
    for (const name of names) {
      const text = name === "space" ? " " : [...name].length === 1 ? name : undefined;
      this.#take({ kind: "key", name, ...text === undefined ? {} : { text } });
    }
    return this;
  }

  /** Types a text. */
  type(text: string): this {
    return this.press(...[...text].map((char) => char === " " ? "space" : char));
  }

  /** Presses or turns the mouse in a cell. */
  mouse(action: "press" | "wheelup" | "wheeldown", x: number, y: number): this {
    const button = action === "press" ? "left" : "none";
    return this.#take({ kind: "mouse", action, button, x, y, ctrl: false, alt: false, shift: false });
  }

  /** Presses the mouse on the first cell of a text that is seen. @throws {Error} When it is not. */
  click(text: string): this {
    const rows = this.text().split("\n");
    const y = rows.findIndex((row) => row.includes(text));
    if (y < 0) throw new Error(`"${text}" is not seen:\n${this.text()}`);
    return this.mouse("press", rows[y]!.indexOf(text), y);
  }

  news(news: News): this {
    return this.#take({ nowMs: this.nowMs, ...news });
  }

  /** What the monitor knows is told. */
  tell(): this {
    this.monitor.flush();
    return this.changed();
  }

  /** The world has changed, whoever has changed it. */
  changed(): this {
    const worlds = new Map([["", this.monitor.world]]);
    return this.news({
      kind: "changed",
      source: { worlds, standing: { kind: "live" }, version: ++this.#version },
    });
  }

  /**
   * A recorded log comes in, as far as the first line that has `until`, or to its end; all of it takes a minute.
   * What derivations need is what Nix shows of them.
   */
  replay(
    name: string,
    { until, user = "alice" }: { readonly until?: string; readonly user?: string } = {},
  ): this {
    const { bytes, expected } = scenario(name);
    const inputs = inputsOf(expected);
    const text = new TextDecoder().decode(bytes);
    const at = until === undefined ? text.length : text.indexOf(until);
    if (at < 0) throw new Error(`${name} has no line with "${until}"`);
    const log = this.monitor.open({ source: "socket", user, uid: 1_000, pid: 4_242 });
    const lines = text.slice(0, at).split("\n").slice(0, until === undefined ? undefined : -1);
    const lineMs = REPLAY_MS / text.split("\n").length;
    const begunMs = this.nowMs;
    for (const [at, line] of lines.entries()) {
      this.nowMs = begunMs + Math.round((at + 1) * lineMs);
      log.push(new TextEncoder().encode(`${line}\n`));
    }
    if (until === undefined) log.end(expected.exit_code);
    this.monitor.flush();
    for (const { kind, subject } of [...this.monitor.world.jobs.values()]) {
      if (kind !== "build" || inputs(subject).length === 0) continue;
      this.monitor.world.graph.add({
        path: subject,
        inputs: inputs(subject),
        outputs: {},
        system: "x86_64-linux",
      });
    }
    return this.tell();
  }

  /** Somebody has looked at the processes. */
  processes(...builds: BuilderBuild[]): this {
    this.monitor.see(snapshot(this.nowMs, builds));
    return this.tell();
  }

  /** Time goes by in ticks of the clock. */
  pass(ms: number): this {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs = Math.min(end, this.nowMs + 1_000);
      this.news({ kind: "tick" });
    }
    return this;
  }

  /** The effects since they were asked for last. */
  done(): Effect[] {
    return this.effects.splice(0);
  }

  frame(): Frame {
    const frame = new Frame(this.model.width, this.model.height);
    view(this.model, frame);
    return frame;
  }

  text(): string {
    return this.frame().text();
  }

  #take(event: TuiEvent): this {
    const [model, effects] = update(this.model, event);
    this.model = model;
    this.effects.push(...effects);
    return this;
  }
}

/** Two users that build and one that waits. */
function snapshot(atMs: number, builds: readonly BuilderBuild[]): BuilderSnapshot {
  const uids = [30_001, 30_002, 30_003];
  return {
    atMs,
    builds,
    users: uids.map((uid) => ({
      uid,
      user: `nixbld${uid - 30_000}`,
      builds: builds.filter((build) => build.uid === uid),
    })),
  };
}

/** A build as it is seen in its processes. */
export function aBuild(
  name: string,
  { uid = 30_001, pid = 5_000, cpuRatio = 0.5, startedMs = NOON_MS, isPaused = false, children = 2 } = {},
): BuilderBuild {
  const process = (at: number): BuilderProcess => ({
    pid: pid + at,
    ppid: at === 0 ? 4_242 : pid + at - 1,
    startTicks: 100 + at,
    startedMs: startedMs + at * 1_000,
    uid,
    user: `nixbld${uid - 30_000}`,
    name: at === 0 ? "bash" : "cc1plus",
    command: at === 0
      ? ["/nix/store/bash/bin/bash", "-e", "/nix/store/9krlzvny-default-builder.sh"]
      : ["cc1plus", "-O2", `main-${at}.cc`],
    state: isPaused ? "T" : at === 0 ? "S" : "R",
    threads: at === 0 ? 1 : 4,
    cpuSeconds: 3,
    cpuRatio: at === 0 ? 0.001 : cpuRatio / children,
    residentBytes: (at + 1) * 40_000_000,
    virtualBytes: (at + 1) * 90_000_000,
    readBytes: 120_000,
    writtenBytes: 4_000_000 * at,
    depth: at,
  });
  const processes = Array.from({ length: children + 1 }, (_, at) => process(at));
  return {
    id: `build-${pid}`,
    name,
    drvPath: undefined,
    outputs: {},
    foundBy: ["user"],
    uid,
    user: `nixbld${uid - 30_000}`,
    requesterUid: 1_000,
    nixPid: 4_242,
    folder: `/tmp/nix-build-${name}.drv-0`,
    cgroup: undefined,
    startedMs,
    isPaused,
    usage: {
      source: "processes",
      cpuSeconds: 3,
      cpuRatio,
      waitRatio: undefined,
      residentBytes: 240_000_000,
      memoryBytes: 240_000_000,
      readBytes: 360_000,
      writtenBytes: 12_000_000,
      readBytesPerSecond: 0,
      writtenBytesPerSecond: 1_000,
      hasEnded: false,
    },
    processes,
  };
}

/** Builds of the day before. */
export const PAST: readonly PastBuild[] = [
  past(3, { name: "gcc-13.2.0", outcome: "failed", tookMs: 754_000, failure: "failed with exit code 2" }),
  past(2, { name: "hello-2.12.1", outcome: "succeeded", tookMs: 12_400 }),
  past(1, { name: "python3-3.11.8", outcome: "cancelled", tookMs: 3_723_000 }),
];

function past(
  id: number,
  { name, outcome, tookMs, failure }: {
    readonly name: string;
    readonly outcome: string;
    readonly tookMs: number;
    readonly failure?: string;
  },
): PastBuild {
  const endedMs = NOON_MS - (4 - id) * 7_200_000;
  const startedMs = endedMs - tookMs;
  return {
    id,
    name,
    derivation: `/nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}.drv`,
    host: id === 2 ? "ssh-ng://builder" : "",
    startedMs,
    endedMs,
    outcome,
    failure,
    phase: failure === undefined ? undefined : "buildPhase",
    phases: [
      { name: "unpackPhase", atMs: startedMs },
      { name: "configurePhase", atMs: startedMs + tookMs * 0.1 },
      { name: "buildPhase", atMs: startedMs + tookMs * 0.3 },
    ],
    tail: failure === undefined ? [] : ["make: *** [all] Error 2"],
    requester: "alice",
    command: undefined,
    log: id === 1 ? undefined : `${id}.log`,
    cpuSeconds: tookMs / 500,
    peakBytes: 700_000_000,
  };
}
