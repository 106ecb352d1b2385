/** Logs together: what is one command, and how builds end. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  ACTIVITY,
  BOUNDS,
  type Command,
  cutMiddle,
  cutText,
  type Job,
  labelText,
  LogReader,
  NixState,
  RESULT,
} from "../../lib/nix/mod.ts";

const DRV = (name: string) => `/nix/store/${"0".repeat(32)}-${name}.drv`;

/** A log that is written line by line. */
class Log {
  readonly #state: NixState;
  readonly #id: number;
  readonly #reader: LogReader;
  nowMs = 0;

  constructor(state: NixState, uid?: number) {
    this.#state = state;
    this.#id = state.open({ source: "socket", uid }, 0);
    this.#reader = new LogReader((record) => state.apply(this.#id, record, ++this.nowMs));
  }

  record(value: Record<string, unknown>): this {
    this.#reader.push(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
    return this;
  }

  text(line: string): this {
    this.#reader.push(new TextEncoder().encode(`${line}\n`));
    return this;
  }

  start(id: number, type: number, fields: readonly unknown[] = [], text = ""): this {
    return this.record({ action: "start", fields, id, level: 3, text, type });
  }

  stop(...ids: number[]): this {
    for (const id of ids) this.record({ action: "stop", id });
    return this;
  }

  progress(id: number, ...fields: number[]): this {
    return this.record({ action: "result", fields, id, type: RESULT.progress });
  }

  message(msg: string, isOwn = false): this {
    return this.record({ action: "msg", level: 0, msg, ...(isOwn ? { raw_msg: msg } : {}) });
  }

  /** A request begins: Realise 1, Builds 2, CopyPaths 3. */
  request(): this {
    return this.start(1, ACTIVITY.realise).start(2, ACTIVITY.builds).start(3, ACTIVITY.copyPaths);
  }

  build(id: number, name: string, host = ""): this {
    return this.start(id, ACTIVITY.build, [DRV(name), host, 1, 1], `building '${DRV(name)}'`);
  }

  close(exitCode?: number): void {
    this.#reader.end();
    this.#state.close(this.#id, ++this.nowMs, exitCode);
  }

  get command(): Command {
    return this.#state.commandOf(this.#id);
  }
}

function jobs(state: NixState): Record<string, Job["state"]["kind"]> {
  return Object.fromEntries([...state.jobs.values()].map((job) => [job.name, job.state.kind]));
}

const only = (state: NixState): Command => {
  strictEqual(state.commands.size, 1);
  return [...state.commands.values()][0]!;
};

Deno.test("a build is done when the count says so, before its end or after it", () => {
  for (const isBefore of [true, false]) {
    const state = new NixState();
    const log = new Log(state).request().build(10, "a");
    strictEqual(jobs(state).a, "running");
    if (isBefore) log.progress(2, 1, 1, 0, 0).stop(10);
    else log.stop(10).progress(2, 1, 1, 0, 0);
    strictEqual(jobs(state).a, "succeeded");
  }
});

Deno.test("a result of a kind that nobody knows is no progress, and an activity of such a kind no build", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a").start(11, 999, [DRV("b"), "", 1, 1]);
  for (const id of [2, 10, 11]) log.record({ action: "result", fields: [1, 1, 0, 0], id, type: 999 });
  log.stop(11);
  deepStrictEqual(log.command.builds, { done: 0, expected: 0, running: 0, failed: 0 });
  strictEqual(jobs(state).a, "running");
  strictEqual([...state.jobs.values()].filter(({ kind }) => kind === "build").length, 1);
});

Deno.test("an end alone tells nothing, until somebody finds the outputs", () => {
  const state = new NixState();
  new Log(state).request().progress(2, 0, 2, 1, 0).build(10, "a").stop(10);
  strictEqual(jobs(state).a, "ended");
  const [job] = [...state.jobs.values()];
  state.confirm(job!, false);
  strictEqual(jobs(state).a, "ended");
  state.confirm(job!, true);
  strictEqual(jobs(state).a, "succeeded");
});

Deno.test("a count that belongs to no end is of no later build", () => {
  const state = new NixState();
  new Log(state).request().progress(2, 1, 3, 0, 0).build(10, "a").stop(10);
  strictEqual(jobs(state).a, "ended");
});

