/** Plays the TUI without a terminal and without servers: events in, frames and effects out. */
import { Frame, type TerminalEvent } from "../../lib/tui/mod.ts";
import {
  type Effect,
  type Model,
  type ServerEvent,
  type ServerNews,
  startModel,
} from "../../lib/bpm_tui/model.ts";
import { lineOfText } from "../../lib/bpm_tui/log_lines.ts";
import type { Overview } from "../../lib/bpm_tui/service.ts";
import { update } from "../../lib/bpm_tui/update.ts";
import { view } from "../../lib/bpm_tui/view.ts";

/** What servers of the play can do. */
export const ALL_ABILITIES = {
  start: true,
  stop: true,
  send: true,
  window: true,
  explain: true,
  listen: true,
  structured: true,
};

/** 2026-11-21 12:00 UTC. */
export const NOON_MS = 1_795_262_400_000;

/** A TUI that is played. */
export class Player {
  model: Model;
  nowMs = NOON_MS;
  /** Effects that have not been looked at. */
  effects: Effect[] = [];

  constructor(options: { urls?: string[]; width?: number; height?: number; depth?: "none" | 256 } = {}) {
    const { urls = ["http://localhost:3001/mcp"], width = 80, height = 24, depth = "none" } = options;
    this.model = startModel(urls, { depth, nowMs: NOON_MS });
    this.terminal({ kind: "resize", width, height });
  }

  terminal(event: TerminalEvent): void {
    this.#take(event);
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
    this.#take({ kind: "mouse", action, button, x, y, ctrl: false, alt: false, shift: false });
    return this;
  }

  /** A server, or the clock, says something. */
  news(news: ServerNews): this {
    this.#take({ nowMs: this.nowMs, ...news } as ServerEvent);
    return this;
  }

  /** Time goes by in ticks of the clock. */
  pass(ms: number): this {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += 100;
      this.news({ kind: "tick" });
    }
    return this;
  }

  /** The effects since they were asked for last. */
  done(): Effect[] {
    return this.effects.splice(0);
  }

  /** A server is there, and says what there is. */
  online(overview: Overview, abilities = ALL_ABILITIES, project = 0): this {
    this.news({ kind: "tick" });
    const upstream = !abilities.structured;
    const identity = {
      name: upstream ? "background-process-manager" : "bpm",
      version: "0.1.0",
      protocol: upstream ? "2024-11-05" : "2025-11-25",
    };
    this.news({ kind: "connected", project, identity, abilities });
    return this.news({ kind: "polled", project, overview });
  }

  /** The log that is asked for is answered. */
  logs(...lines: string[]): this {
    const asked = this.effects.findLast((effect) => effect.kind === "readLog");
    if (asked === undefined) throw new Error("no log was asked for");
    const { project, key, depth } = asked;
    return this.news({ kind: "logRead", project, key, lines: lines.map(lineOfText), depth });
  }

  frame(): Frame {
    const frame = new Frame(this.model.width, this.model.height);
    view(this.model, frame);
    return frame;
  }

  text(): string {
    return this.frame().text();
  }

  #take(event: TerminalEvent | ServerEvent): void {
    const [model, effects] = update(this.model, event);
    this.model = model;
    this.effects.push(...effects);
  }
}

/** A project of ours with services of every state. */
export function aProject(): Overview {
  const base = { crashes: 0, dependsOn: [], events: [] };
  return {
    mode: "Dev",
    modeNote: "Time until release mode: 2 hours 14 minutes",
    usageSource: "agent",
    services: [
      {
        ...base,
        name: "web",
        state: "running",
        ready: true,
        pid: 812,
        uptimeMs: 7_530_000,
        url: "http://127.0.0.1:8080",
        swap: { way: "proxy", reason: "clients keep HTTP connections, which only a proxy hands on" },
        cpuRatio: 0.42,
        memoryBytes: 187_000_000,
        dependsOn: ["api", "cache"],
        conditions: new Map([["api", "ready"], ["cache", "started"]]),
        instances: 3,
        builds: 2,
        events: [
          "Started at 2026-11-21 09:54:30 UTC",
          "Crashed at 2026-11-21 09:54:29 UTC (exit code: Some(1))",
        ],
      },
      {
        ...base,
        name: "api",
        state: "running",
        ready: true,
        pid: 807,
        uptimeMs: 60_000,
        restarts: 1,
        dependsOn: ["db"],
      },
      { ...base, name: "cache", state: "running", ready: false, pid: 809, uptimeMs: 4_000 },
      { ...base, name: "db", state: "running", ready: true, pid: 801, uptimeMs: 90_000_000 },
      {
        ...base,
        name: "mailer",
        state: "backoff",
        crashes: 7,
        restarts: 7,
        exit: "101",
        startsInMs: 38_000,
        dependsOn: ["db"],
      },
      { ...base, name: "漢字-worker", state: "idle", dependsOn: ["db", "queue"] },
    ],
  };
}

/** The same as upstream tells it. */
export function upstreamProject(): Overview {
  const base = { crashes: 0, dependsOn: [], events: [] };
  return {
    mode: "Release",
    modeNote: "Currently in release mode",
    services: [
      {
        ...base,
        name: "api",
        state: "running",
        uptimeMs: 3_720_000,
        events: ["Started at 2026-11-21 08:00:00"],
      },
      { ...base, name: "web", state: "crashed", crashes: 2 },
    ],
  };
}

/** What upstream's server can do. */
export const UPSTREAM = {
  start: false,
  stop: false,
  send: false,
  window: false,
  explain: false,
  listen: false,
  structured: false,
};
