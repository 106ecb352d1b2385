/** Runs the terminal client. Shell. @module */
import { clipboardSequence, runProgram, type Screen } from "../../tui/mod.ts";
import type { HistoryQuery, PastBuild } from "../history.ts";
import { BuilderSteering, BuilderWatch } from "../processes/mod.ts";
import { processKey } from "./builder_rows.ts";
import type { Standing } from "../client.ts";
import type { World } from "../world.ts";
import {
  type Effect,
  type Model,
  type News,
  startModel,
  type Tab,
  type TimedNews,
  type TuiEvent,
} from "./model.ts";
import type { ThemeName } from "./theme_names.ts";
import { update } from "./update.ts";
import { view } from "./view.ts";

/** Where the client looks: a daemon, or the monitor of this very process. */
export interface TuiSource {
  readonly worlds: ReadonlyMap<string, World>;
  readonly standing: Standing;
  history(query: HistoryQuery, signal: AbortSignal): Promise<readonly PastBuild[]>;
  /** All lines of a build. */
  log(
    of: { readonly job: number } | { readonly file: string },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Calls `changed` after the worlds did, until the signal fires. */
  follow(changed: () => void, signal: AbortSignal): void;
}

export interface TuiOptions {
  readonly source: TuiSource;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Whether builds of this host may be steered: it is this host that is looked at. */
  readonly canSteer: boolean;
  readonly theme?: ThemeName | undefined;
  /** The view to begin with; the builders' when it is not said. */
  readonly tab?: Tab | undefined;
}

/** Changes are drawn at most so often. */
const REDRAW_MS = 200;
/** Times go on. */
const TICK_MS = 1_000;
const HISTORY_ROWS = 500;

/** Shows builds until the user quits or the signal fires. */
export async function runNixTui(
  { source, screen, signal, canSteer, theme, tab = "builders" }: TuiOptions,
): Promise<void> {
  const effects = new Effects(source, screen);
  await runProgram<Model, TimedNews, Effect>({
    model: {
      ...startModel({
        depth: screen.depth,
        themeName: theme,
        nowMs: Date.now(),
        hostname: Deno.hostname(),
        canSteer,
      }),
      tab,
    },
    update,
    view,
    ended: ({ ended }) => ended,
    perform: (effect, tell, stop) => effects.perform(effect, tell, stop),
  }, { screen, signal, begin: [{ kind: "begin" }] });
}

type Tell = (event: TuiEvent) => void;

class Effects {
  readonly #source: TuiSource;
  readonly #screen: Screen;
  #version = 0;
  #watch: BuilderWatch | undefined;

  constructor(source: TuiSource, screen: Screen) {
    this.#source = source;
    this.#screen = screen;
  }

  perform(effect: Effect, tellEvent: Tell, signal: AbortSignal): void {
    const tell = (news: News) => tellEvent({ ...news, nowMs: Date.now() });
    switch (effect.kind) {
      case "begin":
        return this.#begin(tell, signal);
      case "readLog": {
        const { job } = effect;
        return ask(
          this.#readLog(effect, signal),
          (lines) => tell({ kind: "logRead", job, lines }),
          (reason) => tell({ kind: "logFailed", job, reason }),
          signal,
        );
      }
      case "readHistory": {
        const name = effect.name === "" ? undefined : effect.name;
        return ask(
          this.#source.history({ name, outcome: effect.outcome, limit: HISTORY_ROWS }, signal),
          (rows) => tell({ kind: "historyRead", rows }),
          (reason) => tell({ kind: "historyFailed", reason }),
          signal,
        );
      }
      case "readEnvironments": {
        const watch = this.#watch ??= new BuilderWatch();
        const found = effect.processes.map((process): [string, string] => {
          const variables = watch.environment(process);
          const text = variables === undefined
            ? "it has ended, or its environment may not be read"
            : [...variables].map(([name, value]) => `${name}=${value}`).join("\n");
          return [processKey(process), text];
        });
        return tell({ kind: "environmentsRead", found: new Map(found) });
      }
      case "steer":
        return ask(
          steer(effect),
          (text) => tell({ kind: "told", text }),
          (text) => tell({ kind: "told", text }),
          signal,
        );
      case "copy":
        this.#screen.write(clipboardSequence(effect.text, { inTmux: Deno.env.has("TMUX") })).catch(() =>
          undefined
        ); // A terminal that has gone keeps nothing.
        return;
      case "mouse":
        return this.#screen.mouse(effect.on);
      default:
        return effect satisfies never;
    }
  }

  #begin(tell: (news: News) => void, signal: AbortSignal): void {
    const changes = new Pace(() => {
      const { worlds, standing } = this.#source;
      tell({ kind: "changed", source: { worlds, standing, version: ++this.#version } });
    });
    const ticking = setInterval(() => tell({ kind: "tick" }), TICK_MS);
    signal.addEventListener("abort", () => {
      changes.stop();
      clearInterval(ticking);
    }, { once: true });
    this.#source.follow(() => changes.ask(), signal);
    changes.ask();
  }

  /** A build that is over is known by its number no more: then by the newest file of its derivation. */
  async #readLog(
    { job, file, derivation }: Extract<Effect, { kind: "readLog" }>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (file !== undefined) return await this.#source.log({ file }, signal);
    if (job < 0) throw new Error("its log is not kept");
    try {
      return await this.#source.log({ job }, signal);
    } catch (error) {
      const [past] = await this.#source.history({ derivation, limit: 1 }, signal);
      if (derivation === undefined || past?.log === undefined) throw error;
      return await this.#source.log({ file: past.log }, signal);
    }
  }
}

/** Does something at once when asked to, but never twice within `REDRAW_MS`: the last one to ask is always heard. */
class Pace {
  readonly #act: () => void;
  #lastMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(act: () => void) {
    this.#act = act;
  }

  ask(): void {
    const waitMs = Math.max(0, this.#lastMs + REDRAW_MS - performance.now());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#lastMs = performance.now();
      this.#act();
    }, waitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Looks again before it does anything: a process that has ended since is not hit. */
async function steer({ steer: verb, build, name }: Extract<Effect, { kind: "steer" }>): Promise<string> {
  const steering = new BuilderSteering(new BuilderWatch(), Deno.uid()!);
  const { processCount, lateCount } = await steering.steer(build, verb);
  const done = { pause: "paused", resume: "resumed", kill: "killed" }[verb];
  const late = lateCount === 0
    ? ""
    : `, of which ${lateCount} ${lateCount === 1 ? "is" : "are"} still in the kernel`;
  return `${done} ${name}: ${processCount} ${processCount === 1 ? "process" : "processes"}${late}`;
}

function ask<T>(
  answer: Promise<T>,
  done: (answer: T) => void,
  failed: (reason: string) => void,
  signal: AbortSignal,
): void {
  answer.then(done, (error) => {
    if (!signal.aborted) failed(error instanceof Error ? error.message : String(error));
  });
}