Deno.test("a failure that a builder may have printed counts only where the count agrees", () => {
  const text = `error: builder for '${DRV("a")}' failed with exit code 1`;
  const denied = new NixState();
  new Log(denied).request().build(10, "a").message(text).progress(2, 1, 1, 0, 0).stop(10).stop(3, 2, 1)
    .close();
  deepStrictEqual([jobs(denied).a, only(denied).state], ["succeeded", "succeeded"]);
  const true_ = new NixState();
  new Log(true_).request().build(10, "a").progress(2, 0, 0, 0, 1).message(text).stop(10).stop(3, 2, 1)
    .close();
  deepStrictEqual([jobs(true_).a, only(true_).state], ["failed", "failed"]);
});

Deno.test("with --keep-going what failed, what needs it and what goes on are told apart", () => {
  const state = new NixState();
  const log = new Log(state).request();
  log.text("").message("these 3 derivations will be built:").message(`  ${DRV("bad")}`).message(
    `  ${DRV("needs-bad")}`,
  )
    .message(`  ${DRV("good")}`);
  log.build(10, "bad").build(11, "good").progress(2, 0, 3, 1, 1)
    .message(`error: builder for '${DRV("bad")}' failed with exit code 2`, true).stop(10);
  log.message(`error: 1 dependencies of derivation '${DRV("needs-bad")}' failed to build`, true);
  log.progress(2, 1, 3, 0, 1).stop(11).stop(3, 2, 1).close();
  deepStrictEqual(jobs(state), { bad: "failed", "needs-bad": "failed", good: "succeeded" });
  const bad = [...state.jobs.values()].find(({ name }) => name === "bad")!;
  deepStrictEqual(bad.state, {
    kind: "failed",
    failure: { kind: "exit", text: `builder for '${DRV("bad")}' failed with exit code 2`, code: 2 },
  });
  const needs = [...state.jobs.values()].find(({ name }) => name === "needs-bad")!;
  deepStrictEqual(needs.state.kind === "failed" && needs.state.failure.kind, "dependency");
});

Deno.test("the end of a failed build that is told late takes nothing from those that are done meanwhile", () => {
  for (const isOwn of [true, false]) {
    const state = new NixState();
    const log = new Log(state).request().build(10, "bad").build(11, "good");
    log.progress(2, 0, 2, 1, 1).message(`error: builder for '${DRV("bad")}' failed with exit code 2`, isOwn);
    log.progress(2, 1, 2, 0, 1).stop(10).stop(11).stop(3, 2, 1).close();
    deepStrictEqual(jobs(state), { bad: "failed", good: "succeeded" }, String(isOwn));
  }
});

Deno.test("a build that begins once more runs again, and has no end before it has", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a").stop(10);
  strictEqual(jobs(state).a, "ended");
  log.build(11, "a");
  const [job] = [...state.jobs.values()];
  deepStrictEqual([state.jobs.size, job!.state.kind, job!.endedMs], [1, "running", undefined]);
  log.progress(2, 1, 1, 0, 0);
  strictEqual(jobs(state).a, "running");
  log.stop(11);
  strictEqual(jobs(state).a, "succeeded");
});

Deno.test("an interrupt cancels what ended without a count, and what never began", () => {
  const state = new NixState();
  new Log(state).request().message("these 2 derivations will be built:").message(`  ${DRV("a")}`).message(
    `  ${DRV("b")}`,
  )
    .build(10, "a").stop(10).stop(3, 2, 1).message("error: interrupted by the user", true).close();
  deepStrictEqual([jobs(state), only(state).state], [{ a: "cancelled", b: "cancelled" }, "interrupted"]);
});

Deno.test("a log that breaks off leaves nothing running, and says so", () => {
  const state = new NixState();
  new Log(state).request().build(10, "a").start(11, ACTIVITY.copyPath, ["/nix/store/x", "http://c", "local"])
    .close();
  deepStrictEqual([Object.values(jobs(state)), only(state).state], [["lost", "lost"], "lost"]);
});

Deno.test("an exit code has the last word", () => {
  for (const [code, expected] of [[0, "succeeded"], [1, "failed"]] as const) {
    const state = new NixState();
    new Log(state).text(`building '${DRV("a")}'...`).close(code);
    deepStrictEqual([jobs(state).a, only(state).state], [code === 0 ? "succeeded" : "ended", expected]);
  }
});

