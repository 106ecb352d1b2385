/** Small charts of what is used. @module */
import type { ReadonlySignal } from "@preact/signals";
import { POINTS } from "./state.ts";

const HEIGHT = 100;

/** So many points fill a chart at least: what has just begun is not drawn as if it were long. */
const LEAST_POINTS = 12;

/** Points over which a column is drawn: all there are. */
function widthOf(column: readonly unknown[]): number {
  return Math.min(POINTS, Math.max(LEAST_POINTS, column.length)) - 1;
}

/** The line of a column in a box, newest at the right; gaps where there is no value. */
export function pathOf(column: readonly (number | null)[], most: number): { line: string; area: string } {
  const first = widthOf(column) + 1 - column.length;
  let [line, area, run] = ["", "", 0];
  const end = (at: number) => {
    if (run > 0) area += `L${at - 1} ${HEIGHT}Z`;
    run = 0;
  };
  for (const [index, value] of column.entries()) {
    const x = first + index;
    if (value === null) {
      end(x);
      continue;
    }
    const y = (HEIGHT * (1 - Math.min(1, value / most))).toFixed(1);
    line += `${run === 0 ? "M" : "L"}${x} ${y}`;
    area += run === 0 ? `M${x} ${HEIGHT}L${x} ${y}` : `L${x} ${y}`;
    run++;
  }
  end(first + column.length);
  return { line, area };
}

/** @param least The top of the chart is at least this, so that a little noise does not look like much. */
export function Spark(
  { column, least, tone = "cpu", large = false }: {
    column: ReadonlySignal<readonly (number | null)[]>;
    least: number;
    tone?: "cpu" | "memory";
    large?: boolean;
  },
) {
  const values = column.value;
  const most = Math.max(least, ...values.map((each) => each ?? 0)) * 1.08;
  const { line, area } = pathOf(values, most);
  return (
    <svg
      class={`spark ${tone} ${large ? "large" : ""}`}
      viewBox={`0 0 ${widthOf(values)} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="area" d={area} />
      <path class="stroke" d={line} />
    </svg>
  );
}
