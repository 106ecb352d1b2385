/**
 * The same data and the same queries for us and for an installed Prometheus. Debian's 2.42 has windows that are closed
 * on both sides; samples stand on whole seconds and windows end on halves, so that both see the same samples.
 */
import { existsSync } from "node:fs";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { recordingSource, viewerApp } from "../../lib/viewer/mod.ts";
import type { NumberSeries } from "../../lib/tsdb/mod.ts";
import { numbers, sourceOf } from "./series.ts";

const PROMETHEUS = "/usr/bin/prometheus";
const PROMTOOL = "/usr/bin/promtool";
const START = 1_700_000_000;
const POINTS = 600;

const QUERIES = [
  "cpu",
  'cpu{id=~"1|2",state!="idle"}',
  "irate(cpu[9500ms])",
  "rate(cpu[59500ms])",
  "increase(cpu[29500ms])",
  "delta(load[29500ms])",
  "idelta(load[29500ms])",
  "deriv(load[29500ms])",
  "predict_linear(load[29500ms], 60)",
  "resets(cpu[299500ms])",
  "changes(load[29500ms])",
  "avg_over_time(load[29500ms])",
  "min_over_time(load[29500ms])",
  "max_over_time(load[29500ms])",
  "sum_over_time(load[29500ms])",
  "count_over_time(load[29500ms])",
  "stddev_over_time(load[29500ms])",
  "quantile_over_time(0.9, load[29500ms])",
  "last_over_time(load[29500ms])",
  "present_over_time(load[29500ms])",
  "sum(cpu)",
  "sum by (state) (rate(cpu[59500ms]))",
  "avg without (id) (load)",
  "max by (id) (cpu)",
  "min(load)",
  "count by (state) (cpu)",
  "group(cpu)",
  "stddev by (state) (cpu)",
  "stdvar(load)",
  "quantile(0.7, load)",
  "quantile by (state) (0.99, cpu)",
  "topk(2, load)",
  "bottomk by (state) (1, cpu)",
  'count_values("n", round(load))',
  "histogram_quantile(0.9, sum by (le) (irate(lat_bucket[9500ms])))",
  "histogram_quantile(0.5, rate(lat_bucket[59500ms]))",
  "load / 3 + 2 * load - load % 7",
  "load ^ 2 > 1000",
  "load > bool 50",
  "-load",
  "cpu / on (id) group_left () load",
  "load + ignoring (state) group_right () cpu",
  "sum by (id) (cpu) * on (id) load",
  'load and on (id) cpu{state="user"}',
  "load or cpu",
  "cpu unless on (id) load > 50",
  "abs(load - 50)",
  "ceil(load / 7)",
  "clamp(load, 20, 60)",
  "exp(load / 100)",
  "ln(load)",
  "sqrt(load)",
  "sgn(load - 50)",
  "round(load, 0.5)",
  "time() - timestamp(load)",
  "hour(vector(1700000000))",
  "day_of_week()",
  "scalar(sum(load))",
  "vector(1)",
  'absent(nothing{a="b"})',
  "absent_over_time(gappy[9500ms])",
  "gappy",
  "rate(gappy[19500ms])",
  'label_replace(load, "x", "$1-x", "id", "(.).*")',
  'label_join(cpu, "x", "/", "id", "state")',
  "load offset 30s",
  "load @ 1700000300",
  "max_over_time(sum(rate(cpu[19500ms]))[59s500ms:5s])",
  "avg_over_time(load[100500ms:7s] offset 3s)",
  "sum(load) > 1e9",
  "sum by (id) (load) atan2 3",
];

/** A few series of each kind, the same each time. */
function data(): NumberSeries[] {
  let state = 7;
  const random = (): number => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  const times = Float64Array.from({ length: POINTS }, (_, i) => START + i);
  const counter = (labels: Record<string, string>, rate: number): NumberSeries => {
    let value = Math.floor(random() * 100);
    const reset = Math.floor(random() * 2 * POINTS);
    return numbers(
      labels,
      Array.from(times, (_, i) => value = i === reset ? 3 : value + Math.floor(random() * rate)),
      times,
    );
  };
  const list: NumberSeries[] = [];
  for (const id of ["0", "1", "2", "3"]) {
    for (const state of ["user", "system", "idle"]) list.push(counter({ __name__: "cpu", id, state }, 1000));
    let level = 50;
    const load = Array.from(
      times,
      () => level = Math.max(1, Math.min(99, level + Math.round((random() - 0.5) * 40) / 4)),
    );
    list.push(numbers({ __name__: "load", id }, load, times));
  }
  // Cumulative over the bounds at every moment, as a histogram is.
  const bounds = ["0.1", "0.5", "1", "5", "+Inf"];
  let rows = bounds.map(() => new Array<number>(POINTS).fill(0));
  for (let i = 1; i < POINTS; i++) {
    let added = 0;
    rows = rows.map((row) => {
      added += Math.floor(random() * 9);
      row[i] = row[i - 1]! + added;
      return row;
    });
  }
  bounds.forEach((le, b) => list.push(numbers({ __name__: "lat_bucket", le }, rows[b]!, times)));
  const some = times.filter((_, i) => i % 97 < 40);
  list.push(numbers({ __name__: "gappy" }, Array.from(some, (_, i) => i * i), some));
  return list;
}