Deno.test("the client's log and its daemon's are one command: each build, line and phase once", () => {
  const state = new NixState();
  const daemon = new Log(state);
  const client = new Log(state);
  const both = (write: (log: Log) => void) => [daemon, client].forEach(write);
  client.start(5, ACTIVITY.unknown, [], "evaluating derivation '.#x'").stop(5);
  both((log) => log.request().build(10, "a"));
  both((log) =>
    log.record({ action: "result", fields: ["buildPhase"], id: 10, type: RESULT.setPhase })
      .record({ action: "result", fields: ["a line"], id: 10, type: RESULT.buildLogLine })
  );
  strictEqual(only(state), client.command);
  both((log) => log.progress(2, 1, 1, 0, 0).stop(10).stop(3, 2, 1));
  const [job] = [...state.jobs.values()].filter(({ kind }) => kind === "build");
  deepStrictEqual([job!.lineCount, job!.phases.length, job!.state.kind], [1, 1, "succeeded"]);
  daemon.close();
  strictEqual(only(state).state, "running");
  client.close();
  deepStrictEqual([only(state).state, only(state).targets, only(state).builds.done], [
    "succeeded",
    [".#x"],
    1,
  ]);
});

Deno.test("where one of the two logs breaks off the other one goes on", () => {
  const state = new NixState();
  const [daemon, client] = [new Log(state), new Log(state)];
  for (const log of [daemon, client]) log.request().build(10, "a");
  daemon.close();
  strictEqual(jobs(state).a, "running");
  client.record({ action: "result", fields: ["more"], id: 10, type: RESULT.buildLogLine });
  client.progress(2, 1, 1, 0, 0).stop(10).stop(3, 2, 1).close();
  const [job] = [...state.jobs.values()];
  deepStrictEqual([job!.state.kind, job!.tail], ["succeeded", ["more"]]);
});

Deno.test("equal ids of different things are different things", () => {
  const state = new NixState();
  const [one, other] = [new Log(state), new Log(state)];
  one.request().build(10, "a");
  other.start(1, ACTIVITY.realise).start(2, ACTIVITY.builds).start(
    10,
    ACTIVITY.build,
    [DRV("b"), "", 1, 1],
    "b",
  );
  deepStrictEqual(Object.keys(jobs(state)).sort(), ["a", "b"]);
});

Deno.test("a remote build that its own daemon tells too is one, and ends with the outer one", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a", "ssh-ng://m");
  log.start(21, ACTIVITY.realise).start(22, ACTIVITY.builds).build(20, "a");
  log.record({ action: "result", fields: ["buildPhase"], id: 20, type: RESULT.setPhase });
  log.progress(22, 1, 1, 0, 0).stop(20).stop(22, 21);
  strictEqual(jobs(state).a, "running");
  log.progress(2, 1, 1, 0, 0).stop(10);
  const [job] = [...state.jobs.values()];
  deepStrictEqual([job!.state.kind, job!.host, job!.phases.length], ["succeeded", "ssh-ng://m", 1]);
  deepStrictEqual(log.command.builds.done, 1);
});

Deno.test("a build that waits says for what, and is skipped when another one has built it", () => {
  const state = new NixState();
  const log = new Log(state).request().message("this derivation will be built:").message(`  ${DRV("a")}`);
  log.start(9, ACTIVITY.buildWaiting, [], `waiting for lock on \x1b[35;1m'${DRV("a")}'\x1b[0m`);
  const [job] = [...state.jobs.values()];
  deepStrictEqual(job!.state, { kind: "waiting", why: "waiting for lock on", sinceMs: log.nowMs });
  log.stop(9);
  strictEqual(jobs(state).a, "planned");
  log.stop(3, 2, 1).close();
  deepStrictEqual([jobs(state).a, only(state).state], ["skipped", "succeeded"]);
});

Deno.test("a lock is told by the output that it is on: the build is found by what makes that, else by its name", () => {
  const output = `/nix/store/${"1".repeat(32)}-a`;
  for (const listener of [{}, { derivationOf: (path: string) => path === output ? DRV("a") : undefined }]) {
    const state = new NixState(listener);
    const log = new Log(state).request().message("this derivation will be built:").message(`  ${DRV("a")}`);
    log.start(9, ACTIVITY.buildWaiting, [], `waiting for lock on \x1b[35;1m'${output}'\x1b[0m`);
    strictEqual(jobs(state).a, "waiting");
    log.stop(9);
    strictEqual(jobs(state).a, "planned");
  }
});

