/** The life of a service as a table, the order of services, and waits before restarts. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  backoffMs,
  DEFAULT_POLICY,
  type Policy,
  type ServiceEvent,
  type ServiceState,
  startOrder,
  step,
} from "../../lib/supervisor/mod.ts";

const idle: ServiceState = { kind: "idle" };
const starting: ServiceState = { kind: "starting", pid: 7, failures: 2 };
const running: ServiceState = { kind: "running", pid: 7, failures: 2, sinceMs: 1_000 };
const backoff: ServiceState = { kind: "backoff", failures: 2, outcome: { code: 1 } };
const stopping: ServiceState = { kind: "stopping", pid: 7, then: "idle" };
const failing: ServiceState = { kind: "failing", pid: 7, failures: 2 };
const finished: ServiceState = { kind: "finished", outcome: { code: 0 } };
const exited = (code: number): ServiceEvent => ({ kind: "exited", outcome: { code } });
const asked = (kind: "startRequested" | "stopRequested" | "restartRequested"): ServiceEvent => ({ kind });
const ONCE: Partial<Policy> = { restart: "never" };
const ON_FAILURE: Partial<Policy> = { restart: "on-failure" };

const CASES: [string, ServiceState, ServiceEvent, Partial<Policy>, ServiceState["kind"], string[]][] = [
  ["a start spawns", idle, asked("startRequested"), {}, "idle", ["spawn"]],
  ["a restart of what has ended spawns", finished, asked("restartRequested"), {}, "finished", ["spawn"]],
  ["a spawned process must become ready in time", idle, { kind: "started", pid: 7 }, {}, "starting", [
    "startTimer",
    "watchReadiness",
  ]],
  ["a program that cannot be started is tried again later", idle, { kind: "spawnFailed" }, {}, "backoff", [
    "startTimer",
  ]],
  ["a program that cannot be started ends what runs once", idle, { kind: "spawnFailed" }, ONCE, "finished", [
    "stopTimer",
  ]],
  ["a ready process runs", starting, { kind: "ready" }, {}, "running", ["stopTimer"]],
  ["a process that does not become ready is ended", starting, { kind: "timerFired" }, {}, "failing", [
    "signal",
    "startTimer",
  ]],
  [
    "a process that ended for want of readiness waits before the restart",
    failing,
    exited(143),
    {},
    "backoff",
    [
      "startTimer",
    ],
  ],
  [
    "a process that ended for want of readiness is not tried again when it runs once",
    failing,
    exited(143),
    ONCE,
    "finished",
    [
      "stopTimer",
    ],
  ],
  [
    "a process that does not end for want of readiness is killed",
    failing,
    { kind: "timerFired" },
    {},
    "failing",
    ["signal"],
  ],
  ["a stop while it fails stays a stop", failing, asked("stopRequested"), {}, "stopping", []],
  ["a restart while it fails does not wait", failing, asked("restartRequested"), {}, "stopping", []],
  ["an exit before readiness waits before the restart", starting, exited(1), {}, "backoff", ["startTimer"]],
  ["a stop before readiness asks politely", starting, asked("stopRequested"), {}, "stopping", [
    "signal",
    "startTimer",
  ]],
  ["a crash waits before the restart", running, exited(1), {}, "backoff", ["startTimer"]],
  ["a clean exit is restarted too", running, exited(0), {}, "backoff", ["startTimer"]],
  ["a clean exit ends what is restarted on failure", running, exited(0), ON_FAILURE, "finished", [
    "stopTimer",
  ]],
  ["a crash restarts what is restarted on failure", running, exited(3), ON_FAILURE, "backoff", [
    "startTimer",
  ]],
  ["a crash ends what runs once", running, exited(3), ONCE, "finished", ["stopTimer"]],
  ["a stop asks politely first", running, asked("stopRequested"), {}, "stopping", ["signal", "startTimer"]],
  ["a restart stops first", running, asked("restartRequested"), {}, "stopping", ["signal", "startTimer"]],
  ["the end of the wait spawns", backoff, { kind: "timerFired" }, {}, "backoff", ["spawn"]],
  ["a restart does not wait", backoff, asked("restartRequested"), {}, "backoff", ["spawn"]],
  ["a stop while waiting is immediate", backoff, asked("stopRequested"), {}, "idle", ["stopTimer"]],
  ["a process spawned after a wait starts", backoff, { kind: "started", pid: 8 }, {}, "starting", [
    "startTimer",
    "watchReadiness",
  ]],
  ["a spawn that fails again waits again", backoff, { kind: "spawnFailed" }, {}, "backoff", ["startTimer"]],
  ["a stop that takes too long kills", stopping, { kind: "timerFired" }, {}, "stopping", ["signal"]],
  ["an exit ends a stop", stopping, exited(143), {}, "idle", ["stopTimer"]],
  ["an exit ends the first half of a restart", { ...stopping, then: "start" }, exited(0), {}, "idle", [
    "stopTimer",
    "spawn",
  ]],
  ["a start while stopping follows the stop", stopping, asked("startRequested"), {}, "stopping", []],
  [
    "a stop while restarting cancels the start",
    { ...stopping, then: "start" },
    asked("stopRequested"),
    {},
    "stopping",
    [],
  ],
];

for (const [name, from, on, policy, kind, effects] of CASES) {
  Deno.test(`step(): ${name}`, () => {
    const [state, todo] = step(from, on, { ...DEFAULT_POLICY, ...policy }, 2_000)!;
    deepStrictEqual([state.kind, todo.map((effect) => effect.kind)], [kind, effects]);
  });
}

Deno.test("step(): what has no meaning in a state changes nothing", () => {
  const meaningless: [ServiceState, ServiceEvent][] = [
    [idle, { kind: "ready" }],
    [idle, asked("stopRequested")],
    [running, { kind: "timerFired" }],
    [running, asked("startRequested")],
    [backoff, exited(0)],
    [stopping, { kind: "ready" }],
  ];
  for (const [state, on] of meaningless) strictEqual(step(state, on, DEFAULT_POLICY, 0), undefined);
});

Deno.test("step(): a stop sends SIGTERM, then SIGKILL", () => {
  const [state, [polite]] = step(running, asked("stopRequested"), DEFAULT_POLICY, 0)!;
  const [, [hard]] = step(state, { kind: "timerFired" }, DEFAULT_POLICY, 0)!;
  deepStrictEqual([polite, hard], [
    { kind: "signal", pid: 7, signal: "SIGTERM" },
    { kind: "signal", pid: 7, signal: "SIGKILL" },
  ]);
});

Deno.test("step(): failures count up to a long healthy time, then begin anew", () => {
  const failures = (nowMs: number) => {
    const [state] = step(running, exited(1), DEFAULT_POLICY, nowMs)!;
    return state.kind === "backoff" ? state.failures : undefined;
  };
  deepStrictEqual([failures(2_000), failures(1_000 + DEFAULT_POLICY.healthyAfterMs)], [3, 1]);
});

Deno.test("backoffMs() grows by its factor and stops at its limit", () => {
  const policy = { firstMs: 100, factor: 2, maxMs: 1_000 };
  deepStrictEqual([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(policy, failures)), [
    100,
    200,
    400,
    800,
    1_000,
    1_000,
  ]);
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
