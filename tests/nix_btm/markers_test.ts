/** Which of the things that happen are marked on charts, and with which words. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Command, Job } from "../../lib/nix/mod.ts";
import { applyUpdate, emptyWorld, Markers, type Update } from "../../lib/nix_btm/mod.ts";

function command(more: Partial<Command> = {}): Command {
  return {
    id: 1,
    requester: { source: "socket", user: "alice", command: ["/usr/bin/nix", "build", ".#hello"] },
    startedMs: 1_000,
    endedMs: undefined,
    state: "running",
    targets: [],
    builds: { done: 0, expected: 1, running: 0, failed: 0 },
    problems: [],
    ...more,
  } as Command;
}

function job(more: Partial<Job> = {}): Job {
  return {
    id: 5,
    command: 1,
    kind: "build",
    subject: "/nix/store/x-hello.drv",
    name: "hello",
    host: "",
    state: { kind: "running" },
    startedMs: 2_000,
    endedMs: undefined,
    phases: [],
    ...more,
  } as Job;
}

function feeder(): (update: Update) => string[] {
  const markers = new Markers();
  const world = emptyWorld();
  return (update) => {
    applyUpdate(world, update);
    return markers.take(update, world).map(({ timeMs, severity, text }) => `${timeMs} ${severity} ${text}`);
  };
}

Deno.test("a command is marked once it has work, and when it ends with what it did", () => {
  const take = feeder();
  deepStrictEqual(take({ commands: [command()], jobs: [job({ state: { kind: "planned" } })] }), []);
  deepStrictEqual(take({ jobs: [job()] }), ["1000 info alice: nix build .#hello begins"]);
  deepStrictEqual(take({ jobs: [job()] }), []);
  const over = command({
    state: "succeeded",
    endedMs: 63_000,
    builds: { done: 2, expected: 2, running: 0, failed: 0 },
  });
  deepStrictEqual(take({ commands: [over] }), [
    "63000 info alice: nix build .#hello succeeded after 1m02s, 2 built",
  ]);
  deepStrictEqual(take({ commands: [over] }), []);
});

Deno.test("a command without work is marked only when it fails, with the reason; one that broke off is a warning", () => {
  const take = feeder();
  deepStrictEqual(take({ commands: [command({ state: "succeeded", endedMs: 1_100 })] }), []);
  const failed = { done: 0, expected: 1, running: 0, failed: 1 };
  const problems = [{ severity: "error", text: "error: no such attribute\n  at x", atMs: 0 }] as const;
  deepStrictEqual(
    take({ commands: [command({ id: 2, state: "failed", endedMs: 1_100, problems: [...problems] })] }),
    [
      "1100 error alice: nix build .#hello failed after 100ms: error: no such attribute",
    ],
  );
  const built = command({ id: 4, state: "failed", endedMs: 1_100, builds: failed, problems: [...problems] });
  deepStrictEqual(take({ commands: [built] }), ["1100 error alice: nix build .#hello failed after 100ms"]);
  take({ commands: [command({ id: 3 })], jobs: [job({ id: 6, command: 3, kind: "copy" })] });
  deepStrictEqual(take({ commands: [command({ id: 3, state: "lost", endedMs: 2_000 })] }), [
    "2000 warning alice: nix build .#hello lost after 1s",
  ]);
});

Deno.test("phases are marked when their build has run for some seconds, each once", () => {
  const take = feeder();
  const phases = [{ name: "unpackPhase", atMs: 2_100 }, { name: "checkPhase", atMs: 9_000 }];
  take({ commands: [command()], jobs: [job()] });
  deepStrictEqual(take({ jobs: [job({ phases })] }), ["9000 info hello: checkPhase"]);
  deepStrictEqual(take({ jobs: [job({ phases })] }), []);
  deepStrictEqual(take({ jobs: [job({ phases: [...phases, { name: "fixupPhase", atMs: 9_500 }] })] }), [
    "9500 info hello: fixupPhase",
  ]);
});

Deno.test("builds are marked with how they ended; a flood of successes is one mark, failures are all told", () => {
  const markers = new Markers();
  const end = (more: Partial<Job>, nowMs = 10_000) =>
    markers.buildEnded(job({ endedMs: 5_000, state: { kind: "succeeded" }, ...more }), nowMs)
      .map(({ severity, text, durationMs }) => `${severity} ${text} ${durationMs}`);
  deepStrictEqual(end({ host: "big" }), ["info hello built on big in 3s 3000"]);
  const failure = {
    kind: "exit",
    text: "builder for '/nix/store/x-hello.drv' failed with exit code 3",
    code: 3,
  } as const;
  deepStrictEqual(end({ state: { kind: "failed", failure }, phases: [{ name: "checkPhase", atMs: 1 }] }), [
    "error hello failed with exit code 3 after 3s in checkPhase 3000",
  ]);
  const signal = {
    kind: "signal",
    text: "builder for '/nix/store/x-hello.drv' failed due to signal 9 (Killed)",
    code: 9,
  } as const;
  deepStrictEqual(end({ state: { kind: "failed", failure: signal } }), [
    "error hello failed with signal 9 (Killed) after 3s 3000",
  ]);
  const other = { kind: "timeout", text: "timed out after 5 seconds" } as const;
  deepStrictEqual(end({ state: { kind: "failed", failure: other } }), [
    "error hello failed: timed out after 5 seconds 3000",
  ]);
  deepStrictEqual(end({ state: { kind: "lost" } }), ["warning hello lost after 3s 3000"]);
  deepStrictEqual([...end({ state: { kind: "skipped" } }), ...end({ startedMs: undefined })], []);
  const flood = Array.from({ length: 30 }, () => end({}, 10_500)).flat();
  strictEqual(flood.length, 9, "ten in a second");
  deepStrictEqual(markers.tick(10_999), []);
  deepStrictEqual(markers.tick(11_000).map(({ text, timeMs }) => [text, timeMs]), [
    ["21 more builds within a second", 11_000],
  ]);
  deepStrictEqual(markers.tick(12_000), []);
});
