/** What services used at the last polls. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ServiceInfo } from "../../lib/bpm_tui/service.ts";
import {
  NO_USAGE,
  USAGE_POLLS,
  type UsageHistory,
  usageOf,
  withUsage,
} from "../../lib/bpm_tui/usage_history.ts";

const using = (name: string, cpuRatio?: number, memoryBytes?: number): ServiceInfo => ({
  name,
  state: "running",
  crashes: 0,
  dependsOn: [],
  events: [],
  ...cpuRatio === undefined ? {} : { cpuRatio },
  ...memoryBytes === undefined ? {} : { memoryBytes },
});

function after(...polls: ServiceInfo[][]): UsageHistory {
  return polls.reduce(withUsage, NO_USAGE);
}

Deno.test("each service has its own line, from the first poll that told of it, with gaps", () => {
  const history = after(
    [using("a", 0.5, 10)],
    [using("b", 0.25), using("a")],
    [using("a", 1, 30), using("b", 0.75, 8)],
  );
  deepStrictEqual(usageOf(history, "a", "cpu"), [0.5, undefined, 1]);
  deepStrictEqual(usageOf(history, "a", "memory"), [10, undefined, 30]);
  deepStrictEqual(usageOf(history, "b", "cpu"), [0.25, 0.75]);
  deepStrictEqual(usageOf(history, "b", "memory"), [8]);
  deepStrictEqual(usageOf(history, "c", "cpu"), []);
});

Deno.test("only the last polls are kept, and services that have gone do not pile up", () => {
  let history = NO_USAGE;
  for (let poll = 0; poll < USAGE_POLLS + 5; poll++) history = withUsage(history, [using("a", poll)]);
  const values = usageOf(history, "a", "cpu");
  deepStrictEqual([values.length, values[0], values.at(-1)], [USAGE_POLLS, 5, USAGE_POLLS + 4]);
  for (let poll = 0; poll < 500; poll++) history = withUsage(history, [using(`job ${poll}`, 1)]);
  strictEqual(history.slots.size < 100, true);
  deepStrictEqual(usageOf(history, "job 499", "cpu"), [1]);
});
