/** Asks for what is on the page: one request for all visible charts, the next only when the last has come. @module */
import { batch, effect } from "@preact/signals";
import { type Columns, COLUMNS_TYPE, decodeColumns } from "../columns.ts";
import { fixedGrid } from "../follow.ts";
import { expandQuery, FIRST_CHARTS } from "../views/mod.ts";
import { askForEvents } from "./events.ts";
import { type ChartModel, shapeData } from "./chart_model.ts";
import { homeView, live, problem, rangeOf, source, view } from "./state.ts";

/** How often the newest points are asked for while the page follows them. */
const FOLLOW_MS = 1_000;

/** How many times visible charts are asked for until all of the section are, those without data too. */
const ALL_EVERY = 10;

/** Charts that come into view within this time are asked for together. */
const TOUCH_MS = 30;

/** Charts that are asked for together at most: what has come is taken in while the next are evaluated. */
const CHARTS_AT_ONCE = 12;

/** An answer that takes longer than this is given up. */
const ANSWER_LIMIT_MS = 20_000;

/** Samples further back than this do not show: a gap is a gap. */
const LOOKBACK_POINTS = 5;

/** Keeps the charts of one section filled. */
export class Feed {
  #charts: readonly ChartModel[] = [];
  #abort: AbortController | undefined;
  #round = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Whether the request that is about to be sent asks for all charts; `undefined` when none is. */
  #due: boolean | undefined;
  #touched: ReturnType<typeof setTimeout> | undefined;
  readonly #first = Promise.withResolvers<void>();

  /** Resolves when the first answer is in the charts. */
  readonly ready: Promise<void> = this.#first.promise;

  /** Begins to follow the view. */
  start(): void {
    effect(() => {
      view.value;
      this.refresh(true);
    });
    effect(() => {
      clearInterval(this.#timer);
      if (live.value) this.#timer = setInterval(() => this.#tick(), FOLLOW_MS);
    });
    document.addEventListener("visibilitychange", () => this.#tick());
  }

  /** The charts of the section that is open. */
  show(charts: readonly ChartModel[]): void {
    this.#charts = charts;
    this.refresh(true);
  }

  /** Asks anew; `all` also for charts that are out of sight. What was under way is dropped. */
  refresh(all: boolean): void {
    this.#abort?.abort();
    this.#abort = undefined;
    if (this.#due !== undefined) {
      this.#due ||= all;
      return;
    }
    this.#due = all;
    // Several signals change at once when a section or a range does: one request is enough.
    queueMicrotask(() => {
      const wanted = this.#due ?? all;
      this.#due = undefined;
      void this.#askInTurn(wanted);
    });
  }

  /** A chart came into view: it may hold data of another range. */
  touch(): void {
    if (this.#touched !== undefined) return;
    this.#touched = setTimeout(() => {
      this.#touched = undefined;
      if (this.#abort === undefined && this.#due === undefined) void this.#ask([() => this.#visible()]);
    }, TOUCH_MS);
  }

  #visible(): readonly ChartModel[] {
    return this.#charts.filter(({ visible }) => visible);
  }

  #tick(): void {
    if (!live.value || document.hidden || this.#abort !== undefined) return;
    const all = this.#round++ % ALL_EVERY === 0;
    void this.#ask([() => all ? this.#charts : this.#visible()]);
  }

  /** What is in sight comes before the rest; a section that shows nothing yet begins with its first charts. */
  #askInTurn(all: boolean): Promise<void> {
    const charts = this.#charts;
    const empty = charts.every(({ data }) => data.peek() === undefined);
    return this.#ask([
      () => empty ? charts.slice(0, FIRST_CHARTS) : [],
      () => this.#visible(),
      () => all ? charts : [],
    ]);
  }

  /** Asks for the charts of each stage; the next request leaves before the page draws what has come. */
  async #ask(stages: readonly (() => readonly ChartModel[])[]): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const left = [...stages];
    const asked = new Set<ChartModel>();
    const next = (): Promise<Answer> | undefined => {
      for (; left.length > 0; left.shift()) {
        const charts = left[0]!().filter((chart) => !asked.has(chart)).slice(0, CHARTS_AT_ONCE);
        if (charts.length === 0) continue;
        for (const chart of charts) asked.add(chart);
        return fetchAnswer(charts, abort.signal);
      }
      return undefined;
    };
    try {
      for (let coming = next(); coming !== undefined;) {
        const answer = await coming;
        if (abort.signal.aborted) return;
        coming = next();
        batch(() => this.#deliver(answer));
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      problem.value = `Cannot ask the viewer: ${error instanceof Error ? error.message : error}`;
      this.#first.resolve();
    } finally {
      if (this.#abort === abort) this.#abort = undefined;
    }
  }

  #deliver({ charts, asked, columns }: Answer): void {
    source.value = columns.source;
    problem.value = columns.source.problem;
    void askForEvents(columns.source.newestEvent);
    const range = rangeOf(view.value!, columns.source);
    let at = 0;
    charts.forEach((chart, index) => {
      const queries = asked[index]!;
      const results = columns.results.slice(at, at += queries.length);
      chart.queries = queries;
      chart.range = range;
      chart.data.value = shapeData(chart.def, results);
    });
    if (charts.length > 0) this.#first.resolve();
  }
}

/** What came for some charts, each of which had several queries. */
interface Answer {
  readonly charts: readonly ChartModel[];
  readonly asked: readonly (readonly string[])[];
  readonly columns: Columns;
}

async function fetchAnswer(charts: readonly ChartModel[], signal: AbortSignal): Promise<Answer> {
  const state = source.value ??
    (source.value = (await fetchColumns({ queries: [], step: 1, span: 1 }, signal)).source);
  view.value ??= homeView(state);
  const range = rangeOf(view.value, state);
  const resolution = {
    step: range.stepMs / 1000,
    interval: state.intervalSeconds,
    range: (range.endMs - range.startMs) / 1000,
  };
  const asked = charts.map(({ def }) => def.queries.map(({ query }) => expandQuery(query, resolution)));
  const times = view.value.kind === "follow" ? { span: resolution.range } : seconds(fixedGrid(state, range));
  const columns = await fetchColumns({
    queries: asked.flat(),
    step: resolution.step,
    lookback: Math.max(LOOKBACK_POINTS * state.intervalSeconds, resolution.step),
    ...times,
  }, signal);
  return { charts, asked, columns };
}

function seconds({ startMs, endMs }: { startMs: number; endMs: number }): { start: number; end: number } {
  return { start: startMs / 1000, end: endMs / 1000 };
}

async function fetchColumns(body: object, signal: AbortSignal): Promise<Columns> {
  const response = await fetch("/api/v1/batch", {
    method: "POST",
    headers: { "content-type": "application/json", accept: COLUMNS_TYPE },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]),
  });
  if (!response.ok) {
    const { error } = await response.json() as { error?: string };
    throw new Error(error ?? `the viewer answers with status ${response.status}`);
  }
  return decodeColumns(await response.arrayBuffer());
}
