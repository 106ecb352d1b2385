/** The marks of events over a plot: one canvas, drawn when events or the range change, not when the pointer moves. @module */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Severity } from "../../events/mod.ts";
import { faded, SEVERITY_COLORS } from "./colors.ts";
import { type Mark, marksOf } from "./events.ts";
import { BOTTOM, type Frame, HEIGHT, TOP } from "./geometry.ts";
import { theme } from "./state.ts";

/** What is no trouble stays in the background. */
const LINE_OPACITY: Readonly<Record<Severity, number>> = { info: 0.3, warning: 0.6, error: 0.75 };

/** Half the width of the flag above a line. */
const FLAG_PX = 3.5;

export function MarkLayer({ frame }: { frame: Frame }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const marks = marksOf(frame);
  const colors = SEVERITY_COLORS[theme.value];
  useLayoutEffect(() => drawMarks(canvas.current!, { frame, marks, colors }), [marks, frame.width, colors]);
  return <canvas class="marks" ref={canvas} data-marks={marks.length} />;
}

function drawMarks(
  canvas: HTMLCanvasElement,
  { frame, marks, colors }: {
    frame: Frame;
    marks: readonly Mark[];
    colors: Readonly<Record<Severity, string>>;
  },
): void {
  const ratio = globalThis.devicePixelRatio || 1;
  const [width, height] = [Math.round(frame.width * ratio), Math.round(HEIGHT * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    Object.assign(canvas.style, { width: `${frame.width}px`, height: `${HEIGHT}px` });
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, frame.width, HEIGHT);
  // Trouble last, so that it lies on top.
  for (const severity of ["info", "warning", "error"] as const) {
    const own = marks.filter((mark) => mark.severity === severity);
    context.strokeStyle = faded(colors[severity], LINE_OPACITY[severity]);
    context.fillStyle = colors[severity];
    context.setLineDash(severity === "error" ? [] : [3, 3]);
    context.beginPath();
    for (const { x } of own) {
      context.moveTo(Math.round(x) + 0.5, TOP);
      context.lineTo(Math.round(x) + 0.5, HEIGHT - BOTTOM);
    }
    context.stroke();
    context.beginPath();
    for (const { x } of own) flag(context, Math.round(x) + 0.5);
    context.fill();
  }
}

/** A small pennant that points to its line. */
function flag(context: CanvasRenderingContext2D, x: number): void {
  context.moveTo(x - FLAG_PX, TOP - 6);
  context.lineTo(x + FLAG_PX, TOP - 6);
  context.lineTo(x + FLAG_PX, TOP - 3);
  context.lineTo(x, TOP + 1);
  context.lineTo(x - FLAG_PX, TOP - 3);
  context.closePath();
}
