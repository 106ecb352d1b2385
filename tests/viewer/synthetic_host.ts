/**
 * A host that exists only as numbers: the same for the same seed and tick. One CPU is kept busy, tasks wait longer
 * while it is, a control group comes and goes.
 * @module
 */
import {
  bucketIndex,
  HISTOGRAM_LAYOUT,
  type Schema,
  type SchemaEntry,
  type Snapshot,
  wordsOf,
} from "../../lib/metrics/mod.ts";

export const CPU_COUNT = 16;
/** The CPU that a burner runs on. */
export const BURNER_CPU = 5;
const OPS = ["read", "write", "poll", "lock", "socket", "filesystem", "memory", "time"];

interface Counter {
  readonly metric: string;
  readonly labels: Record<string, string>;
  /** Increase in one second at tick `t`. */
  readonly rate: (t: number) => number;
}

/** A wave with noise, never below zero. */
function wave(base: number, seed: number): (t: number) => number {
  return (t) =>
    base *
    Math.max(
      0,
      1 + 0.45 * Math.sin(t / (23 + seed % 17) + seed) + 0.18 * Math.sin(t * 1.7 + seed * 3.1) +
        0.1 * noise(t * 31 + seed),
    );
}

function noise(x: number): number {
  const value = Math.sin(x * 12.9898) * 43758.5453;
  return (value - Math.floor(value)) * 2 - 1;
}

/** Whether the burner runs at this tick: two minutes of every four. */
export function burning(t: number): boolean {
  return t % 240 >= 60 && t % 240 < 180;
}

function counters(): Counter[] {
  const list: Counter[] = [];
  for (let id = 0; id < CPU_COUNT; id++) {
    for (const state of ["user", "system"]) {
      const calm = wave(state === "user" ? 0.16e9 : 0.06e9, id * 7 + state.length);
      const hot = state === "user" ? 0.93e9 : 0.03e9;
      list.push({
        metric: "cpu_usage",
        labels: { state, id: String(id), unit: "nanoseconds" },
        rate: (t) => id === BURNER_CPU && burning(t) ? hot : Math.min(calm(t), 0.49e9),
      });
    }
    for (const kind of ["voluntary", "involuntary"]) {
      list.push({
        metric: "scheduler_context_switch",
        labels: { kind, id: String(id) },
        rate: wave(kind === "voluntary" ? 900 : 80, id + kind.length),
      });
    }
    list.push({ metric: "scheduler_runqueue_wait", labels: { id: String(id) }, rate: wave(2e7, id * 3) });
    for (const direction of ["from", "to"]) {
      list.push({ metric: "cpu_migrations", labels: { direction, id: String(id) }, rate: wave(40, id * 5) });
    }
    for (const kind of ["timer", "net_rx", "sched", "rcu"]) {
      list.push({
        metric: "softirq",
        labels: { kind, id: String(id) },
        rate: wave(kind === "timer" ? 250 : 60, id + kind.length * 5),
      });
      list.push({
        metric: "softirq_time",
        labels: { kind, id: String(id) },
        rate: wave(2e6, id * 2 + kind.length),
      });
    }
  }
  OPS.forEach((op, index) =>
    list.push({ metric: "syscall", labels: { op }, rate: wave(9000 / (index + 1), index * 11) })
  );
  for (const direction of ["receive", "transmit"]) {
    list.push({
      metric: "network_bytes",
      labels: { direction },
      rate: wave(direction === "receive" ? 2.4e7 : 6e6, direction.length),
    });
    list.push({
      metric: "network_packets",
      labels: { direction },
      rate: wave(direction === "receive" ? 21000 : 9000, direction.length * 2),
    });
    list.push({
      metric: "tcp_bytes",
      labels: { direction },
      rate: wave(direction === "receive" ? 2.1e7 : 5e6, direction.length * 4),
    });
    list.push({
      metric: "tcp_packets",
      labels: { direction },
      rate: wave(direction === "receive" ? 16000 : 7000, direction.length * 3),
    });
  }
  for (const [index, op] of ["read", "write", "flush", "discard"].entries()) {
    list.push({
      metric: "blockio_bytes",
      labels: { op },
      rate: wave([3e7, 1.2e7, 0, 1e5][index]!, index + 50),
    });
    list.push({
      metric: "blockio_operations",
      labels: { op },
      rate: wave([900, 400, 12, 1][index]!, index + 60),
    });
  }
  ["/system.slice/db.service", "/system.slice/web.service", "/user.slice/build", "/init.scope"].forEach(
    (name, index) => {
      list.push({
        metric: "cgroup_cpu_usage",
        labels: { name, id: String(index + 1), state: "user" },
        rate: name.endsWith("build")
          ? (t) => burning(t) ? 0.93e9 : 0.01e9
          : wave(0.5e9 / (index + 1), index + 90),
      });
      list.push({
        metric: "cgroup_syscall",
        labels: { name, id: String(index + 1), op: "read" },
        rate: wave(4000 / (index + 1), index + 70),
      });
    },
  );
  for (const [index, derivation] of ["hello-2.12.1", "linux-6.12.9"].entries()) {
    const labels = { derivation, machine: "synthetic-host", user: index === 0 ? "alice" : "bob" };
    list.push({ metric: "nix_build_cpu_usage", labels, rate: wave(3e9 / (index + 1), index + 30) });
    list.push({
      metric: "nix_build_io_bytes",
      labels: { ...labels, op: "write" },
      rate: wave(4e6 * (index + 1), index + 40),
    });
  }
  list.push({ metric: "nix_btm_builds_ended", labels: { outcome: "succeeded" }, rate: () => 1 });
  list.push({ metric: "nix_btm_cache_bytes", labels: { cache: "https://cache" }, rate: wave(5e6, 21) });
  list.push({ metric: "nix_btm_log_bytes", labels: {}, rate: wave(40_000, 22) });
  for (const resource of ["cpu", "memory", "io"]) {
    list.push({
      metric: "pressure_stalled",
      labels: { resource, kind: "some" },
      rate: wave(resource === "cpu" ? 9e7 : 1.5e7, resource.length),
    });
  }
  return list;
}

