/** What an agent does next, by what is wanted and what is there. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  EMPTY_JOURNAL,
  type Journal,
  nextStep,
  type Step,
  type Wanted,
} from "../../lib/cluster/agent/step.ts";
import type { DriverInstance, DriverState } from "../../lib/cluster/drivers/mod.ts";
import type { Instance } from "../../lib/cluster/mod.ts";
import { instanceOf } from "./_model.ts";

const here = (more: Partial<Instance> = {}): Wanted => ({
  kind: "here",
  instance: instanceOf("a", { placement: { node: "n", epoch: 2 }, lastEpoch: 2, ...more }),
});
const there = (state: DriverState, more: Partial<DriverInstance> = {}): DriverInstance => ({
  id: "a",
  epoch: 2,
  generation: 1,
  state,
  ...more,
});
const ended = (isSuccess: boolean): DriverState => ({
  kind: "ended",
  end: { isSuccess, wasAsked: false, code: isSuccess ? 0 : 1, signal: null, reason: "" },
});
const CREATED: DriverState = { kind: "created" };
const RUNNING: DriverState = { kind: "running", pid: 1 };
const PAUSED: DriverState = { kind: "paused", pid: 1 };
const STARTED: Journal = { startedGeneration: 1, failures: 0 };

function step(
  wanted: Wanted,
  found: DriverInstance | undefined,
  { journal = STARTED, endedForMs = 0 }: { readonly journal?: Journal; readonly endedForMs?: number } = {},
): Step {
  return nextStep({ wanted, found, journal, endedForMs });
}

Deno.test("each pair of what is wanted and what is there has its step", () => {
  const cases: [Wanted, DriverInstance | undefined, Step["kind"]][] = [
    [here(), undefined, "create"],
    [here(), there(CREATED), "start"],
    [here(), there(RUNNING), "rest"],
    [here(), there(PAUSED), "resume"],
    [here({ power: "paused" }), there(RUNNING), "pause"],
    [here({ power: "paused" }), there(PAUSED), "rest"],
    [here({ power: "paused" }), there(ended(true)), "rest"],
    [here({ power: "stopped" }), undefined, "create"],
    [here({ power: "stopped" }), there(CREATED), "rest"],
    [here({ power: "stopped" }), there(RUNNING), "stop"],
    [here({ power: "stopped" }), there(PAUSED), "stop"],
    [here({ isDeleting: true }), there(RUNNING), "stop"],
    [here({ isDeleting: true }), there(ended(false)), "delete"],
    [here({ isDeleting: true }), undefined, "rest"],
    // What it is to run was changed: its driver is told, and what runs goes on.
    [here({ generation: 2 }), there(RUNNING), "create"],
    // Of an older placement.
    [here(), there(RUNNING, { epoch: 1 }), "stop"],
    [here(), there(ended(true), { epoch: 1 }), "delete"],
    [{ kind: "elsewhere" }, there(RUNNING), "stop"],
    [{ kind: "elsewhere" }, there(CREATED), "delete"],
    [{ kind: "elsewhere" }, undefined, "rest"],
    // An orphan is nobody's to end.
    [{ kind: "unknown" }, there(RUNNING), "rest"],
  ];
  for (const [wanted, found, kind] of cases) {
    strictEqual(step(wanted, found).kind, kind, JSON.stringify([wanted, found]));
  }
});

Deno.test("what has ended by itself is started again as it says, later each time", () => {
  const restarts = (restart: Instance["restart"], isSuccess: boolean) =>
    step(here({ restart }), there(ended(isSuccess)), { endedForMs: 1_000 }).kind;
  deepStrictEqual(
    (["always", "on_failure", "never"] as const).map((each) => [restarts(each, true), restarts(each, false)]),
    [["start", "start"], ["rest", "start"], ["rest", "rest"]],
  );
  const waits = [0, 1, 2, 7, 8, 9, 100].map((failures) => {
    const waiting = step(here({ restart: "always" }), there(ended(false)), {
      journal: { ...STARTED, failures },
    });
    return waiting.kind === "wait" ? waiting.ms : waiting.kind;
  });
  deepStrictEqual(waits, [1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000]);
  const due = step(here({ restart: "always" }), there(ended(false)), {
    journal: { ...STARTED, failures: 2 },
    endedForMs: 4_000,
  });
  deepStrictEqual(due, { kind: "start", journal: { startedGeneration: 1, failures: 3 } });
});

Deno.test("who wants an instance to run that has ended has it started at once, with its failures forgotten", () => {
  const journal = { startedGeneration: 1, failures: 9 };
  const found = there(ended(false), { generation: 2 });
  deepStrictEqual(step(here({ generation: 2, restart: "never" }), found, { journal }), {
    kind: "start",
    journal: { startedGeneration: 2, failures: 0 },
  });
});

Deno.test("steps come to an end: from every state to every wish, with nothing done twice", () => {
  const states: (DriverInstance | undefined)[] = [
    undefined,
    ...[CREATED, RUNNING, PAUSED, ended(true), ended(false)].flatMap((state) => [
      there(state),
      there(state, { epoch: 1 }),
      there(state, { generation: 0 }),
    ]),
  ];
  const wishes: Wanted[] = [
    { kind: "elsewhere" },
    { kind: "unknown" },
    ...(["running", "paused", "stopped"] as const).flatMap((power) => [
      here({ power, restart: "never" }),
      here({ power, restart: "never", isDeleting: true }),
    ]),
  ];
  for (const wanted of wishes) {
    for (const begin of states) {
      let [found, journal, count] = [begin, EMPTY_JOURNAL, 0];
      for (
        let next = step(wanted, found, { journal });
        next.kind !== "rest";
        next = step(wanted, found, { journal })
      ) {
        ok(++count < 10, `${JSON.stringify([wanted, begin])} never comes to rest`);
        if (next.kind === "create") found = there(found?.state ?? CREATED);
        else if (next.kind === "delete") found = undefined;
        else if (next.kind === "stop") found = { ...found!, state: ended(true) };
        else if (next.kind === "pause") found = { ...found!, state: PAUSED };
        else if (next.kind === "start" || next.kind === "resume") found = { ...found!, state: RUNNING };
        if (next.kind === "start") ({ journal } = next);
      }
      if (wanted.kind === "here" && !wanted.instance.isDeleting && wanted.instance.power === "running") {
        strictEqual(found?.state.kind, "running", JSON.stringify([wanted, begin]));
      }
      if (wanted.kind === "elsewhere") strictEqual(found, undefined);
    }
  }
});
