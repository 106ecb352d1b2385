/** The life of a service as a table, the order of services, conditions, and waits before restarts. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  backoffMs,
  CONDITIONS,
  DEFAULT_POLICY,
  type Dependency,
  holds,
  isHopeless,
  type Observed,
  type Outcome,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  startOrder,
  step,
} from "../../lib/supervisor/mod.ts";

const code = (code: number): Outcome => ({ kind: "exited", code });
const idle: ServiceState = { kind: "idle" };
const building: ServiceState = { kind: "building", failures: 2 };
const starting: ServiceState = { kind: "starting", failures: 2 };
const running: ServiceState = { kind: "running", failures: 2, sinceMs: 1_000 };
const rebuilding: ServiceState = { kind: "replacing", phase: "building", failures: 2, sinceMs: 1_000 };
const replacing: ServiceState = { kind: "replacing", phase: "starting", failures: 2, sinceMs: 1_000 };
const backoff: ServiceState = { kind: "backoff", failures: 2, outcome: code(1) };
const stopping: ServiceState = { kind: "stopping", then: "idle" };
const failing: ServiceState = { kind: "failing", failures: 2 };
const finished: ServiceState = { kind: "finished", outcome: code(0) };
const exited = (number: number): ServiceEvent => ({ kind: "exited", outcome: code(number) });
const lost: ServiceEvent = { kind: "exited", outcome: { kind: "lost" } };
type Plain = Exclude<ServiceEvent["kind"], "buildFailed" | "exited" | "adopted">;
const on = (kind: Plain): ServiceEvent => ({ kind });
const start = on("startRequested");
const stop = on("stopRequested");
const restart = on("restartRequested");
const buildFailed: ServiceEvent = { kind: "buildFailed", outcome: code(101) };
const ONCE: Partial<Policy> = { restart: "never" };
const ON_FAILURE: Partial<Policy> = { restart: "on-failure" };
const BUILDS: Partial<Policy> = { builds: true };
const OVERLAP: Partial<Policy> = { overlap: true };
const SPAWN = ["startTimer", "spawn", "watchReadiness"];
const SPAWN_NEXT = ["startTimer", "spawnNext", "watchReadiness"];
const END = ["stop", "startTimer"];
const KILL = ["kill", "startTimer"];

const CASES: [string, ServiceState, ServiceEvent, Partial<Policy>, ServiceState["kind"], string[]][] = [
  ["a start spawns", idle, start, {}, "starting", SPAWN],
  ["a restart of what has ended spawns", finished, restart, {}, "starting", SPAWN],
  ["what is built is built first", idle, start, BUILDS, "building", ["stopTimer", "build"]],
  ["what was built is spawned", building, on("built"), BUILDS, "starting", SPAWN],
  ["a build that fails waits before the next", building, buildFailed, BUILDS, "backoff", ["startTimer"]],
  ["a failed build ends what runs once", building, buildFailed, ONCE, "finished", ["stopTimer"]],
  ["a stop ends a build", building, stop, BUILDS, "idle", ["cancelBuild"]],
  ["a restart begins a build anew", building, restart, BUILDS, "building", ["cancelBuild", "build"]],
  ["a ready process runs", starting, on("ready"), {}, "running", ["stopTimer"]],
  ["a process that does not become ready is ended", starting, on("timerFired"), {}, "failing", END],
  ["what ended for want of readiness waits", failing, exited(143), {}, "backoff", ["startTimer"]],
  ["what runs once is not tried again", failing, exited(143), ONCE, "finished", ["stopTimer"]],
  ["what does not end for want of readiness is killed", failing, on("timerFired"), {}, "failing", KILL],
  ["a stop while it fails stays a stop", failing, stop, {}, "stopping", []],
  ["a restart while it fails does not wait", failing, restart, {}, "stopping", []],
  ["an exit before readiness waits before the restart", starting, exited(1), {}, "backoff", ["startTimer"]],
  ["a stop before readiness asks politely", starting, stop, {}, "stopping", END],
  ["a restart before readiness stops first", starting, restart, {}, "stopping", END],
  ["a crash waits before the restart", running, exited(1), {}, "backoff", ["startTimer"]],
  ["a clean exit is restarted too", running, exited(0), {}, "backoff", ["startTimer"]],
  ["a clean exit ends what is restarted on failure", running, exited(0), ON_FAILURE, "finished", [
    "stopTimer",
  ]],
  ["a crash restarts what is restarted on failure", running, exited(3), ON_FAILURE, "backoff", [
    "startTimer",
  ]],
  ["an unknown end is a failure", running, lost, ON_FAILURE, "backoff", ["startTimer"]],
  ["a crash ends what runs once", running, exited(3), ONCE, "finished", ["stopTimer"]],
  ["too many failures end it for good", running, exited(3), { maxFailures: 2 }, "finished", ["stopTimer"]],
  ["what is not well is ended", running, on("unhealthy"), {}, "failing", END],
  ["a stop asks politely first", running, stop, {}, "stopping", END],
  ["a restart stops first", running, restart, {}, "stopping", END],
  ["a restart with overlap spawns the next first", running, restart, OVERLAP, "replacing", SPAWN_NEXT],
  ["a restart builds while the old serves", running, restart, BUILDS, "replacing", ["stopTimer", "build"]],
  ["what was built replaces the old", rebuilding, on("built"), BUILDS, "stopping", END],
  [
    "what was built starts beside the old",
    rebuilding,
    on("built"),
    { ...BUILDS, ...OVERLAP },
    "replacing",
    SPAWN_NEXT,
  ],
  ["the old serves on when the build fails", rebuilding, buildFailed, BUILDS, "running", []],
  ["a crash while the next is built waits for the build", rebuilding, exited(1), BUILDS, "building", []],
  ["a stop ends build and old", rebuilding, stop, BUILDS, "stopping", ["cancelBuild", ...END]],
  ["the next one that is ready takes over", replacing, on("nextReady"), OVERLAP, "running", [
    "promoteNext",
    "stopTimer",
  ]],
  ["the old serves on when the next one ends", replacing, on("nextExited"), OVERLAP, "running", [
    "dropNext",
    "stopTimer",
  ]],
  ["the old serves on when the next is not ready in time", replacing, on("timerFired"), OVERLAP, "running", [
    "dropNext",
    "stopTimer",
  ]],
  ["a crash makes the next one come early", replacing, exited(1), OVERLAP, "starting", ["promoteNext"]],
  ["a stop ends both", replacing, stop, OVERLAP, "stopping", ["dropNext", ...END]],
  ["another restart takes another next", replacing, restart, OVERLAP, "replacing", [
    "dropNext",
    ...SPAWN_NEXT,
  ]],
  ["the end of the wait spawns", backoff, on("timerFired"), {}, "starting", SPAWN],
  ["the end of the wait builds", backoff, on("timerFired"), BUILDS, "building", ["stopTimer", "build"]],
  ["a restart does not wait", backoff, restart, {}, "starting", SPAWN],
  ["a stop while waiting is immediate", backoff, stop, {}, "idle", ["stopTimer"]],
  ["a stop that takes too long kills", stopping, on("timerFired"), {}, "stopping", KILL],
  ["an exit ends a stop", stopping, exited(143), {}, "idle", ["stopTimer"]],
  [
    "an exit ends the first half of a restart",
    { kind: "stopping", then: "launch" },
    exited(0),
    BUILDS,
    "building",
    [
      "stopTimer",
      "stopTimer",
      "build",
    ],
  ],
  [
    "what is built already is not built again",
    { kind: "stopping", then: "spawn" },
    exited(0),
    BUILDS,
    "starting",
    [
      "stopTimer",
      ...SPAWN,
    ],
  ],
  ["a start while stopping follows the stop", stopping, start, {}, "stopping", []],
  ["a stop while restarting cancels it", { kind: "stopping", then: "spawn" }, stop, {}, "stopping", []],
  ["what was found ready runs", idle, { kind: "adopted", ready: true, failures: 2 }, {}, "running", []],
  [
    "what was found starting has to become ready",
    idle,
    { kind: "adopted", ready: false, failures: 2 },
    {},
    "starting",
    [
      "startTimer",
      "watchReadiness",
    ],
  ],
];

const now = { policy: DEFAULT_POLICY, nowMs: 2_000, chance: 0 };

for (const [name, from, event, policy, kind, effects] of CASES) {
  Deno.test(`step(): ${name}`, () => {
    const [state, todo] = step(from, event, { ...now, policy: { ...DEFAULT_POLICY, ...policy } })!;
    deepStrictEqual([state.kind, todo.map((effect) => effect.kind)], [kind, effects]);
  });
}

Deno.test("step(): what has no meaning in a state changes nothing", () => {
  const meaningless: [ServiceState, ServiceEvent][] = [
    [idle, on("ready")],
    [idle, stop],
    [running, on("timerFired")],
    [running, start],
    [running, on("nextReady")],
    [replacing, on("ready")],
    [backoff, exited(0)],
    [stopping, on("ready")],
    [building, exited(0)],
  ];
  for (const [state, event] of meaningless) strictEqual(step(state, event, now), undefined);
});

Deno.test("step(): a start that follows a stop is cancelled by another stop, and nothing else is", () => {
  const [first] = step(stopping, start, now)!;
  deepStrictEqual(first, { kind: "stopping", then: "launch" });
  deepStrictEqual(step(first, stop, now)![0], stopping);
  deepStrictEqual(step({ kind: "stopping", then: "spawn" }, restart, now)![0], {
    kind: "stopping",
    then: "spawn",
  });
});

Deno.test("step(): failures count up to a long healthy time or a wish, then begin anew", () => {
  const failures = (state: ServiceState, event: ServiceEvent, nowMs: number) => {
    const [next] = step(state, event, { ...now, nowMs })!;
    return "failures" in next ? next.failures : undefined;
  };
  const healthy = 1_000 + DEFAULT_POLICY.healthyAfterMs;
  deepStrictEqual([failures(running, exited(1), 2_000), failures(running, exited(1), healthy)], [3, 1]);
  deepStrictEqual([failures(running, on("unhealthy"), 2_000), failures(running, on("unhealthy"), healthy)], [
    2,
    0,
  ]);
  strictEqual(failures(replacing, on("nextReady"), 2_000), 0);
  strictEqual(failures(backoff, restart, 2_000), 0);
  strictEqual(failures(backoff, on("timerFired"), 2_000), 2);
});

Deno.test("backoffMs() grows by its factor and stops at its limit", () => {
  const policy = { firstMs: 100, factor: 2, maxMs: 1_000 };
  const waits = [1, 2, 3, 4, 5, 50].map((failures) => backoffMs(policy, failures));
  deepStrictEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
});

Deno.test("backoffMs(): another first wait, whole steps, and less by chance", () => {
  const seconds = { firstMs: 1_000, factor: 1.5, maxMs: 300_000, stepMs: 1_000 };
  const upstream = [1, 1, 2, 3, 5, 7, 11, 17, 25, 38, 57, 86, 129, 194, 291, 300];
  deepStrictEqual(upstream.map((_, at) => backoffMs(seconds, at + 1) / 1_000), upstream);
  const once = { ...seconds, onceMs: 120_000 };
  deepStrictEqual([1, 2, 3].map((failures) => backoffMs(once, failures)), [120_000, 1_000, 2_000]);
  const jitter = { firstMs: 1_000, factor: 1, maxMs: 1_000, jitterRatio: 0.5 };
  deepStrictEqual([0, 0.5].map((chance) => backoffMs(jitter, 1, chance)), [1_000, 750]);
});

Deno.test("holds() and isHopeless(): conditions by state", () => {
  const states: ServiceState[] = [idle, starting, running, replacing, backoff, finished, {
    kind: "finished",
    outcome: code(1),
  }];
  const table = (test: (dependency: Dependency, other: Observed) => boolean, said: boolean) =>
    CONDITIONS.map((condition) =>
      states.map((state) => {
        const other = { state, spoken: { has: () => said } };
        return test({ name: "other", condition, pattern: /x/ }, other) ? "x" : ".";
      }).join("")
    );
  deepStrictEqual(table(holds, false), [".xxx.xx", "..xx.x.", ".....xx", ".....x.", "......."]);
  deepStrictEqual(table(holds, true).at(-1), "xxxxxxx");
  deepStrictEqual(table(isHopeless, false), [".......", "......x", ".......", "......x", ".....xx"]);
});

Deno.test("startOrder() puts dependencies first and keeps the order given otherwise", () => {
  const nodes = [
    { name: "viewer", dependsOn: ["agent"] },
    { name: "other", dependsOn: [] },
    { name: "agent", dependsOn: ["base"] },
    { name: "base", dependsOn: [] },
  ];
  deepStrictEqual(startOrder(nodes), ["base", "agent", "viewer", "other"]);
});

Deno.test("startOrder() names an unknown dependency and a circle", () => {
  throws(() => startOrder([{ name: "a", dependsOn: ["b"] }]), /"a" depends on "b", which does not exist/);
  const circle = [{ name: "a", dependsOn: ["b"] }, { name: "b", dependsOn: ["c"] }, {
    name: "c",
    dependsOn: ["a"],
  }];
  throws(() => startOrder(circle), /a -> b -> c -> a/);
});
