/**
 * A program in a terminal: events change a model, the model is drawn, effects are carried out beside. Shell around two
 * pure functions.
 * @module
 */
import type { TerminalEvent } from "./event.ts";
import { Frame } from "./frame.ts";
import { Renderer } from "./render.ts";
import type { Screen } from "./terminal.ts";

/** Two pictures are at least so far apart: more than 30 a second nobody sees. */
const FRAME_MS = 33;

/** What a program is: `M` its model, `E` its own events, `F` what it wants done. */
export interface Program<M, E, F> {
  readonly model: M;
  /** The next model and what to do. Pure. */
  update(model: M, event: TerminalEvent | E): readonly [M, readonly F[]];
  /** Draws into an empty frame. Pure. */
  view(model: M, frame: Frame): void;
  /** Whether the program is over. */
  ended(model: M): boolean;
  /** Begins an effect; what comes of it is told later. It must not wait, and what it starts ends with `signal`. */
  perform(effect: F, tell: (event: TerminalEvent | E) => void, signal: AbortSignal): void;
}

/** Runs a program until it has ended, its input has, or `signal` fires; returns the last model. */
export async function runProgram<M, E, F>(
  program: Program<M, E, F>,
  { screen, signal, begin = [] }: {
    readonly screen: Screen;
    readonly signal: AbortSignal;
    /** Effects to begin with. */
    readonly begin?: readonly F[];
  },
): Promise<M> {
  const controller = new AbortController();
  const stop = AbortSignal.any([signal, controller.signal]);
  const painter = new Painter(screen, (frame) => program.view(model, frame), (error) => fail(error));
  const failed = Promise.withResolvers<never>();
  const fail = (error: unknown) => failed.reject(error);
  let model = program.model;

  const tell = (event: TerminalEvent | E) => {
    if (stop.aborted) return;
    try {
      const [next, effects] = program.update(model, event);
      const changed = next !== model;
      model = next;
      if (isResize(event)) painter.resize();
      else if (changed) painter.request();
      if (program.ended(model)) return controller.abort();
      for (const effect of effects) program.perform(effect, tell, stop);
    } catch (error) {
      fail(error);
    }
  };

  try {
    painter.resize();
    tell({ kind: "resize", ...screen.size() });
    for (const effect of begin) program.perform(effect, tell, stop);
    await Promise.race([screen.listen(tell, stop), failed.promise]);
  } finally {
    controller.abort();
    painter.stop();
    // A failure after the first has nobody left to hear it.
    failed.promise.catch(() => undefined);
    // It would come after the screen was given back.
    await painter.idle;
  }
  return model;
}

function isResize(event: unknown): event is { kind: "resize" } {
  return (event as { kind?: unknown }).kind === "resize";
}

/** Draws when something has changed, one picture at a time: a slow terminal gets fewer pictures, not a queue. */
class Painter {
  /** Resolves when no picture is on its way. */
  idle: Promise<void> = Promise.resolve();
  readonly #screen: Screen;
  readonly #draw: (frame: Frame) => void;
  readonly #fail: (error: unknown) => void;
  readonly #renderer: Renderer;
  #frame: Frame;
  #dirty = false;
  #busy = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(screen: Screen, draw: (frame: Frame) => void, fail: (error: unknown) => void) {
    this.#screen = screen;
    this.#draw = draw;
    this.#fail = fail;
    this.#renderer = new Renderer(screen.depth);
    this.#frame = new Frame(0, 0);
  }

  /** The screen has another size, or something else has drawn on it. */
  resize(): void {
    const { width, height } = this.#screen.size();
    this.#frame = new Frame(width, height);
    this.#renderer.forget();
    this.request();
  }

  request(): void {
    this.#dirty = true;
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    this.idle = this.#paint().catch(this.#fail);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  #wake: (() => void) | undefined;

  async #paint(): Promise<void> {
    // Events that come in one read are drawn in one picture.
    await Promise.resolve();
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      this.#frame.clear();
      this.#draw(this.#frame);
      const text = this.#renderer.render(this.#frame);
      if (text !== "") await this.#screen.write(text);
      await this.#pause();
    }
    this.#busy = false;
  }

  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, FRAME_MS);
    });
  }
}