function openMetrics(series: readonly NumberSeries[]): string {
  const lines = series.map(({ labels, times, values }) => {
    const { __name__: name, ...rest } = labels;
    const text = `${name}{${Object.entries(rest).map(([label, value]) => `${label}="${value}"`).join(",")}}`;
    return { name: name!, lines: Array.from(values, (value, i) => `${text} ${value} ${times[i]}`) };
  });
  const names = [...new Set(lines.map(({ name }) => name))];
  const blocks = names.map((name) =>
    [`# TYPE ${name} unknown`, ...lines.filter((one) => one.name === name).flatMap((one) => one.lines)].join(
      "\n",
    )
  );
  return `${blocks.join("\n")}\n# EOF\n`;
}

async function withPrometheus(
  series: readonly NumberSeries[],
  run: (url: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/data.om`, openMetrics(series));
  await Deno.writeTextFile(`${folder}/config.yml`, "scrape_configs: []\n");
  const made = await new Deno.Command(PROMTOOL, {
    args: ["tsdb", "create-blocks-from", "openmetrics", `${folder}/data.om`, `${folder}/tsdb`],
  }).output();
  ok(made.success, new TextDecoder().decode(made.stderr));
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${free.addr.port}`;
  free.close();
  const server = new Deno.Command(PROMETHEUS, {
    args: [
      `--config.file=${folder}/config.yml`,
      `--storage.tsdb.path=${folder}/tsdb`,
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=${address}`,
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let ended = false;
  try {
    let log = "";
    const reader = server.stderr.pipeThrough(new TextDecoderStream()).getReader();
    while (!log.includes("ready to receive web requests")) {
      const { value, done } = await reader.read();
      ok(!done, `prometheus ended: ${log}`);
      log += value;
    }
    const drained = (async () => {
      while (
        !(await reader.read()).done
      ) { /* What it says later does not matter, but its pipe must not fill. */ }
    })();
    await run(`http://${address}`);
    ended = true;
    server.kill();
    await drained;
  } finally {
    if (!ended) server.kill();
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

type Answer = {
  status: string;
  error?: string;
  data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
};

/** Label set to values by time, as text: equal answers give equal tables up to rounding. */
function table(answer: Answer): Map<string, Map<number, number>> {
  strictEqual(answer.status, "success", answer.error);
  return new Map(answer.data.result.map(({ metric, values }) => [
    JSON.stringify(Object.entries(metric).sort()),
    new Map(values.map(([time, value]) => [time, Number(value)])),
  ]));
}

Deno.test({
  name: "range answers equal those of an installed Prometheus (needs prometheus and promtool)",
  ignore: !existsSync(PROMETHEUS) || !existsSync(PROMTOOL),
  async fn() {
    const series = data();
    const ours = viewerApp(recordingSource(sourceOf(series), "data"));
    await withPrometheus(series, async (url) => {
      for (const query of QUERIES) {
        const params = new URLSearchParams({
          query,
          start: String(START + 100),
          end: String(START + POINTS + 30),
          step: "13",
        });
        const theirs = await (await fetch(`${url}/api/v1/query_range?${params}`)).json();
        const mine = await (await ours.request(`/api/v1/query_range?${params}`)).json();
        const [wanted, found] = [table(theirs), table(mine)];
        deepStrictEqual([...found.keys()].sort(), [...wanted.keys()].sort(), query);
        for (const [labels, points] of wanted) {
          const own = found.get(labels)!;
          deepStrictEqual([...own.keys()], [...points.keys()], `${query} ${labels}: times`);
          for (const [time, value] of points) {
            const other = own.get(time)!;
            const close = Object.is(value, other) ||
              Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(value));
            ok(close, `${query} ${labels} at ${time}: ${other}, Prometheus has ${value}`);
          }
        }
      }
    });
  },
});
