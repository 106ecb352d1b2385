/** Lines and stacked areas, by Chart.js with only the parts that are used and everything automatic turned off. @module */
import {
  Chart,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  type Scale,
} from "chart.js";
import type { Line, Steps } from "./chart_model.ts";
import { faded, seriesColor } from "./colors.ts";
import { formatTick, formatTime, niceSteps } from "./format.ts";
import { AXIS_FONT_PX, BOTTOM, FONT, frameTicks, HEIGHT, LEFT, RIGHT, TOP } from "./geometry.ts";
import { type HeldSeries, INK, type Painter, type Reading, type Scene, stepAt } from "./painter.ts";

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Filler);

type Point = { x: number; y: number };

/** Ticks on the axis of values. */
const VALUE_TICKS = 4;

/** Radius of a point that stands alone. */
const DOT_PX = 1.4;

export class LinePainter implements Painter {
  readonly kind = "lines";
  #chart: Chart<"line", Point[]>;
  #scene: Scene;
  #lines: readonly Line[] = [];

  constructor(canvas: HTMLCanvasElement, scene: Scene) {
    this.#scene = scene;
    this.#chart = new Chart<"line", Point[]>(canvas, {
      type: "line",
      data: { datasets: [] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        spanGaps: false,
        responsive: false,
        maintainAspectRatio: false,
        events: [],
        layout: { autoPadding: false, padding: { top: TOP, right: RIGHT, left: 0, bottom: 0 } },
        elements: { point: { radius: 0 }, line: { borderWidth: 1.35, borderJoinStyle: "round" } },
        scales: { x: this.#timeAxis(), y: this.#valueAxis() },
      },
    });
    this.draw(scene);
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    const { def, data, frame, theme, hidden } = scene;
    if (data.kind !== "lines") return;
    this.#lines = data.lines;
    const ranked = def.style === "log" && data.lines.every(({ name }) => /^p\d/.test(name));
    const chart = this.#chart;
    chart.data.datasets = data.lines.map((line, index): ChartDataset<"line", Point[]> => {
      const color = seriesColor(line.color, theme, ranked);
      const lone = data.lines.length === 1 && def.style === undefined;
      return {
        label: line.name,
        data: points(line, data.steps),
        borderColor: color,
        backgroundColor: faded(color, def.style === "stack" ? (theme === "dark" ? 0.26 : 0.17) : 0.08),
        fill: def.style === "stack" ? (index === 0 ? "origin" : "-1") : lone ? "origin" : false,
        hidden: hidden.has(line.name),
        pointRadius: dots(line.values),
        pointBackgroundColor: color,
        pointBorderWidth: 0,
      };
    });
    const options = chart.options.scales!;
    Object.assign(options.x!, { min: frame.startMs, max: frame.endMs });
    Object.assign(options.y!, this.#limits(data.steps));
    for (const axis of [options.x!, options.y!]) {
      axis.ticks!.color = INK[theme].text;
      axis.grid!.color = INK[theme].grid;
    }
    if (chart.width !== frame.width || chart.height !== HEIGHT) chart.resize(frame.width, HEIGHT);
    chart.update("none");
  }

  readings(ms: number): readonly Reading[] {
    const { data, theme, def, hidden } = this.#scene;
    if (data.kind !== "lines") return [];
    const i = stepAt(ms, data.steps);
    const ranked = def.style === "log" && this.#lines.every(({ name }) => /^p\d/.test(name));
    return this.#lines
      .map(({ name, values, color }) => ({
        name,
        value: values[i]!,
        color: seriesColor(color, theme, ranked),
      }))
      .filter(({ name, value }) => !Number.isNaN(value) && !hidden.has(name));
  }

