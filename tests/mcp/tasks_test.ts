/** Tasks: calls that outlive their request. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type Answers,
  DEFAULT_LIMITS,
  defineTool,
  type Questions,
  type ToolContext,
  ToolError,
} from "../../lib/mcp/mod.ts";
import type { Call, Outcome } from "../../lib/mcp/calls.ts";
import { Tasks } from "../../lib/mcp/tasks.ts";
import { serve, stateless } from "./serving.ts";

const POLLS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** A call whose end is the test's. */
class FakeCall implements Call {
  readonly accepted = true;
  readonly input = {};
  readonly tool = defineTool({ name: "t", description: "", annotations: {}, run: () => ({ text: "" }) });
  readonly #end = Promise.withResolvers<Outcome>();
  readonly outcome = this.#end.promise;
  cancelled: unknown;
  to: Pick<ToolContext, "progress" | "ask"> | undefined;

  cancel(reason: unknown): void {
    this.cancelled = reason;
    this.#end.resolve({ kind: "cancelled" });
  }

  detach(to: Pick<ToolContext, "progress" | "ask">): void {
    this.to = to;
  }

  async end(outcome: Outcome): Promise<void> {
    this.#end.resolve(outcome);
    await this.outcome;
  }
}

/** Tasks with a clock of the test. */
function tasksAt(limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  const clock = { ms: 0 };
  let count = 0;
  const tasks = new Tasks({ ...DEFAULT_LIMITS, ...limits }, () => clock.ms, () => `id${++count}`);
  return { tasks, clock };
}

const QUESTION: Questions = { a: { method: "roots/list" }, b: { method: "roots/list" } };

Deno.test("a task works, and completes with its result", async () => {
  const { tasks, clock } = tasksAt();
  const call = new FakeCall();
  deepStrictEqual(tasks.adopt(call), {
    taskId: "id1",
    status: "working",
    createdAt: "1970-01-01T00:00:00.000Z",
    lastUpdatedAt: "1970-01-01T00:00:00.000Z",
    ttlMs: DEFAULT_LIMITS.taskMs,
    pollIntervalMs: 500,
  });
  clock.ms = 1000;
  call.to?.progress(1, 2);
  deepStrictEqual(tasks.get("id1")?.head.statusMessage, "1 of 2");
  strictEqual(tasks.get("id1")?.head.lastUpdatedAt, "1970-01-01T00:00:01.000Z");
  call.to?.progress(2, undefined, "linking");
  strictEqual(tasks.get("id1")?.head.statusMessage, "linking");
  await call.end({ kind: "result", result: { text: "built" } });
  deepStrictEqual(tasks.get("id1")?.state, { status: "completed", result: { text: "built" } });
});

Deno.test("a task that fails by a bug has failed, one that the tool ends has not", async () => {
  const { tasks } = tasksAt();
  const [bug, failed] = [new FakeCall(), new FakeCall()];
  tasks.adopt(bug);
  tasks.adopt(failed);
  await bug.end({ kind: "failed", message: "a bug" });
  await failed.end({ kind: "result", result: { text: "no", isError: true } });
  deepStrictEqual(tasks.get("id1")?.state, { status: "failed", message: "a bug" });
  strictEqual(tasks.get("id2")?.state.status, "completed");
});

Deno.test("a task that asks waits until all is answered, and tells what is open", async () => {
  const { tasks } = tasksAt();
  const call = new FakeCall();
  tasks.adopt(call);
  const answers = call.to!.ask(QUESTION);
  deepStrictEqual(tasks.get("id1")?.state, { status: "input_required", questions: QUESTION });
  ok(tasks.answer("id1", { a: { roots: [1] }, other: {} }));
  deepStrictEqual(tasks.get("id1")?.state, { status: "input_required", questions: { b: QUESTION.b } });
  ok(tasks.answer("id1", { b: { roots: [2] } }));
  deepStrictEqual(await answers, { a: { roots: [1] }, b: { roots: [2] } } satisfies Answers);
  strictEqual(tasks.get("id1")?.state.status, "working");
});

Deno.test("a task that is cancelled is so at once, and stays so; one that has ended stays as it ended", async () => {
  const { tasks } = tasksAt();
  const [running, ended] = [new FakeCall(), new FakeCall()];
  tasks.adopt(running);
  tasks.adopt(ended);
  await ended.end({ kind: "result", result: { text: "done" } });
  ok(tasks.cancel("id1") && tasks.cancel("id2"));
  strictEqual(tasks.get("id1")?.state.status, "cancelled");
  strictEqual(String(running.cancelled), "AbortError: The task was cancelled");
  strictEqual(tasks.get("id2")?.state.status, "completed");
  await call(running);
  strictEqual(tasks.get("id1")?.state.status, "cancelled");
  void tasks.answer("id1", {});
  strictEqual(tasks.get("id1")?.state.status, "cancelled");

  async function call(each: FakeCall) {
    await each.end({ kind: "result", result: { text: "too late" } });
  }
});

