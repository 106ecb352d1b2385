/** How well the end is foretold: on recorded and on generated graphs, played by a scheduler of the test's own. */
import { ok } from "node:assert/strict";
import {
  type Durations,
  durations,
  estimate,
  Graph,
  type Job,
  type JobState,
  nameOf,
} from "../../lib/nix/mod.ts";
import { type SeededRandom, seededRandom, testSeed } from "../metrics/seeded.ts";
import { scenarios } from "./_scenarios.ts";

/** What is to be built: what each needs, and how long it takes on a usual day. */
interface Plan {
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  readonly usualMs: ReadonlyMap<string, number>;
}

/** From 0.7 to 1.4 times, most near once: as the same build differs from day to day. */
function today(usualMs: number, random: SeededRandom): number {
  const turns = (random.below(1_000) + random.below(1_000) + random.below(1_000)) / 3_000;
  return usualMs * (0.7 + 0.7 * turns);
}

/** Lengths spread over three orders of magnitude, as those of packages are. */
function withLengths(inputs: ReadonlyMap<string, readonly string[]>, random: SeededRandom): Plan {
  const usualMs = new Map(
    [...inputs.keys()].map((path) => [path, 1_000 * 10 ** (random.below(3_000) / 1_000)]),
  );
  return { inputs, usualMs };
}

function generated(random: SeededRandom): Plan {
  const count = 20 + random.below(180);
  const inputs = new Map<string, readonly string[]>();
  for (let at = 0; at < count; at++) {
    const needs = new Set(Array.from({ length: random.below(4) }, () => at === 0 ? -1 : random.below(at)));
    needs.delete(-1);
    inputs.set(`g${at}`, [...needs].map((each) => `g${each}`));
  }
  return withLengths(inputs, random);
}

function recorded(random: SeededRandom): Plan[] {
  return scenarios().flatMap(({ expected: { ground_truth } }) => {
    const edges = ground_truth?.edges ?? [];
    if (edges.length < 3) return [];
    const inputs = new Map<string, string[]>();
    for (const [path, input] of edges) {
      if (!inputs.has(input)) inputs.set(input, []);
      inputs.set(path, [...inputs.get(path) ?? [], input]);
    }
    return [withLengths(inputs, random)];
  });
}

function build(path: string, state: JobState["kind"], startedMs?: number, endedMs?: number): Job {
  return {
    id: 0,
    command: 1,
    kind: "build",
    subject: path,
    name: nameOf(path),
    host: "",
    to: "",
    state: { kind: state } as JobState,
    startedMs,
    endedMs,
    doneBytes: 0,
    expectedBytes: 0,
    phases: [],
    lineCount: 0,
    tail: [],
  };
}

/** When each begins and ends, so many at a time, in an order of the test's own. */
function play(
  { inputs, usualMs }: Plan,
  slots: number,
  random: SeededRandom,
): Map<string, readonly [number, number]> {
  const times = new Map<string, readonly [number, number]>();
  const running: string[] = [];
  let nowMs = 0;
  while (times.size < inputs.size || running.length > 0) {
    const ready = [...inputs].filter(([path, needs]) =>
      !times.has(path) && needs.every((each) => (times.get(each)?.[1] ?? Infinity) <= nowMs)
    );
    while (running.length < slots && ready.length > 0) {
      const [[path]] = ready.splice(random.below(ready.length), 1) as [[string, readonly string[]]];
      times.set(path, [nowMs, nowMs + today(usualMs.get(path)!, random)]);
      running.push(path);
    }
    running.sort((one, other) => times.get(one)![1] - times.get(other)![1]);
    nowMs = times.get(running.shift()!)![1];
  }
  return times;
}

/** How far off the expected end is, as a share of the time that is left, when half of the builds are done. */
function errorOf(plan: Plan, random: SeededRandom): number {
  const slots = 1 + random.below(8);
  const past = new Map<string, Durations>();
  for (const [path, usualMs] of plan.usualMs) {
    past.set(nameOf(path), durations(Array.from({ length: 5 }, () => today(usualMs, random))));
  }
  const graph = new Graph();
  for (const [path, inputs] of plan.inputs) graph.add({ path, inputs, outputs: {}, system: "x" });
  const times = play(plan, slots, random);
  const ends = [...times.values()].map(([, end]) => end).sort((one, other) => one - other);
  const nowMs = ends[Math.floor(ends.length / 2)]!;
  const jobs = [...times].map(([path, [from, to]]) =>
    to <= nowMs
      ? build(path, "succeeded", from, to)
      : from <= nowMs
      ? build(path, "running", from)
      : build(path, "planned")
  );
  const found = estimate(jobs, { graph, durationsOf: ({ name }) => past.get(name), nowMs, slots });
  const leftMs = ends.at(-1)! - nowMs;
  return found === undefined ? 0 : Math.abs(found.medianMs - leftMs) / leftMs;
}

Deno.test("after half of the builds half of all expected ends are less than a fifth off", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (
    const [what, plans] of [
      ["recorded", Array.from({ length: 10 }, () => recorded(random)).flat()],
      ["generated", Array.from({ length: 100 }, () => generated(random))],
    ] as const
  ) {
    const errors = durations(plans.map((plan) => errorOf(plan, random)));
    ok(errors.medianMs <= 0.2, `${what}: p50 is ${errors.medianMs} of ${errors.count}, seed ${seed}`);
    console.log(
      `expected end, ${what}: p50 ${errors.medianMs.toFixed(3)}, p90 ${
        errors.p90Ms.toFixed(3)
      } of ${errors.count}`,
    );
  }
});
