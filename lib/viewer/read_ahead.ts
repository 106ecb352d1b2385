/** Reads what the page begins with before anybody asks: a person takes longer to open it than this takes. @module */
import { parse, selectors, selectSeries } from "../promql/mod.ts";
import type { SeriesInfo, SeriesSource } from "../tsdb/mod.ts";
import { expandQuery, FIRST_CHARTS, SECTIONS } from "./views/mod.ts";

/** Begins to read, one series after the other between requests, and ends when it is disposed of. */
export function readAhead(series: SeriesSource): AsyncDisposable {
  let ended = false;
  const reading = (async () => {
    for (const info of firstSeries(series.series())) {
      await new Promise((resolve) => setTimeout(resolve));
      if (ended) return;
      try {
        series.read(info);
      } catch {
        return; // A damaged recording: the page's own request says what is wrong.
      }
    }
  })();
  return {
    [Symbol.asyncDispose]() {
      ended = true;
      return reading;
    },
  };
}

/** The series of the first charts of the first section. */
function firstSeries(all: readonly SeriesInfo[]): ReadonlySet<SeriesInfo> {
  const charts = SECTIONS[0]!.groups.flatMap((group) => group.charts).slice(0, FIRST_CHARTS);
  const queries = charts.flatMap((chart) => chart.queries).map(({ query }) =>
    parse(expandQuery(query, { step: 1, interval: 1, range: 1 }))
  );
  return new Set(queries.flatMap(selectors).flatMap(({ matchers }) => selectSeries(all, matchers)));
}
