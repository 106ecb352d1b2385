import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { Pidfd } from "../../ffi/sys/mod.ts";
import {
  abortable,
  aborted,
  deadline,
  LONGEST_WAIT_MS,
  NATIVE_WAIT_LIMIT,
  NativeWaits,
  nativeWaits,
  sleep,
  TaskGroup,
  waitForExit,
} from "../../lib/async/mod.ts";

/** Ends only when told to, with the reason. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

Deno.test("TaskGroup: leaving the block waits for all tasks, also for those started by tasks", async () => {
  const log: string[] = [];
  {
    await using group = new TaskGroup();
    group.start(async () => {
      await Promise.resolve();
      group.start(async () => {
        await sleep(1);
        log.push("inner");
      });
      log.push("outer");
    });
    log.push("body");
  }
  deepStrictEqual(log, ["body", "outer", "inner"]);
});

Deno.test("TaskGroup: the first failure aborts the others and is what leaving throws", async () => {
  const failure = new Error("broken");
  let aborted: unknown;
  await rejects(async () => {
    await using group = new TaskGroup();
    group.start((signal) =>
      untilAborted(signal).catch((error) => {
        aborted = error;
        throw error;
      })
    );
    group.start(() => Promise.reject(failure));
  }, failure);
  strictEqual(aborted, failure);
});

Deno.test("TaskGroup: failures of the abort itself are all told", async () => {
  await rejects(async () => {
    await using group = new TaskGroup();
    group.start((signal) => untilAborted(signal).catch(() => Promise.reject(new Error("second"))));
    group.start(() => Promise.reject(new Error("first")));
  }, (error: AggregateError) => {
    deepStrictEqual([error.message, error.errors.map(({ message }) => message)], [
      "first; second",
      ["first", "second"],
    ]);
    return true;
  });
});

Deno.test("TaskGroup: ending as the parent asked is no failure, and neither is abort()", async () => {
  const parent = new AbortController();
  {
    await using group = new TaskGroup(parent.signal);
    group.start(untilAborted);
    parent.abort();
    strictEqual(group.signal.aborted, true);
  }
  await using group = new TaskGroup();
  group.start(untilAborted);
  group.abort();
});

Deno.test("TaskGroup.run(): gives the body's value, and a body that throws ends its tasks", async () => {
  strictEqual(await TaskGroup.run(undefined, () => Promise.resolve(7)), 7);
  let ended = false;
  await rejects(
    TaskGroup.run(undefined, (group) => {
      group.start((signal) => untilAborted(signal).finally(() => ended = true));
      return Promise.reject(new Error("body"));
    }),
    /body/,
  );
  strictEqual(ended, true);
});

Deno.test("TaskGroup: nothing starts in a group that has ended", async () => {
  const group = new TaskGroup();
  await group[Symbol.asyncDispose]();
  throws(() => group.start(() => Promise.resolve()), /its group has ended/);
});

Deno.test("sleep(): ends after its time, or at once with the signal's reason", async () => {
  let ticked = false;
  setTimeout(() => ticked = true, 0);
  await sleep(2);
  strictEqual(ticked, true);
  await rejects(sleep(60_000, { signal: AbortSignal.abort(new Error("at once")) }), /at once/);
  const controller = new AbortController();
  const sleeping = sleep(60_000, { signal: controller.signal });
  controller.abort(new Error("woken"));
  await rejects(sleeping, /woken/);
  await rejects(
    sleep(LONGEST_WAIT_MS + 1),
    /Cannot wait for 2147483648 ms: a timer holds at most 2147483647/,
  );
});

Deno.test("deadline(): fires at its limit, or with its parent, and stops its timer", async () => {
  const parent = new AbortController();
  {
    using limit = deadline(1, parent.signal);
    await rejects(untilAborted(limit.signal), {
      name: "TimeoutError",
      message: "Time limit of 1 ms is over",
    });
  }
  using late = deadline(60_000, parent.signal);
  using alone = deadline(60_000);
  parent.abort(new Error("parent"));
  throws(() => late.signal.throwIfAborted(), /parent/);
  strictEqual(alone.signal.aborted, false);
  throws(() => deadline(LONGEST_WAIT_MS + 1), /Cannot wait for 2147483648 ms/);
});

Deno.test("NativeWaits: at the limit a wait is refused, by the names of those that wait", async () => {
  const waits = new NativeWaits(2);
  const first = Promise.withResolvers<number>();
  const running = [waits.run("doorbell", () => first.promise), waits.run("exit", () => first.promise)];
  deepStrictEqual(waits.names, ["doorbell", "exit"]);
  await rejects(waits.run("third", () => Promise.resolve(0)), {
    name: "RangeError",
    message: "Cannot wait for third: all 2 native waits are taken by doorbell, exit",
  });
  first.resolve(3);
  deepStrictEqual(await Promise.all(running), [3, 3]);
  await rejects(waits.run("fails", () => Promise.reject(new Error("no"))), /no/);
  deepStrictEqual(waits.names, []);
  strictEqual(NATIVE_WAIT_LIMIT, 16);
});

Deno.test("waitForExit(): is counted as a native wait and ends with the signal's reason", async () => {
  const child = new Deno.Command("/bin/sleep", { args: ["1000"] }).spawn();
  using pidfd = Pidfd.open(child.pid);
  const controller = new AbortController();
  const waiting = waitForExit(pidfd, { signal: controller.signal });
  deepStrictEqual(nativeWaits.names, [`exit of process ${child.pid}`]);
  controller.abort(new Error("enough"));
  await rejects(waiting, /enough/);
  deepStrictEqual(nativeWaits.names, []);
  pidfd.signal("SIGKILL");
  await waitForExit(pidfd);
  await child.status;
});

Deno.test("aborted(): resolves when the signal fires, or has", async () => {
  const controller = new AbortController();
  const order: string[] = [];
  const waiting = aborted(controller.signal).then(() => order.push("fired"));
  await Promise.resolve();
  order.push("before");
  controller.abort();
  await waiting;
  await aborted(controller.signal);
  deepStrictEqual(order, ["before", "fired"]);
});

Deno.test("abortable() gives what a promise comes to, and leaves at once when its signal fires", async () => {
  const controller = new AbortController();
  strictEqual(await abortable(Promise.resolve(1), controller.signal), 1);
  const left = abortable(new Promise(() => {}), controller.signal);
  controller.abort(new Error("gone"));
  await rejects(left, /gone/);
  await rejects(abortable(Promise.resolve(1), controller.signal), /gone/);
});