Deno.test("requests one after the other add up", () => {
  const state = new NixState();
  const log = new Log(state);
  log.request().progress(2, 2, 2, 0, 0).stop(3, 2, 1);
  log.request().progress(2, 1, 4, 1, 0);
  deepStrictEqual(log.command.builds, { done: 3, expected: 6, running: 1, failed: 0 });
});

Deno.test("Determinate Nix says itself how a build ended", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a").build(11, "b");
  const result = (name: string, more: Record<string, unknown>) =>
    log.record({
      action: "result",
      id: 1,
      payload: { path: { drvPath: DRV(name) }, ...more },
      type: RESULT.buildResult,
    });
  result("a", { status: "Built" });
  result("b", { status: "PermanentFailure", errorMsg: "no" });
  log.stop(10).stop(11);
  deepStrictEqual(jobs(state), { a: "succeeded", b: "failed" });
});

Deno.test("a second round that checks the outputs is a build of its own", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a").progress(2, 1, 1, 0, 0).stop(10);
  log.start(11, ACTIVITY.build, [DRV("a"), "", 1, 1], `checking outputs of '${DRV("a")}'`);
  log.message(`error: derivation '${DRV("a")}' may not be deterministic: output differs`, true).stop(11);
  deepStrictEqual([...state.jobs.values()].map((job) => job.state.kind), ["succeeded", "failed"]);
});

Deno.test("what changed is told once, and jobs that are over go when there are too many", () => {
  const state = new NixState();
  const log = new Log(state).request();
  strictEqual(state.changes().commands.length, 1);
  deepStrictEqual(state.changes(), { commands: [], jobs: [], removedJobs: [], removedCommands: [] });
  for (let at = 0; at < 10_010; at++) {
    log.build(100 + at, `n${at}`).progress(2, at + 1, 0, 0, 0).stop(100 + at);
  }
  strictEqual(state.jobs.size, 10_000);
  const { jobs: changed, removedJobs } = state.changes();
  deepStrictEqual([changed.length, removedJobs.length], [10_000, 10]);
});

Deno.test("builds that were forgotten do not come back with the end of their command", () => {
  const state = new NixState();
  const log = new Log(state).request();
  for (let at = 0; at < 10_010; at++) log.build(100, `n${at}`).stop(100);
  strictEqual(state.jobs.size, 10_000);
  log.close(0);
  strictEqual(state.jobs.size, 10_000);
  deepStrictEqual(new Set(Object.values(jobs(state))), new Set(["succeeded"]));
});

Deno.test("of builds whose ends nobody counts the last thousand wait for it", () => {
  const state = new NixState();
  const log = new Log(state).request();
  for (let at = 0; at < 1_500; at++) log.build(100, `n${at}`).stop(100);
  log.progress(2, 1_500, 1_500, 0, 0);
  deepStrictEqual([jobs(state)["n499"], jobs(state)["n500"]], ["ended", "succeeded"]);
});

Deno.test("of one command so many builds are known, and of all commands so many jobs", () => {
  const state = new NixState();
  const logs = [1, 2, 3].map((uid) => new Log(state, uid).request());
  for (const [index, log] of logs.entries()) {
    const paths = Array.from({ length: BOUNDS.builds + 10 }, (_, at) => `  ${DRV(`${index}-${at}`)}`);
    log.message(["these derivations will be built:", ...paths].join("\n"));
  }
  strictEqual(state.jobs.size, 2 * BOUNDS.builds);
  logs[0]!.close();
  strictEqual(state.jobs.size, BOUNDS.builds + 10_000);
  logs[2]!.build(10, "2-7");
  strictEqual(jobs(state)["2-7"], "running");
});

Deno.test("another user's log is no second log of a command, that of Nix' daemon is", () => {
  const state = new NixState();
  const client = new Log(state, 1_000).request().build(10, "a");
  const other = new Log(state, 1_001).build(10, "a");
  strictEqual(state.commands.size, 2);
  other.message(`error: builder for '${DRV("a")}' failed with exit code 1`, true).stop(10).close();
  strictEqual(client.command.problems.length, 0);
  const daemon = new Log(state, 0).build(10, "a");
  deepStrictEqual(daemon.command, client.command);
  client.stop(10).progress(2, 1, 1, 0, 0);
  deepStrictEqual([...state.jobs.values()].map(({ state }) => state.kind).sort(), ["failed", "succeeded"]);
});

