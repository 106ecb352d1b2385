import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Program, runProgram, type Screen, type TerminalEvent } from "../../lib/tui/mod.ts";
import { Vt } from "./vt.ts";

/** A screen that tests play on. */
class PlayedScreen implements Screen {
  readonly depth = 256;
  readonly vt = new Vt(20, 3);
  writes = 0;
  /** What writing waits for. */
  gate: Promise<void> = Promise.resolve();
  tell: (event: TerminalEvent) => void = () => {};
  readonly ready = Promise.withResolvers<void>();
  #drawn = Promise.withResolvers<void>();

  size() {
    return { width: 20, height: 3 };
  }

  async write(text: string): Promise<void> {
    this.writes++;
    await this.gate;
    this.vt.write(text);
    this.#drawn.resolve();
    this.#drawn = Promise.withResolvers();
  }

  listen(tell: (event: TerminalEvent) => void, signal: AbortSignal): Promise<void> {
    this.tell = tell;
    this.ready.resolve();
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  mouse(): void {}

  async until(row: string): Promise<void> {
    while (this.vt.rowText(0) !== row) await this.#drawn.promise;
  }
}

interface Counting {
  readonly count: number;
  readonly done: boolean;
}

function counter(): Program<Counting, { kind: "added"; by: number }, { kind: "add"; by: number }> {
  return {
    model: { count: 0, done: false },
    update: (model, event) => {
      if (event.kind === "added") return [{ ...model, count: model.count + event.by }, []];
      if (event.kind !== "key") return [model, []];
      if (event.name === "!") throw new RangeError("a bug");
      if (event.name === "q") return [{ ...model, done: true }, []];
      return [model, [{ kind: "add", by: 2 }]];
    },
    view: ({ count }, frame) => void frame.area().put(0, 0, `count ${count}`),
    ended: ({ done }) => done,
    perform: ({ by }, tell) => queueMicrotask(() => tell({ kind: "added", by })),
  };
}

const press = (name: string): TerminalEvent => ({ kind: "key", name });

Deno.test("events change the model, effects come back as events, and what changed is drawn", async () => {
  const screen = new PlayedScreen();
  const { signal } = new AbortController();
  const running = runProgram(counter(), { screen, signal, begin: [{ kind: "add", by: 5 }] });
  await screen.until("count 5");
  screen.tell(press("a"));
  await screen.until("count 7");
  screen.tell(press("q"));
  strictEqual((await running).count, 7);
});

Deno.test("a slow terminal gets one picture of many changes, not a queue", async () => {
  const screen = new PlayedScreen();
  const { signal } = new AbortController();
  const opened = Promise.withResolvers<void>();
  screen.gate = opened.promise;
  const running = runProgram(counter(), { screen, signal });
  await screen.ready.promise;
  for (let turn = 0; turn < 500; turn++) screen.tell(press("a"));
  opened.resolve();
  await screen.until("count 1000");
  ok(screen.writes <= 3, `${screen.writes} pictures`);
  screen.tell(press("q"));
  await running;
});

Deno.test("nothing is written while nothing changes", async () => {
  const screen = new PlayedScreen();
  const { signal } = new AbortController();
  const running = runProgram(counter(), { screen, signal });
  await screen.until("count 0");
  const before = screen.writes;
  for (let turn = 0; turn < 10; turn++) screen.tell({ kind: "focus", focused: true });
  screen.tell(press("q"));
  await running;
  strictEqual(screen.writes, before);
});

Deno.test("another size is drawn whole", async () => {
  const screen = new PlayedScreen();
  const { signal } = new AbortController();
  const running = runProgram(counter(), { screen, signal });
  await screen.until("count 0");
  screen.vt.cells.fill("x");
  screen.tell({ kind: "resize", width: 20, height: 3 });
  await screen.until("count 0");
  deepStrictEqual([0, 1, 2].map((y) => screen.vt.rowText(y)), ["count 0", "", ""]);
  screen.tell(press("q"));
  await running;
});

Deno.test("a bug in a program ends it with its error, and an abort ends it without one", async () => {
  const screen = new PlayedScreen();
  const running = runProgram(counter(), { screen, signal: new AbortController().signal });
  await screen.ready.promise;
  screen.tell(press("!"));
  await rejects(running, RangeError);
  const controller = new AbortController();
  const other = runProgram(counter(), { screen: new PlayedScreen(), signal: controller.signal });
  controller.abort();
  strictEqual((await other).count, 0);
});
