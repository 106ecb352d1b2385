/**
 * Shows a command while it runs: its standard error goes to a monitor, the monitor's world to those who show it, and
 * what they draw to the terminal, at a pace that it can take.
 * @module
 */
import type { DurationsOf, Job, Requester } from "../../nix/mod.ts";
import { plainText } from "../../tui/mod.ts";
import { type Log, Monitor, type MonitorOptions } from "../monitor.ts";
import { isInStore, isRegistered, readDerivation } from "../store_files.ts";
import type { Sink } from "../wrap/mod.ts";
import type { World } from "../world.ts";
import { type End, failedBuilds, otherErrors } from "./ending.ts";
import { PICTURE_LINGER_MS } from "./terminal_view.ts";
import { isBusy } from "./figures.ts";
import type { Moment, View } from "./view.ts";

/** Between two pictures; ten times as long as one takes, within these. */
const PACE_MS: readonly [least: number, most: number] = [20, 1_000];
const COST_FACTOR = 10;
/** Clocks go on by themselves while something is done. */
const TICK_MS = 1_000;
/** What waits to be written holds the command back beyond this. */
const PENDING_LENGTH = 1024 * 1024;
/** What is still looked up at the end, files of derivations and outputs, has so long. */
const SETTLE_MS = 2_000;

/** A view and where its text goes. */
export interface Shown {
  readonly view: View;
  readonly write: (text: string) => Promise<void>;
}

/** What is shown, where and to whom. */
export interface SessionOptions {
  readonly requester: Requester;
  /** Makes the views of this world. */
  readonly views: (world: World) => readonly Shown[];
  readonly size: () => { readonly width: number; readonly height: number };
  /** The command may become a program that talks to a person: nothing may stand in its way for a moment. */
  readonly mayTalk?: boolean;
  readonly durationsOf?: DurationsOf | undefined;
  readonly onBuildEnd?: MonitorOptions["onBuildEnd"];
}

/** One command that is shown. */
export class Session implements Disposable {
  readonly #options: SessionOptions;
  readonly #monitor: Monitor;
  readonly #log: Log;
  #shown: readonly Shown[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;
  #drawing: Promise<void> | undefined;
  #costMs = 0;
  #isOver = false;
  readonly #resized = () => this.#wake(0);
  readonly #continued = () => {
    for (const { view } of this.#shown) view.forget?.();
    this.#wake(0);
  };

  constructor(options: SessionOptions) {
    this.#options = options;
    const { durationsOf, onBuildEnd } = options;
    this.#monitor = new Monitor({
      readFile: readDerivation,
      exists: isInStore,
      isRegistered,
      onMessage: (text, level) => this.#each((view) => view.message(text, level)),
      onLine: (job, text) => this.#line(job, text),
      ...(durationsOf === undefined ? {} : { durationsOf }),
      ...(onBuildEnd === undefined ? {} : { onBuildEnd }),
    });
    this.#log = this.#monitor.open(options.requester);
    this.#shown = options.views(this.#monitor.world);
    Deno.addSignalListener("SIGWINCH", this.#resized);
    Deno.addSignalListener("SIGCONT", this.#continued);
  }

  /** Takes standard error, records and text; holds back whoever writes faster than the terminal takes it. */
  readonly take: Sink = (bytes) => {
    this.#log.push(bytes);
    return this.#heard();
  };

  /** Takes what is text of the command itself. */
  readonly text: Sink = (bytes) => {
    this.#each((view) => view.text(bytes));
    return this.#heard();
  };

  /** Takes what it prints, where that comes through here. */
  readonly output: Sink = (bytes) => {
    this.#each((view) => view.output(bytes));
    return this.#heard();
  };

  /** A line of our own. */
  readonly say = (line: string): void => {
    void this.text(new TextEncoder().encode(`nix-btm: ${plainText(line)}\n`));
  };

  /**
   * The command is over: what is left is said. Everything that comes after that is nobody's. Where nobody knows how it
   * ended the world tells: with 1 when a build failed, an error was told, or the log broke off.
   */
  async finish(known?: End): Promise<End> {
    if (this.#isOver) return known ?? { kind: "exited", code: 0 };
    this.#log.end(known?.kind === "exited" ? known.code : undefined);
    clearTimeout(this.#timer);
    // What is drawn yet comes before: a picture without these changes would show only the words that belong behind them.
    await this.#drawing;
    this.#isOver = true;
    clearTimeout(this.#timer);
    // Ends of builds are looked up only for those that are told as ended.
    const last = this.#monitor.flush();
    await this.#settle();
    const settled = this.#monitor.flush();
    const moment = this.#moment();
    const { world } = this.#monitor;
    const end = known ?? { kind: "exited", code: isGood(world) ? 0 : 1 };
    for (const { view, write } of this.#shown) {
      const text = view.show(last, moment) + view.show(settled, moment) + view.end(end, moment);
      if (text !== "") await this.#write({ view, write }, text);
    }
    return end;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    Deno.removeSignalListener("SIGWINCH", this.#resized);
    Deno.removeSignalListener("SIGCONT", this.#continued);
  }

  #line(job: Job, text: string): void {
    // Of a log for people every line is text of the command already.
    if (this.#log.counts.plain < this.#log.counts.lines) this.#each((view) => view.line(job, text));
  }

  #each(tell: (view: View) => void): void {
    if (!this.#isOver) { for (const { view } of this.#shown) tell(view); }
  }

  #heard(): void | Promise<void> {
    if (this.#isOver) return;
    if (this.#options.mayTalk === true) return this.#draw();
    this.#wake(Math.min(PACE_MS[1], Math.max(PACE_MS[0], COST_FACTOR * this.#costMs)));
    if (this.#shown.some(({ view }) => view.pendingLength > PENDING_LENGTH)) {
      this.#wake(0);
      return this.#draw();
    }
  }

  /** Draws within so many milliseconds. */
  #wake(ms: number): void {
    const dueMs = performance.now() + ms;
    if (this.#isOver || this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => void this.#draw(), ms);
  }

  /** One picture at a time: who is asked meanwhile gets the next one. */
  async #draw(): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueMs = Infinity;
    this.#drawing = (this.#drawing ?? Promise.resolve()).then(() => this.#picture());
    await this.#drawing;
    if (isBusy(this.#monitor.world)) this.#wake(TICK_MS);
    else if (this.#shown.some(({ view }) => view.isLingering === true)) this.#wake(PICTURE_LINGER_MS);
  }

  async #picture(): Promise<void> {
    if (this.#isOver) return;
    const begun = performance.now();
    const update = this.#monitor.flush();
    const moment = this.#moment();
    const texts = this.#shown.map((shown) => ({ shown, text: shown.view.show(update, moment) }));
    for (const { shown, text } of texts) if (text !== "") await this.#write(shown, text);
    this.#costMs = performance.now() - begun;
  }

  async #write(shown: Shown, text: string): Promise<void> {
    try {
      await shown.write(text);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // The terminal has gone: the build goes on unseen.
      this.#shown = this.#shown.filter((each) => each !== shown);
    }
  }

  async #settle(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SETTLE_MS);
    });
    await Promise.race([this.#monitor.settled(), limit]);
    clearTimeout(timer);
  }

  #moment(): Moment {
    return { ...this.#options.size(), nowMs: Date.now() };
  }
}

function isGood(world: World): boolean {
  return failedBuilds(world).length + otherErrors(world).length === 0 &&
    [...world.commands.values()].every(({ state }) => state === "succeeded");
}
