/** One plot: its canvas, and over it cursor, selection and tooltip, which all plots share. @module */
import { signal } from "@preact/signals";
import type { LoggedEvent } from "../../events/mod.ts";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ChartModel } from "./chart_model.ts";
import { SEVERITY_COLORS, type Theme } from "./colors.ts";
import { bySeverity, eventUnderPointer, type Mark, markAt, marksOf } from "./events.ts";
import { formatInstant, formatTook, formatValue } from "./format.ts";
import { type Frame, HEIGHT, LEFT, RIGHT, timeOf, xOf } from "./geometry.ts";
import { HeatPainter } from "./heat_painter.ts";
import { LinePainter } from "./line_painter.ts";
import { MarkLayer } from "./mark_layer.tsx";
import type { Painter, Reading, Scene } from "./painter.ts";
import { cursorMs, resetZoom, theme, zoomTo } from "./state.ts";

/** The range that is being dragged, on every chart. */
const selection = signal<{ fromMs: number; toMs: number } | undefined>(undefined);

/** A drag shorter than this is a click. */
const DRAG_PX = 5;

/** Rows of a tooltip; the largest are shown. */
const TOOLTIP_ROWS = 12;

/** Events of a tooltip; the worst are shown. */
const TOOLTIP_EVENTS = 5;

/** Painters on the page, for tests. */
export const painters = new Map<ChartModel, Painter>();

/** Draws a chart that is in view. */
export function Plot(
  { chart, width, hidden }: { chart: ChartModel; width: number; hidden: ReadonlySet<string> },
) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pointer = useRef<{ downX: number; y: number } | undefined>(undefined);
  const tip = useRef<HTMLDivElement>(null);
  const data = chart.data.value;
  const kind = data?.kind === "heat" ? "heat" : "lines";
  const frame = frameOf(chart, width);
  const shade = theme.value;

  // Before the browser paints: an effect after it would show the old picture for a frame more.
  useLayoutEffect(() => {
    if (data === undefined || data.kind === "none") return;
    const scene: Scene = { def: chart.def, data, frame, theme: shade, hidden };
    const painter = painters.get(chart);
    if (painter?.kind === data.kind) painter.draw(scene);
    else {
      painter?.destroy();
      painters.set(
        chart,
        data.kind === "heat"
          ? new HeatPainter(canvas.current!, scene)
          : new LinePainter(canvas.current!, scene),
      );
    }
  });
  useLayoutEffect(() => () => {
    painters.get(chart)?.destroy();
    painters.delete(chart);
  }, [chart, kind]);

  const place = (event: PointerEvent): { x: number; y: number } => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onMove = (event: PointerEvent): void => {
    const { x, y } = place(event);
    const ms = timeOf(x, frame);
    cursorMs.value = ms;
    const { downX } = pointer.current ?? {};
    if (downX !== undefined && Math.abs(x - downX) >= DRAG_PX) {
      const from = timeOf(downX, frame);
      selection.value = { fromMs: Math.min(from, ms), toMs: Math.max(from, ms) };
    }
    const mark = markAt(marksOf(frame), x);
    eventUnderPointer.value = mark?.events.toSorted(bySeverity)[0];
    const readings = painters.get(chart)?.readings(ms, y) ?? [];
    showTip(tip.current!, { readings, mark }, { chart, x, ms, width, shade });
  };
  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const { x, y } = place(event);
    pointer.current = { downX: x, y };
  };
  const onUp = (): void => {
    pointer.current = undefined;
    const chosen = selection.value;
    // First, so that the request is on its way while the page draws.
    if (chosen !== undefined && chosen.toMs > chosen.fromMs) zoomTo(chosen.fromMs, chosen.toMs);
    selection.value = undefined;
  };
  const onLeave = (): void => {
    cursorMs.value = undefined;
    eventUnderPointer.value = undefined;
    tip.current!.hidden = true;
  };
  return (
    <div
      class="plot"
      style={{ height: HEIGHT }}
      onPointerMove={onMove}
      onPointerDown={onDown}
      onPointerUp={onUp}
      onPointerCancel={onUp}
      onPointerLeave={onLeave}
      onDblClick={resetZoom}
    >
      <canvas key={kind} ref={canvas} width={width} height={HEIGHT} />
      <MarkLayer frame={frame} />
      <Overlay frame={frame} />
      <div class="tip" ref={tip} hidden />
    </div>
  );
}

