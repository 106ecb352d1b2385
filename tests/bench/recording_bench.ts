/**
 * The recording's rows of `deno task bench`; alone: `deno run -A tests/bench/recording_bench.ts`.
 *
 * The load is that of DESIGN §5: 3,000 counters and gauges and 150 histograms in 30 groups.
 * @module
 */
import { atMost, type BenchRow } from "../../cmd/dev/bench_row.ts";
import { RUNTIME_FLAGS } from "../../lib/build/tools.ts";
import {
  decodeSnapshot,
  encodeSnapshotV2,
  encodeSnapshotV3,
  type Group,
  HISTOGRAM_LAYOUT,
  SchemaCache,
  type SchemaEntry,
  type Snapshot,
} from "../../lib/metrics/mod.ts";
import { convertToParquet, Journal, openRecording, workerSealer } from "../../lib/recording/mod.ts";
import { nextTickMs } from "../../lib/agent_client/mod.ts";
import { memorySource, ParquetFile, ParquetWriter } from "../../lib/recording/parquet/mod.ts";
import { seededRandom } from "../metrics/seeded.ts";
import { samplePath, SAMPLES, SAMPLES_PRESENT } from "../recording/samples.ts";

const GROUPS = 30;
const COUNTERS = 80; // of each group
const GAUGES = 20;
const HISTOGRAMS = 5;
const SERIES = GROUPS * (COUNTERS + GAUGES + HISTOGRAMS);
const START_NS = 1_700_000_000_000_000_000n;

/** Measures everything; takes about 25 seconds. */
export async function recordingRows(): Promise<BenchRow[]> {
  return [...wireRows(), ...await journalRows(), ...sampleRows()];
}

/** A host under load: a third of the counters moves, gauges wander, histograms count around a few buckets. */
class Host {
  readonly #random = seededRandom(1);
  readonly #groups: Group[] = Array.from({ length: GROUPS }, (_, group) => ({
    name: `sampler${group}/percpu`,
    schema: {
      counters: entries(COUNTERS, `${group}c`),
      gauges: entries(GAUGES, `${group}g`),
      histograms: entries(HISTOGRAMS, `${group}h`),
    },
    window: { beginNs: START_NS, widthNs: 900 },
    counters: { words: new Uint32Array(2 * COUNTERS) },
    gauges: { words: new Uint32Array(2 * GAUGES) },
    histograms: Array.from({ length: HISTOGRAMS }, () => ({
      ...HISTOGRAM_LAYOUT,
      words: new Uint32Array(2 * HISTOGRAM_LAYOUT.bucketCount),
    })),
  }));

  /** Returns the snapshot of a tick; the one before is no longer valid. */
  look(tick: number): Snapshot {
    const { below } = this.#random;
    for (const { counters, gauges, histograms } of this.#groups) {
      for (let at = 0; at < counters.words.length; at += 6) add(counters.words, at, below(1_000_000));
      for (let at = 0; at < gauges.words.length; at += 2) gauges.words[at] = below(1_000);
      for (const histogram of histograms) {
        for (let hit = 0; hit < 40; hit++) {
          add(histogram!.words, 2 * (150 + below(40) + below(40) + below(40)), below(20));
        }
      }
    }
    return {
      timeNs: START_NS + BigInt(tick * INTERVAL_MS) * 1_000_000n,
      durationNs: 1_000n,
      metadata: { source: "rezolus", version: "0.1.0" },
      groups: this.#groups,
    };
  }
}

