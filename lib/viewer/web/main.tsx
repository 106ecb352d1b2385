/** The page of the viewer. @module */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { computed, effect } from "@preact/signals";
import { render } from "preact";
import type { SectionDef } from "../views/mod.ts";
import { ChartCard } from "./chart_card.tsx";
import { type ChartModel, chartModel } from "./chart_model.ts";
import { Feed } from "./feed.ts";
import { EventList } from "./event_list.tsx";
import { bindEvents, marksOf, shownEvents } from "./events.ts";
import { bindKeys } from "./keys.ts";
import { painters } from "./plot.tsx";
import { Help, Notice, Sidebar, Topbar } from "./shell.tsx";
import { bindAddress, section, source } from "./state.ts";

const feed = new Feed();

/** A section's charts; kept, so that coming back shows at once what was there. */
const models = new Map<SectionDef, ReadonlyMap<string, ChartModel>>();

function modelsOf(definition: SectionDef): ReadonlyMap<string, ChartModel> {
  let charts = models.get(definition);
  if (charts === undefined) {
    charts = new Map(
      definition.groups.flatMap((group) => group.charts).map((def) => [def.id, chartModel(def)]),
    );
    models.set(definition, charts);
  }
  return charts;
}

const charts = computed(() => modelsOf(section.value));

function App() {
  return (
    <>
      <Sidebar />
      <main>
        <Topbar />
        <Notice />
        <EventList />
        <Section key={section.value.id} />
      </main>
      <Help />
    </>
  );
}

function Section() {
  const known = charts.value;
  const isEmpty = (id: string): boolean => known.get(id)?.data.value?.kind === "none";
  const empty = [...known.values()].filter(({ def }) => isEmpty(def.id));
  return (
    <>
      {section.value.groups.map((group) => {
        const shown = group.charts.filter(({ id }) => !isEmpty(id));
        return shown.length === 0 ? null : (
          <section key={group.title}>
            <h2>{group.title}</h2>
            <div class="grid">
              {shown.map(({ id }) => <ChartCard key={id} chart={known.get(id)!} feed={feed} />)}
            </div>
          </section>
        );
      })}
      {empty.length > 0 && <WithoutData charts={empty} />}
    </>
  );
}

function WithoutData({ charts }: { charts: readonly ChartModel[] }) {
  return (
    <section class="without">
      <h2>Without data here</h2>
      <ul>
        {charts.map(({ def, data }) => {
          const error = data.value?.kind === "none" ? data.value.error : undefined;
          return (
            <li key={def.id} title={error ?? def.help} class={error === undefined ? "" : "failed"}>
              {def.title}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** What a chart holds, one entry for each of its queries. */
interface HeldChart {
  readonly id: string;
  readonly query: string;
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly times: readonly number[];
    readonly values: readonly (number | null)[];
  }[];
  readonly xRange: readonly [number, number];
  readonly kind: string;
}

/** For tests: what is really on the canvases. */
function heldCharts(): HeldChart[] {
  return [...painters].flatMap(([chart, painter]) => {
    const held = painter.held();
    return chart.queries.map((query, index) => ({
      id: `${section.value.id}.${chart.def.id}`,
      kind: painter.kind,
      query,
      series: held.filter((series) => series.query === index).map(({ labels, times, values }) => ({
        labels,
        times,
        values,
      })),
      xRange: [chart.range.startMs / 1000, chart.range.endMs / 1000] as const,
    }));
  });
}

/** For tests: the events that are shown, and how many marks they are on a plot of so many pixels. */
function heldEvents(width: number) {
  const [first] = painters.keys();
  const marks = first === undefined ? [] : marksOf({ ...first.range, width });
  return { events: shownEvents.peek(), marks: marks.length };
}

Object.assign(globalThis, { hostkit: { charts: heldCharts, events: heldEvents, ready: feed.ready } });

bindAddress();
bindKeys();
bindEvents();
effect(() => feed.show([...charts.value.values()]));
feed.start();
effect(() => {
  document.title = `${section.value.title} · ${source.value?.title ?? "Rezolus"}`;
});
render(<App />, document.getElementById("app")!);
