/** Small charts of what is used. @module */
import type { ReadonlySignal } from "@preact/signals";
import { spanText } from "./format.ts";
import { type Column, pathOf } from "./history.ts";
import { span, times } from "./state.ts";
import { words } from "./words.ts";

/** How long the charts of the page go back. */
export function Span() {
  return <small class="span">{words.value.last(spanText(span.value))}</small>;
}

/** @param least The top of the chart is at least this, so that a little noise does not look like much. */
export function Spark(
  { column, least, tone = "cpu", large = false }: {
    column: ReadonlySignal<Column>;
    least: number;
    tone?: "cpu" | "memory";
    large?: boolean;
  },
) {
  const values = column.value;
  const kind = `spark ${tone} ${large ? "large" : ""}`;
  // What has nothing to draw is not drawn again with each look.
  if (values.every((each) => each === null)) return <svg class={kind} aria-hidden="true" />;
  const most = Math.max(least, ...values.map((each) => each ?? 0)) * 1.08;
  const { line, area } = pathOf(values, times.value, most);
  return (
    <svg
      class={kind}
      viewBox={`0 0 ${span.value / 1_000} 100`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="area" d={area} />
      <path class="stroke" d={line} />
    </svg>
  );
}