interface Distribution {
  readonly metric: string;
  readonly labels: Record<string, string>;
  readonly median: (t: number) => number;
  readonly perSecond: number;
}

function distributions(): Distribution[] {
  const list: Distribution[] = [
    {
      metric: "scheduler_runqueue_latency",
      labels: {},
      median: (t) => burning(t) ? 22_000 : 6_000,
      perSecond: 4000,
    },
    { metric: "scheduler_running", labels: {}, median: () => 180_000, perSecond: 4000 },
    {
      metric: "scheduler_offcpu",
      labels: {},
      median: (t) => 900_000 * (1 + 0.4 * Math.sin(t / 40)),
      perSecond: 4000,
    },
    { metric: "tcp_packet_latency", labels: {}, median: () => 42_000, perSecond: 1500 },
    { metric: "tcp_connect_latency", labels: {}, median: () => 310_000, perSecond: 40 },
  ];
  OPS.forEach((op, index) =>
    list.push({
      metric: "syscall_latency",
      labels: { op },
      median: (t) => 900 * 3 ** index * (1 + 0.3 * Math.sin(t / 31 + index)),
      perSecond: 2400 / (index + 1),
    })
  );
  for (const op of ["read", "write"]) {
    list.push({
      metric: "blockio_latency",
      labels: { op },
      median: (t) => (op === "read" ? 110_000 : 480_000) * (1 + 0.5 * Math.max(0, Math.sin(t / 25))),
      perSecond: 900,
    });
    list.push({
      metric: "blockio_size",
      labels: { op },
      median: () => op === "read" ? 16_384 : 65_536,
      perSecond: 900,
    });
  }
  return list;
}

/** Gauges of the host. */
const GAUGES = [
  "memory_total",
  "memory_available",
  "memory_free",
  "memory_cached",
  "memory_buffers",
  "cpu_cores",
  "nix_build_memory",
  "nix_btm_builds_running",
  "nix_btm_builds_waiting",
  "nix_btm_commands",
] as const;

