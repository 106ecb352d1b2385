/** A chart in its card: title, legend that reads the cursor, plot. The plot is made when the card comes into view. @module */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ChartData, ChartModel } from "./chart_model.ts";
import { heatGradient, seriesColor } from "./colors.ts";
import type { Feed } from "./feed.ts";
import { formatValue } from "./format.ts";
import { HEIGHT } from "./geometry.ts";
import { heatTop } from "./heat_painter.ts";
import { stepAt } from "./painter.ts";
import { Plot } from "./plot.tsx";
import { cursorMs, theme } from "./state.ts";

/** How far out of sight a chart is made ready. */
const AHEAD = "160px";

export function ChartCard({ chart, feed }: { chart: ChartModel; feed: Feed }) {
  const card = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const element = card.current!;
    const sight = new IntersectionObserver((entries) => {
      // A busy page is told of several moments at once, the oldest first.
      chart.visible = entries.at(-1)!.isIntersecting;
      if (!chart.visible) return;
      setSeen(true);
      feed.touch();
    }, { rootMargin: AHEAD });
    const size = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    sight.observe(element);
    size.observe(element);
    return () => {
      sight.disconnect();
      size.disconnect();
      chart.visible = false;
    };
  }, [chart]);
  const data = chart.data.value;
  const toggle = (name: string): void => {
    const names = data?.kind === "lines" ? data.lines.map((line) => line.name) : [];
    // The first click shows a line alone, the second shows all again.
    const alone = names.every((other) => other === name ? !hidden.has(other) : hidden.has(other));
    setHidden(alone ? new Set() : new Set(names.filter((other) => other !== name)));
  };
  return (
    <article class="card" ref={card} data-chart={chart.def.id}>
      <header>
        <h3 title={chart.def.help}>{chart.def.title}</h3>
        {data?.kind === "heat" && <HeatScale data={data} chart={chart} />}
      </header>
      {data?.kind === "lines" && <Legend chart={chart} data={data} hidden={hidden} onToggle={toggle} />}
      {data?.kind === "heat" && <p class="about">{chart.def.help}</p>}
      {seen && width > 0 && data !== undefined && data.kind !== "none"
        ? <Plot chart={chart} width={width} hidden={hidden} />
        : <div class="plot waiting" style={{ height: HEIGHT }} />}
    </article>
  );
}

function Legend(
  { chart, data, hidden, onToggle }: {
    chart: ChartModel;
    data: Extract<ChartData, { kind: "lines" }>;
    hidden: ReadonlySet<string>;
    onToggle: (name: string) => void;
  },
) {
  const { def } = chart;
  const ranked = useMemo(() => def.style === "log" && data.lines.every(({ name }) => /^p\d/.test(name)), [
    data,
  ]);
  const at = cursorMs.value;
  return (
    <div class="legend">
      <ul>
        {data.lines.map(({ name, values, color }) => (
          <li
            key={name}
            class={hidden.has(name) ? "off" : ""}
            onClick={() => onToggle(name)}
          >
            <i style={{ background: seriesColor(color, theme.value, ranked) }} />
            <span>{name}</span>
            <b>
              {formatValue(at === undefined ? newest(values) : values[stepAt(at, data.steps)]!, def.unit)}
            </b>
          </li>
        ))}
      </ul>
    </div>
  );
}

function newest(values: Float64Array): number {
  for (let i = values.length - 1; i >= 0; i--) if (!Number.isNaN(values[i]!)) return values[i]!;
  return NaN;
}

/** What the colours mean. */
function HeatScale({ data, chart }: { data: Extract<ChartData, { kind: "heat" }>; chart: ChartModel }) {
  const top = useMemo(() => data.heat.cells.reduce((most, value) => value > most ? value : most, 0), [data]);
  const { unit, max } = chart.def;
  const buckets = data.heat.kind === "buckets";
  return (
    <div class="scale">
      <span>0</span>
      <i style={{ background: heatGradient(theme.value) }} />
      <span>{buckets ? formatValue(top, "per second") : formatValue(heatTop(top, max), unit)}</span>
    </div>
  );
}
