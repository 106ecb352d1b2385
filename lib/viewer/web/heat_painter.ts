/** Heatmaps: one pixel a cell on a hidden canvas, stretched over the plot, with axes like those of the lines. @module */
import { type Heat, type Steps } from "./chart_model.ts";
import { heatColors } from "./colors.ts";
import { formatTick, formatTime, formatValue } from "./format.ts";
import { AXIS_FONT_PX, BOTTOM, FONT, frameTicks, HEIGHT, LEFT, RIGHT, TOP, xOf } from "./geometry.ts";
import type { Unit } from "../views/mod.ts";
import { type HeldSeries, INK, type Painter, type Reading, type Scene, stepAt } from "./painter.ts";

/** Pixels between labels of rows, at least. */
const ROW_LABEL_PX = 26;

/** Pixels between labels of values, at least. */
const LABEL_PX = 18;

export class HeatPainter implements Painter {
  readonly kind = "heat";
  readonly #context: CanvasRenderingContext2D;
  readonly #cells = document.createElement("canvas");
  #scene: Scene;

  constructor(readonly canvas: HTMLCanvasElement, scene: Scene) {
    this.#context = canvas.getContext("2d")!;
    this.#scene = scene;
    this.draw(scene);
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    const { data, frame } = scene;
    if (data.kind !== "heat") return;
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(frame.width * ratio), Math.round(HEIGHT * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      Object.assign(this.canvas.style, { width: `${frame.width}px`, height: `${HEIGHT}px` });
    }
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, frame.width, HEIGHT);
    this.#paintCells(data.heat, data.steps);
    this.#paintAxes(data.heat);
  }

  readings(ms: number, y: number): readonly Reading[] {
    const { data, def } = this.#scene;
    if (data.kind !== "heat") return [];
    const { heat, steps } = data;
    const rows = heat.rows.length;
    const row = Math.floor((HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM) * rows);
    if (row < 0 || row >= rows) return [];
    const value = heat.cells[row * steps.count + stepAt(ms, steps)]!;
    if (Number.isNaN(value)) return [];
    if (heat.bounds === undefined) return [{ name: heat.rows[row]!.name, value }];
    const [from, to] = [heat.bounds[row]!, heat.bounds[row + 1]!];
    return [{ name: `${formatValue(from, def.unit)} – ${formatValue(to, def.unit)}`, value }];
  }

  held(): readonly HeldSeries[] {
    const { data } = this.#scene;
    if (data.kind !== "heat") return [];
    const { heat, steps: { startMs, stepMs, count } } = data;
    const times = Array.from({ length: count }, (_, i) => (startMs + i * stepMs) / 1000);
    return heat.rows.map(({ labels }, row) => ({
      query: 0,
      labels: heat.bounds === undefined ? labels : { ...labels, bucket: String(heat.bounds[row]) },
      times,
      values: Array.from(
        heat.cells.subarray(row * count, (row + 1) * count),
        (value) => Number.isNaN(value) ? null : value,
      ),
    }));
  }

  destroy(): void {
    this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  #paintCells(heat: Heat, steps: Steps): void {
    const { frame, theme, def } = this.#scene;
    const rows = heat.rows.length;
    Object.assign(this.#cells, { width: steps.count, height: rows });
    const context = this.#cells.getContext("2d")!;
    const image = context.createImageData(steps.count, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const colors = heatColors(theme);
    const shade = shader(heat, def.max);
    for (let row = 0; row < rows; row++) {
      const to = (rows - 1 - row) * steps.count;
      for (let i = 0; i < steps.count; i++) {
        const value = heat.cells[row * steps.count + i]!;
        if (!Number.isNaN(value)) pixels[to + i] = colors[shade(value)]!;
      }
    }
    context.putImageData(image, 0, 0);
    const [left, right] = [
      xOf(steps.startMs - steps.stepMs / 2, frame),
      xOf(steps.startMs + (steps.count - 0.5) * steps.stepMs, frame),
    ];
    const target = this.#context;
    target.save();
    target.beginPath();
    target.roundRect(LEFT, TOP, frame.width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, 3);
    target.clip();
    target.imageSmoothingEnabled = false;
    target.drawImage(this.#cells, left, TOP, right - left, HEIGHT - TOP - BOTTOM);
    target.restore();
  }

  #paintAxes(heat: Heat): void {
    const { frame, theme, def } = this.#scene;
    const context = this.#context;
    context.font = `${AXIS_FONT_PX}px ${FONT}`;
    context.fillStyle = INK[theme].text;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const [text, y] of rowLabels(heat, def.unit)) {
      context.fillText(text, LEFT - 8, y);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    const span = frame.endMs - frame.startMs;
    for (const tick of frameTicks(frame)) {
      context.fillText(formatTime(tick, span), xOf(tick, frame), HEIGHT - BOTTOM + 7);
    }
  }
}

/** Cells to shades. Counts of buckets differ by orders of magnitude, so their shade follows the logarithm. */
function shader(heat: Heat, max: number | undefined): (value: number) => number {
  let most = 0;
  for (const value of heat.cells) if (value > most) most = value;
  if (heat.kind === "buckets") {
    const scale = 251 / Math.log1p(most / leastPositive(heat.cells));
    const least = leastPositive(heat.cells);
    return (value) => value > 0 ? 4 + Math.round(Math.log1p(value / least) * scale) : 0;
  }
  const top = heatTop(most, max);
  return (value) => top > 0 ? Math.max(0, Math.min(255, Math.round(value / top * 255))) : 0;
}

/** What the last shade stands for: what was seen most, but no less than a quarter of what can be. */
export function heatTop(most: number, max: number | undefined): number {
  return max === undefined ? most : Math.max(max / 4, Math.min(max, most));
}

function leastPositive(cells: Float64Array): number {
  let least = Infinity;
  for (const value of cells) if (value > 0 && value < least) least = value;
  return Number.isFinite(least) ? least : 1;
}

/** Labels with their place from the top: numbers of CPUs, or round values between the bounds of buckets. */
function rowLabels(heat: Heat, unit: Unit): [string, number][] {
  const rows = heat.rows.length;
  const rowHeight = (HEIGHT - TOP - BOTTOM) / rows;
  const yOf = (row: number) => HEIGHT - BOTTOM - row * rowHeight;
  const labels: [string, number][] = [];
  if (heat.bounds === undefined) {
    const every = [1, 2, 4, 8, 16, 32, 64, 128].find((step) => step * rowHeight >= ROW_LABEL_PX) ?? 256;
    for (let row = 0; row < rows; row += every) {
      labels.push([heat.rows[row]!.labels.id ?? "", yOf(row + 0.5)]);
    }
    return labels;
  }
  const { bounds } = heat;
  let lastY = Infinity;
  const base = unit === "bytes" ? 4 : 10;
  for (let value = 1; value <= bounds.at(-1)!; value *= base) {
    const above = bounds.findIndex((bound) => bound > value);
    if (above < 1) continue;
    const [from, to] = [bounds[above - 1]!, bounds[above]!];
    const y = yOf(above - 1 + (value - from) / (to - from));
    if (lastY - y < LABEL_PX) continue;
    labels.push([formatTick(value, unit), y]);
    lastY = y;
  }
  return labels;
}
