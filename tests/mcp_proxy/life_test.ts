/** The life of servers behind a proxy, state by event. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Life, type LifeEvent, type LifeRules, step } from "../../lib/mcp_proxy/life.ts";

const PLAIN: LifeRules = { builds: false, overlaps: true, nextGeneration: 3 };
const BUILDS: LifeRules = { ...PLAIN, builds: true };
const ALONE: LifeRules = { ...PLAIN, overlaps: false };

const idle: Life = { kind: "idle" };
const pausing: Life = { kind: "pausing", failures: 2 };
const serving: Life = { kind: "serving", serving: 1, failures: 2 };
const building: Life = { kind: "building", serving: 1, failures: 2 };
const first: Life = { kind: "building", serving: undefined, failures: 2 };
const coming: Life = { kind: "coming", next: 2, serving: 1, failures: 2 };
const alone: Life = { kind: "coming", next: 2, serving: undefined, failures: 2 };
const clearing: Life = { kind: "clearing", serving: 1 };

const CASES: [string, Life, LifeEvent, LifeRules, Life, string][] = [
  ["the first one is spawned", idle, { kind: "began" }, PLAIN, { ...alone, next: 3, failures: 0 }, "spawn 3"],
  ["the first one is built", idle, { kind: "began" }, BUILDS, { ...first, failures: 0 }, "build"],
  ["what is built is spawned", first, { kind: "built" }, BUILDS, { ...alone, next: 3 }, "spawn 3"],
  ["what cannot be built is tried again", first, { kind: "notBuilt" }, BUILDS, {
    kind: "pausing",
    failures: 3,
  }, "pause"],
  [
    "one that is ready serves",
    alone,
    { kind: "ready", generation: 2 },
    PLAIN,
    { ...serving, serving: 2 },
    "serve 2",
  ],
  [
    "one that is ready replaces the one that serves",
    ...[
      coming,
      { kind: "ready", generation: 2 },
      PLAIN,
      { ...serving, serving: 2 },
      "serve 2, retire 1",
    ] as const,
  ],
  ["one that does not come up is tried again", alone, { kind: "ended", generation: 2 }, PLAIN, {
    kind: "pausing",
    failures: 3,
  }, "pause"],
  ["the old one goes on when the new one does not come up", coming, { kind: "ended", generation: 2 }, PLAIN, {
    ...serving,
    failures: 0,
  }, ""],
  [
    "the new one goes on coming when the old one ends",
    coming,
    { kind: "ended", generation: 1 },
    PLAIN,
    alone,
    "",
  ],
  [
    "a crash counts",
    serving,
    { kind: "ended", generation: 1 },
    PLAIN,
    { kind: "pausing", failures: 3 },
    "pause",
  ],
  ["one that has run for a while has no failures", serving, { kind: "settled", generation: 1 }, PLAIN, {
    ...serving,
    failures: 0,
  }, ""],
  [
    "after the pause the next one is spawned",
    pausing,
    { kind: "timerFired" },
    PLAIN,
    { ...alone, next: 3 },
    "spawn 3",
  ],
  [
    "a change ends the pause",
    pausing,
    { kind: "changed" },
    PLAIN,
    { ...alone, next: 3, failures: 0 },
    "spawn 3",
  ],
  [
    "a change spawns the next one beside",
    serving,
    { kind: "changed" },
    PLAIN,
    { ...coming, next: 3 },
    "spawn 3",
  ],
  ["a change is built first", serving, { kind: "changed" }, BUILDS, building, "build"],
  [
    "a change while it builds begins the build anew",
    building,
    { kind: "changed" },
    BUILDS,
    building,
    "stopBuilding, build",
  ],
  [
    "a failed build leaves the old one",
    building,
    { kind: "notBuilt" },
    BUILDS,
    { ...serving, failures: 0 },
    "",
  ],
  [
    "a change while one comes up ends that one",
    ...[coming, { kind: "changed" }, PLAIN, { ...coming, next: 3, failures: 0 }, "end 2, spawn 3"] as const,
  ],
  ["the old one may end while the next is built", building, { kind: "ended", generation: 1 }, BUILDS, {
    ...first,
    failures: 3,
  }, ""],
  [
    "where both want one address the old one goes first",
    serving,
    { kind: "changed" },
    ALONE,
    clearing,
    "retire 1",
  ],
  ["and the next one comes then", clearing, { kind: "ended", generation: 1 }, ALONE, {
    ...alone,
    next: 3,
    failures: 0,
  }, "spawn 3"],
  [
    "what changes while the old one goes is built",
    clearing,
    { kind: "changed" },
    { ...ALONE, builds: true },
    { ...building, failures: 0 },
    "build",
  ],
  ["stopping ends all that run", coming, { kind: "stopped" }, PLAIN, { kind: "stopped" }, "end 1, end 2"],
  [
    "stopping ends the build",
    building,
    { kind: "stopped" },
    BUILDS,
    { kind: "stopped" },
    "stopBuilding, end 1",
  ],
];

for (const [name, life, on, rules, next, effects] of CASES) {
  Deno.test(`step(): ${name}`, () => {
    const [found, todo] = step(life, on, rules) ?? [undefined, []];
    deepStrictEqual(found, next);
    const said = todo.map((effect) =>
      "generation" in effect ? `${effect.kind} ${effect.generation}` : effect.kind
    );
    strictEqual(said.join(", "), effects);
  });
}

Deno.test("step(): what has no meaning changes nothing", () => {
  const events: [Life, LifeEvent][] = [
    [serving, { kind: "ended", generation: 9 }],
    [serving, { kind: "ready", generation: 1 }],
    [coming, { kind: "ready", generation: 9 }],
    [coming, { kind: "settled", generation: 1 }],
    [pausing, { kind: "built" }],
    [{ kind: "stopped" }, { kind: "stopped" }],
    [{ kind: "stopped" }, { kind: "changed" }],
    [clearing, { kind: "changed" }],
  ];
  for (const [life, on] of events) strictEqual(step(life, on, PLAIN), undefined, `${life.kind} ${on.kind}`);
});