function entries(count: number, prefix: string): SchemaEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}x${index}`,
    metadata: {
      metric: `metric_${prefix}`,
      sampler: "sampler",
      unit: "nanoseconds",
      id: String(index),
      state: "user",
    },
  }));
}

function add(words: Uint32Array, at: number, amount: number): void {
  const low = words[at]! + amount;
  words[at] = low;
  if (low >= 2 ** 32) words[at + 1] = words[at + 1]! + 1;
}

/** Returns the median time of `run` in milliseconds. */
function medianMs(rounds: number, run: () => unknown): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

function wireRows(): BenchRow[] {
  const snapshot = new Host().look(1);
  const cache = new SchemaCache();
  const [v2, v3] = [encodeSnapshotV2(snapshot), encodeSnapshotV3(snapshot)];
  return [
    atMost(
      "snapshot: encode V3, 3,000 scalars + 150 histograms",
      medianMs(60, () => encodeSnapshotV3(snapshot)),
      "ms",
      1,
    ),
    atMost("snapshot: encode V2", medianMs(60, () => encodeSnapshotV2(snapshot)), "ms", 1),
    {
      name: "snapshot: decode V3, schemas known",
      value: medianMs(60, () => decodeSnapshot(v3, cache)),
      unit: "ms",
    },
    { name: "snapshot: decode V2", value: medianMs(20, () => decodeSnapshot(v2, cache)), unit: "ms" },
    { name: "snapshot: V3", value: v3.length, unit: "bytes" },
  ];
}

/** Ticks of the journal: each table is sealed four times. */
const TICKS = 600;
const SEGMENT_ROWS = 150;
const INTERVAL_MS = 25;

async function journalRows(): Promise<BenchRow[]> {
  const folder = await Deno.makeTempDir({ prefix: "hostkit-bench-" });
  try {
    const path = `${folder}/bench.rez`;
    const recorder = await runChild("record", path);
    const parquet = `${folder}/bench.parquet`;
    const converter = await runChild("convert", path, parquet);
    const bytes = Deno.statSync(parquet).size;
    return [
      { name: "journal: append a tick, median", value: recorder["medianMs"]!, unit: "ms" },
      { name: "journal: append a tick, slowest", value: recorder["slowestMs"]!, unit: "ms" },
      atMost("recorder: latest tick while segments are made", recorder["lateMs"]!, "ms", 50),
      atMost("recorder: peak RSS with its sealing worker", recorder["peakMiB"]!, "MiB", 200),
      {
        name: "recorder: RSS in the last quarter / in the second",
        value: recorder["growth"]!,
        unit: "ratio",
      },
      {
        name: "journal: bytes per series and tick",
        value: Deno.statSync(path).size / TICKS / SERIES,
        unit: "bytes",
      },
      { name: "parquet: bytes per series and tick", value: bytes / TICKS / SERIES, unit: "bytes" },
      { name: `parquet: convert ${TICKS} ticks`, value: converter["ms"]!, unit: "ms" },
      { name: "parquet: peak RSS of converting", value: converter["peakMiB"]!, unit: "MiB" },
      ...readRows(path, ".rez"),
      ...readRows(parquet, "parquet"),
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function readRows(path: string, kind: string): BenchRow[] {
  let start = performance.now();
  using recording = openRecording(path);
  const infos = recording.series.series();
  const openMs = performance.now() - start;
  start = performance.now();
  const numbers = infos.filter(({ type }) => type !== "histogram").slice(0, 50);
  for (const info of numbers) recording.series.read(info);
  const numbersMs = performance.now() - start;
  start = performance.now();
  const histograms = infos.filter(({ type }) => type === "histogram").slice(0, 10);
  for (const info of histograms) recording.series.read(info);
  return [
    atMost(`${kind}: open and list ${infos.length} series`, openMs, "ms", 300),
    { name: `${kind}: read 50 series of numbers`, value: numbersMs, unit: "ms" },
    { name: `${kind}: read 10 histograms`, value: performance.now() - start, unit: "ms" },
  ];
}

/** Upstream's own recordings, written again: the same columns, fewer bytes. */
function sampleRows(): BenchRow[] {
  if (!SAMPLES_PRESENT) return [];
  return SAMPLES.flatMap((name) => {
    const bytes = Deno.readFileSync(samplePath(name));
    const file = new ParquetFile(memorySource(bytes));
    const readMs = medianMs(3, () => file.fields.forEach((_, column) => file.read(column)));
    let written = 0;
    const writeMs = medianMs(3, () => {
      const keyValues = [...file.footer.keyValues].filter(([key]) => key !== "ARROW:schema");
      const writer = new ParquetWriter(file.fields, keyValues, () => {});
      writer.writeRowGroup(file.rowCount, (column) => file.read(column));
      written = writer.finish().sizeBytes;
    });
    return [
      atMost(`parquet: ${name} written again / upstream's file`, written / bytes.length, "ratio", 1),
      { name: `parquet: read all ${file.fields.length} columns of ${name}`, value: readMs, unit: "ms" },
      { name: `parquet: read and write all columns of ${name}`, value: writeMs, unit: "ms" },
    ];
  });
}

/** Runs a part of this file in a process of its own, whose memory is nobody else's. */
async function runChild(...args: string[]): Promise<Record<string, number>> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    // As tools are run, but with every permission: /proc/self/status takes that.
    args: ["run", "--no-check", "--quiet", "--allow-all", ...RUNTIME_FLAGS, import.meta.filename!, ...args],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot measure ${args[0]}: exit code ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function peakMiB(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) / 1_024;
}

/** Records as a recorder does, but every 25 ms; what the agent sent is decoded, too. */
async function recordChild(path: string): Promise<Record<string, number>> {
  const host = new Host();
  const cache = new SchemaCache();
  using sealer = workerSealer((text) => console.error(text));
  const options = { sealer, segmentRows: SEGMENT_ROWS, onProblem: (text: string) => console.error(text) };
  using journal = Journal.create(path, START_NS, options);
  const times: number[] = [];
  const rss: number[] = [];
  let snapshot: Snapshot | undefined;
  let lateMs = 0;
  for (let tick = 0; tick < TICKS; tick++) {
    const atMs = nextTickMs(Date.now(), INTERVAL_MS);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - Date.now())));
    lateMs = Math.max(lateMs, Date.now() - atMs);
    snapshot = decodeSnapshot(encodeSnapshotV3(host.look(tick)), cache, { recycle: snapshot });
    const start = performance.now();
    journal.append(snapshot, { timestampNs: snapshot.timeNs, wallOffsetNs: 0n });
    times.push(performance.now() - start);
    rss.push(Deno.memoryUsage().rss);
  }
  const peak = peakMiB();
  await journal.finish();
  times.sort((a, b) => a - b);
  const quarter = (from: number) => Math.max(...rss.slice(from * TICKS / 4, (from + 1) * TICKS / 4));
  return {
    medianMs: times[TICKS >> 1]!,
    slowestMs: times.at(-1)!,
    lateMs,
    peakMiB: peak,
    growth: quarter(3) / quarter(1),
  };
}

function convertChild(input: string, output: string): Record<string, number> {
  const start = performance.now();
  convertToParquet(input, output);
  return { ms: performance.now() - start, peakMiB: peakMiB() };
}

if (import.meta.main) {
  const [part, input, output] = Deno.args;
  if (part === "record") console.log(JSON.stringify(await recordChild(input!)));
  else if (part === "convert") console.log(JSON.stringify(convertChild(input!, output!)));
  else console.table(await recordingRows());
}