Deno.test("when the clock is set, what goes on has begun so much later", () => {
  const state = new NixState();
  const log = new Log(state).request().build(10, "a").build(11, "b");
  log.record({ action: "result", id: 10, type: RESULT.setPhase, fields: ["buildPhase"] });
  log.start(12, ACTIVITY.buildWaiting, [], `waiting for a machine to build '${DRV("c")}'`);
  log.stop(11);
  const times = () => ({
    command: log.command.startedMs,
    jobs: [...state.jobs.values()].map(({ startedMs, phases, state }) => [
      startedMs,
      phases[0]?.atMs,
      state.kind === "waiting" ? state.sinceMs : undefined,
    ]),
  });
  deepStrictEqual(times(), {
    command: 0,
    jobs: [[4, 6, undefined], [5, undefined, undefined], [undefined, undefined, 7]],
  });
  state.changes();
  state.shift(1_000);
  deepStrictEqual(times(), {
    command: 1_000,
    jobs: [[1_004, 1_006, undefined], [5, undefined, undefined], [undefined, undefined, 1_007]],
  });
  deepStrictEqual(state.changes().jobs.map(({ name }) => name), ["a", "c"]);
});

Deno.test("whatever is said, only so much of it is kept", () => {
  const state = new NixState();
  const long = (character: string) => character.repeat(100_000);
  const log = new Log(state).request().start(10, ACTIVITY.build, [DRV(long("a")), long("h"), 1, 1]);
  for (let at = 0; at < 300; at++) {
    log.record({ action: "result", id: 10, type: RESULT.setPhase, fields: [`${at} ${long("p")}`] });
    log.record({ action: "result", id: 10, type: RESULT.buildLogLine, fields: [`${at} ${long("l")}`] });
    log.message(`error: ${at} ${long("e")}`, true);
    log.start(100 + at, ACTIVITY.unknown, [], `evaluating derivation '${at} ${long("t")}'`);
  }
  const [job] = [...state.jobs.values()];
  deepStrictEqual([job!.subject.length, job!.name.length, job!.host.length], Array(3).fill(BOUNDS.subject));
  deepStrictEqual([job!.phases.length, job!.phases.at(-1)!.name.slice(0, 5)], [BOUNDS.phases, "299 p"]);
  deepStrictEqual(job!.tail.map(({ length }) => length), Array(100).fill(BOUNDS.line));
  const { problems, targets } = only(state);
  deepStrictEqual(problems.map(({ text }) => text.length), Array(4).fill(BOUNDS.problem));
  deepStrictEqual([targets.length, targets[0]!.length], [BOUNDS.targets, BOUNDS.subject]);
  log.stop(10);
  strictEqual(job!.endedMs === undefined, false, "what was cut is found again");
});

Deno.test("cutText(): what is short enough stays as it is, what is not ends in an ellipsis", () => {
  strictEqual(cutText("four", 4), "four");
  strictEqual(cutText("fives", 4), "fiv…");
});

Deno.test("cutMiddle(): what is too long has its begin and its end, and says how long it was", () => {
  strictEqual(cutMiddle("short", 5), "short");
  const cut = cutMiddle(`begin${"x".repeat(90)}end`, 40);
  strictEqual(cut, "beginxxx\n[… of 98 characters …]\nxxxxxend");
  strictEqual(cut.length, 40);
});

Deno.test("names of every kind are one line, and no terminal obeys them", () => {
  const state = new NixState();
  const evil = "x\x1b]0;title\x07\n::error::forged";
  const log = new Log(state).request().build(10, evil, evil);
  log.record({ action: "result", id: 10, type: RESULT.setPhase, fields: [evil] });
  log.start(11, ACTIVITY.unknown, [], `evaluating derivation '${evil.replace("\n", "\r")}'`);
  const [job] = [...state.jobs.values()];
  const texts = [job!.subject, job!.name, job!.host, job!.phases[0]!.name, ...only(state).targets];
  deepStrictEqual([texts.length, texts.filter((text) => /\p{Cc}/u.test(text))], [5, []]);
  strictEqual(job!.host, labelText(evil, 100));
  log.stop(10);
  strictEqual(job!.endedMs === undefined, false);
});