/** Tasks until the host has so many counters and gauges. */
function tasks(count: number): Counter[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const pid = String(1_000 + (index >> 1));
    const state = index % 2 === 0 ? "user" : "system";
    return {
      metric: "task_cpu_usage",
      labels: { pid, tgid: pid, comm: `worker-${index % 40}`, state, unit: "nanoseconds" },
      rate: wave(2e5, index),
    };
  });
}

/** A group as an agent has it: what one sampler counts. */
interface Members {
  readonly name: string;
  readonly schema: Schema;
  readonly counters: readonly Counter[];
  readonly totals: number[];
  readonly gauges: readonly string[];
  readonly distributions: readonly Distribution[];
  readonly counts: readonly number[][];
}

/** What all have one name in common stands in one group, as a sampler's values do. */
function groupsOf(numbers: readonly Counter[], shapes: readonly Distribution[]): Members[] {
  const names = new Set(["memory", ...[...numbers, ...shapes].map(({ metric }) => metric)]);
  return [...names].map((name): Members => {
    const counters = numbers.filter(({ metric }) => metric === name);
    const distributions = shapes.filter(({ metric }) => metric === name);
    const gauges = name === "memory" ? GAUGES : [];
    const entry = (metric: string, labels: Record<string, string>, index: number): SchemaEntry => ({
      name: `${metric}_${index}`,
      metadata: { metric, ...labels },
    });
    return {
      name: `${name}/all`,
      schema: {
        counters: counters.map(({ metric, labels }, index) => entry(metric, labels, index)),
        gauges: gauges.map((metric, index) => entry(metric, { unit: "bytes" }, index)),
        histograms: distributions.map(({ metric, labels }, index) => entry(metric, labels, index)),
      },
      counters,
      totals: counters.map(() => 1e9),
      gauges,
      distributions,
      counts: distributions.map(() => new Array<number>(HISTOGRAM_LAYOUT.bucketCount).fill(0)),
    };
  });
}

/**
 * The host; `snapshot(t)` gives tick t, which must come in order. With `seriesCount` it has tasks until there are so
 * many counters and gauges.
 */
export function syntheticHost(startSeconds: number, seriesCount = 0): { snapshot(t: number): Snapshot } {
  const numbers = counters();
  const all = [...numbers, ...tasks(seriesCount - numbers.length - GAUGES.length)];
  const groups = groupsOf(all, distributions());
  return {
    snapshot(t) {
      const gib = 2 ** 30;
      const used = (9 + 2 * Math.sin(t / 90)) * gib;
      const gauges = [
        32 * gib,
        32 * gib - used,
        14 * gib - used / 3,
        8 * gib,
        0.6 * gib,
        CPU_COUNT,
        3 * gib,
        2,
        7,
        1,
      ]
        .map(Math.round);
      const timeNs = BigInt(Math.round((startSeconds + t) * 1e3 + 2 * noise(t))) * 1_000_000n;
      let seed = t;
      return {
        timeNs,
        durationNs: 1_000_000n,
        metadata: { source: "rezolus", hostname: "synthetic-host" },
        groups: groups.map((group) => {
          group.counters.forEach(({ rate }, index) => group.totals[index]! += Math.round(rate(t)));
          group.distributions.forEach(({ median, perSecond }, index) =>
            addObservations(group.counts[index]!, median(t), perSecond, seed += 1000)
          );
          return {
            name: group.name,
            schema: group.schema,
            counters: { words: wordsOf(group.totals) },
            gauges: { words: wordsOf(group.gauges.length === 0 ? [] : gauges) },
            histograms: group.counts.map((buckets) => ({
              groupingPower: 3,
              maxValuePower: 64,
              words: wordsOf(buckets),
            })),
          };
        }),
      };
    },
  };
}

/** Observations spread about a median as those of real latencies are: a long tail to the right. */
function addObservations(buckets: number[], median: number, perSecond: number, seed: number): void {
  for (let k = -8; k <= 16; k++) {
    const share = Math.exp(-((k < 0 ? k * 1.6 : k * 0.62) ** 2) / 18) * (1 + 0.4 * noise(seed * 1.37 + k));
    const index = bucketIndex(HISTOGRAM_LAYOUT, BigInt(Math.max(1, Math.round(median * 1.45 ** k))));
    buckets[index]! += Math.round(perSecond * share / 9);
  }
}