Deno.test("a task is there for its whole time, then it is gone and what still runs is cancelled", () => {
  const { tasks, clock } = tasksAt({ taskMs: 100 });
  const call = new FakeCall();
  tasks.adopt(call);
  clock.ms = 99;
  ok(tasks.get("id1"));
  clock.ms = 100;
  strictEqual(tasks.get("id1"), undefined);
  strictEqual(String(call.cancelled), "AbortError: The task's time is over");
  deepStrictEqual([tasks.cancel("id1"), tasks.answer("id1", {})], [false, false]);
});

Deno.test("at the limit a call does not become a task", () => {
  const { tasks, clock } = tasksAt({ tasks: 1, taskMs: 100 });
  ok(tasks.adopt(new FakeCall()));
  strictEqual(tasks.adopt(new FakeCall()), undefined);
  clock.ms = 100;
  ok(tasks.adopt(new FakeCall()));
});

/** A tool that ends when the test says so. */
function build(afterMs: number) {
  const gate = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const tool = defineTool({
    name: "build",
    description: "Builds",
    annotations: {},
    task: { afterMs },
    run: async (_, { signal, progress }) => {
      progress(1, 2, "compiling");
      signal.addEventListener("abort", () => stopped.resolve());
      await gate.promise;
      return { text: "built" };
    },
  });
  return { tool, open: () => gate.resolve(), stopped: stopped.promise };
}

Deno.test("a call that ends in time is answered itself, whoever asks", async () => {
  const { tool, open } = build(60_000);
  open();
  await using server = await serve([tool]);
  const { result } = await stateless(server.url, "tools/call", { name: "build", arguments: {} }, POLLS);
  deepStrictEqual([result.resultType, result.content[0].text], ["complete", "built"]);
});

Deno.test("a call with wrong arguments is answered itself", async () => {
  await using server = await serve([build(0).tool]);
  const { result } = await stateless(server.url, "tools/call", { name: "build", arguments: { a: 1 } }, POLLS);
  deepStrictEqual([result.resultType, result.isError], ["complete", true]);
});

Deno.test("a call that takes longer becomes a task that outlives its request", async () => {
  const { tool, open } = build(10);
  await using server = await serve([tool]);
  const begun = await stateless(server.url, "tools/call", { name: "build", arguments: {} }, POLLS);
  strictEqual(begun.result.resultType, "task");
  ok(!("content" in begun.result));
  const { taskId } = begun.result;
  const get = () => stateless(server.url, "tasks/get", { taskId }, POLLS);
  deepStrictEqual((await get()).result.status, "working");
  open();
  let last = await get();
  while (last.result.status === "working") last = await get();
  deepStrictEqual([last.result.status, last.result.result.content[0].text], ["completed", "built"]);
});

Deno.test("a task's handler is told when the task is cancelled", async () => {
  const { tool, stopped } = build(0);
  await using server = await serve([tool]);
  const { result } = await stateless(server.url, "tools/call", { name: "build", arguments: {} }, POLLS);
  const { taskId } = result;
  const cancelled = await stateless(server.url, "tasks/cancel", { taskId }, POLLS);
  deepStrictEqual(Object.keys(cancelled.result).sort(), ["_meta", "resultType"]);
  await stopped;
  strictEqual((await stateless(server.url, "tasks/get", { taskId }, POLLS)).result.status, "cancelled");
});

Deno.test("a client that does not poll waits, unless the tool insists", async () => {
  const { tool, open } = build(0);
  const insists = defineTool({
    name: "insists",
    description: "Only as a task",
    annotations: {},
    task: { afterMs: 0, required: true },
    run: () => {
      throw new ToolError("never");
    },
  });
  await using server = await serve([tool, insists]);
  open();
  const { result } = await stateless(server.url, "tools/call", { name: "build", arguments: {} });
  strictEqual(result.content[0].text, "built");
  const refused = await stateless(server.url, "tools/call", { name: "insists", arguments: {} });
  deepStrictEqual([refused.status, refused.error.code, refused.error.data.requiredCapabilities], [
    400,
    -32021,
    POLLS,
  ]);
});

Deno.test("tasks that nobody knows are refused by name, and so are clients that do not poll", async () => {
  await using server = await serve([build(0).tool]);
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    const unknown = await stateless(server.url, method, { taskId: "nope", inputResponses: {} }, POLLS);
    deepStrictEqual([unknown.error.code, unknown.error.message], [-32602, "Unknown task: nope"], method);
    const undeclared = await stateless(server.url, method, { taskId: "nope", inputResponses: {} });
    strictEqual(undeclared.error.code, -32021, method);
    const nameless = await stateless(server.url, method, {}, POLLS);
    ok(nameless.error !== undefined);
  }
});

Deno.test("at the limit of tasks a client that polls waits like others", async () => {
  const { tool, open } = build(0);
  await using server = await serve([tool], { limits: { tasks: 0 } });
  open();
  const { result } = await stateless(server.url, "tools/call", { name: "build", arguments: {} }, POLLS);
  deepStrictEqual([result.resultType, result.content[0].text], ["complete", "built"]);
});
