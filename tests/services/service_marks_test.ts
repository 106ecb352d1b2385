/** Which changes of a service are marked on charts. */
import { deepStrictEqual } from "node:assert/strict";
import { ServiceMarks } from "../../lib/services/mod.ts";
import type { Notice } from "../../lib/supervisor/mod.ts";

type State = Extract<Notice, { kind: "state" }>["state"];

Deno.test("crashes, restarts and swaps of a service are marked, each change once", () => {
  const marks = new ServiceMarks();
  const states: State[] = [
    { kind: "starting", failures: 0 },
    { kind: "running", failures: 0, sinceMs: 1 },
    { kind: "running", failures: 0, sinceMs: 1 },
    { kind: "backoff", failures: 1, outcome: { kind: "exited", code: 137, signal: "SIGKILL" } },
    { kind: "running", failures: 1, sinceMs: 2 },
    { kind: "replacing", phase: "starting", failures: 1, sinceMs: 2 },
    { kind: "running", failures: 0, sinceMs: 3 },
    { kind: "failing", failures: 1 },
    { kind: "finished", outcome: { kind: "exited", code: 3 } },
    { kind: "idle" },
    { kind: "finished", outcome: { kind: "exited", code: 0 } },
    { kind: "backoff", failures: 1, outcome: { kind: "lost" } },
    { kind: "running", failures: 2, sinceMs: 4 },
  ];
  const told = states.flatMap((state) => marks.take({ kind: "state", service: "api", state }, 9) ?? []);
  deepStrictEqual(told.map(({ timeMs, name, severity, text }) => `${timeMs} ${name} ${severity} ${text}`), [
    "9 start info api runs",
    "9 crash error api ended (SIGKILL) and is started again",
    "9 restart warning api runs again after a failure",
    "9 swap info api is replaced by its new instance",
    "9 crash error api is not well and is ended",
    "9 crash error api ended (exit 3)",
    "9 end info api is done",
    "9 crash error api ended (exit unknown) and is started again",
    "9 restart warning api runs again after 2 failures",
  ]);
  deepStrictEqual(marks.take({ kind: "came", service: "api" }, 9), undefined);
});

Deno.test("of a service that is none any more nothing is known: the next one of its name starts anew", () => {
  const marks = new ServiceMarks();
  const runs: Notice = { kind: "state", service: "api", state: { kind: "running", failures: 0, sinceMs: 1 } };
  deepStrictEqual(marks.take(runs, 9)?.name, "start");
  deepStrictEqual(marks.take({ kind: "went", service: "api" }, 9), undefined);
  deepStrictEqual(marks.take(runs, 9)?.name, "start");
});