  held(): readonly HeldSeries[] {
    return this.#chart.data.datasets.map((dataset, index) => ({
      query: this.#lines[index]!.query,
      labels: this.#lines[index]!.labels,
      times: dataset.data.map(({ x }) => x / 1000),
      values: dataset.data.map(({ y }) => Number.isNaN(y) ? null : y),
    }));
  }

  destroy(): void {
    this.#chart.destroy();
  }

  #timeAxis() {
    return {
      type: "linear" as const,
      border: { display: false },
      grid: { drawTicks: false, color: "" },
      afterFit: (axis: Scale) => {
        Object.assign(axis, NO_PADDING, { height: BOTTOM });
      },
      afterBuildTicks: (axis: Scale) => {
        axis.ticks = frameTicks(this.#scene.frame).map((value) => ({ value }));
      },
      ticks: {
        ...TICKS,
        padding: 6,
        align: "center" as const,
        callback: (value: number | string) =>
          formatTime(Number(value), this.#scene.frame.endMs - this.#scene.frame.startMs),
      },
    };
  }

  #valueAxis() {
    const { def } = this.#scene;
    return {
      type: def.style === "log" ? "logarithmic" as const : "linear" as const,
      stacked: def.style === "stack",
      border: { display: false },
      grid: { drawTicks: false, color: "" },
      afterFit: (axis: Scale) => {
        Object.assign(axis, NO_PADDING, { width: LEFT });
      },
      afterBuildTicks: (axis: Scale) => {
        axis.ticks = this.#valueTicks(axis.min, axis.max).map((value) => ({ value }));
      },
      ticks: {
        ...TICKS,
        padding: 8,
        callback: (value: number | string) => formatTick(Number(value), def.unit),
      },
    };
  }

  #valueTicks(min: number, max: number): number[] {
    const { unit, style } = this.#scene.def;
    if (style === "log") return logTicks(min, max, unit === "bytes");
    return niceSteps(max, unit, VALUE_TICKS).filter((value) => value <= max * 1.001);
  }

  /** From zero to the first round step above all lines; a logarithmic axis from below the least to above the most. */
  #limits(steps: Steps): { min: number; max: number } {
    const { def, hidden } = this.#scene;
    const shown = this.#lines.filter(({ name }) => !hidden.has(name));
    let [least, most] = [Infinity, 0];
    for (let i = 0; i < steps.count; i++) {
      let total = 0;
      for (const { values } of shown) {
        const value = values[i]!;
        if (Number.isNaN(value)) continue;
        total = def.style === "stack" ? total + value : Math.max(total, value);
        if (value > 0) least = Math.min(least, value);
      }
      most = Math.max(most, total);
    }
    if (def.style === "log") {
      const base = def.unit === "bytes" ? 4 : 10;
      const floor = base **
        Math.floor(Math.log(Math.max(1, Number.isFinite(least) ? least : 1)) / Math.log(base) + 1e-9);
      const top = base ** Math.ceil(Math.log(Math.max(most, floor * base)) / Math.log(base) - 1e-9);
      return { min: floor, max: top };
    }
    // A share that stays low is shown on its own scale, not flat on the floor of a full one.
    const top = def.max !== undefined && most > def.max / 2 ? def.max : most;
    return { min: 0, max: niceSteps(top === 0 ? 1 : top, def.unit, VALUE_TICKS).at(-1)! };
  }
}

/** Labels that reach over the edge must not shrink the plot: all plots have the same area. */
const NO_PADDING = { paddingLeft: 0, paddingRight: 0, paddingTop: 0, paddingBottom: 0 };

const TICKS = {
  maxRotation: 0,
  autoSkip: false,
  sampleSize: 10,
  includeBounds: false,
  color: "",
  font: { family: FONT, size: AXIS_FONT_PX },
};

function points({ values }: Line, { startMs, stepMs }: Steps): Point[] {
  const out = new Array<Point>(values.length);
  for (let i = 0; i < values.length; i++) out[i] = { x: startMs + i * stepMs, y: values[i]! };
  return out;
}

/** A point with a gap on both sides has no line to show it, so it gets a dot. */
function dots(values: Float64Array): number | number[] {
  const gap = (i: number): boolean => i < 0 || i >= values.length || Number.isNaN(values[i]!);
  let alone: number[] | undefined;
  for (let i = 0; i < values.length; i++) {
    if (gap(i) || !gap(i - 1) || !gap(i + 1)) continue;
    alone ??= new Array<number>(values.length).fill(0);
    alone[i] = DOT_PX;
  }
  return alone ?? 0;
}

/** Powers of ten (of four, for bytes), thinned to at most six. */
function logTicks(min: number, max: number, bytes: boolean): number[] {
  const base = bytes ? 4 : 10;
  const low = Math.round(Math.log(min) / Math.log(base));
  const high = Math.round(Math.log(max) / Math.log(base));
  const every = Math.max(1, Math.ceil((high - low) / 5));
  return Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => base ** (low + i * every));
}