/** The range of what is held, in the pixels of this plot. */
function frameOf({ range: { startMs, endMs } }: ChartModel, width: number): Frame {
  return endMs > startMs ? { width, startMs, endMs } : { width, startMs, endMs: startMs + 1000 };
}

function Overlay({ frame }: { frame: Frame }) {
  const [at, chosen, event] = [cursorMs.value, selection.value, eventUnderPointer.value];
  const inside = at !== undefined && at >= frame.startMs && at <= frame.endMs;
  return (
    <>
      {event?.durationMs !== undefined && <Took frame={frame} event={event} durationMs={event.durationMs} />}
      {chosen && (
        <div
          class="selection"
          style={{
            left: clampX(xOf(chosen.fromMs, frame), frame),
            width: Math.max(
              0,
              clampX(xOf(chosen.toMs, frame), frame) - clampX(xOf(chosen.fromMs, frame), frame),
            ),
          }}
        />
      )}
      {inside && <div class="cursor" style={{ transform: `translateX(${xOf(at, frame)}px)` }} />}
    </>
  );
}

/** The time that an event's cause had taken, along the bottom. */
function Took(
  { frame, event, durationMs }: { frame: Frame; event: LoggedEvent; durationMs: number },
) {
  const from = clampX(xOf(event.timeMs - durationMs, frame), frame);
  const to = clampX(xOf(event.timeMs, frame), frame);
  return (
    <div
      class="took"
      style={{ left: from, width: to - from, background: SEVERITY_COLORS[theme.value][event.severity] }}
    />
  );
}

function clampX(x: number, { width }: Frame): number {
  return Math.max(LEFT, Math.min(width - RIGHT, x));
}

/** Fills the tooltip by hand: it changes with each move of the pointer. */
function showTip(
  tip: HTMLDivElement,
  { readings, mark }: { readings: readonly Reading[]; mark: Mark | undefined },
  { chart, x, ms, width, shade }: { chart: ChartModel; x: number; ms: number; width: number; shade: Theme },
): void {
  tip.hidden = readings.length === 0 && mark === undefined;
  if (tip.hidden) return;
  const { def } = chart;
  const bucketUnit = chart.data.value?.kind === "heat" && chart.data.value.heat.kind === "buckets";
  const rows = [...readings].sort((a, b) => b.value - a.value).slice(0, TOOLTIP_ROWS).map(
    ({ name, value, color }) => {
      const row = document.createElement("div");
      const [dot, label, number] = ["i", "span", "b"].map((tag) => document.createElement(tag)) as [
        HTMLElement,
        HTMLElement,
        HTMLElement,
      ];
      if (color !== undefined) dot.style.background = color;
      else dot.hidden = true;
      label.textContent = name;
      number.textContent = formatValue(value, bucketUnit ? "per second" : def.unit);
      row.append(dot, label, number);
      return row;
    },
  );
  const time = document.createElement("time");
  time.textContent = formatInstant(ms);
  tip.replaceChildren(...(mark === undefined ? [] : markRows(mark, shade)), time, ...rows);
  const right = x > width / 2;
  tip.style.left = right ? "auto" : `${x + 14}px`;
  tip.style.right = right ? `${width - x + 14}px` : "auto";
}

/** What happened at a mark, the worst first. */
function markRows({ events }: Mark, shade: Theme): HTMLElement[] {
  const rows = events.toSorted(bySeverity).slice(0, TOOLTIP_EVENTS).map((event) => {
    const row = document.createElement("p");
    const [dot, text, took] = ["i", "span", "b"].map((tag) => document.createElement(tag)) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    dot.style.background = SEVERITY_COLORS[shade][event.severity];
    text.textContent = event.text;
    took.textContent = event.durationMs === undefined ? "" : formatTook(event.durationMs);
    row.append(dot, text, took);
    return row;
  });
  if (events.length > rows.length) {
    const rest = document.createElement("p");
    rest.textContent = `and ${events.length - rows.length} more`;
    rows.push(rest);
  }
  return rows;
}
