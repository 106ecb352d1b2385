/** The scheduler's programs, event by event: what the running kernel brings about only now and then. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { SCHED_ROWS } from "../../lib/telemetry/bpf/sched.ts";
import { fuzzCount } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";
import { CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";
import { DEAD, FakeScheduler, RUNNING, SLEEPING } from "./fake_tasks.ts";

const NEEDS_BPF = { ignore: !CAN_LOAD_BPF };
const MS = 1e6;

/** Lets the kernel's clock go on. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) { /* The time is the point. */ }
}

Deno.test({
  name: "a task that was woken while it ran and then slept did not wait in its sleep",
  ...NEEDS_BPF,
  fn() {
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const task = scheduler.task({ pid: 7, start: 1, state: RUNNING });
    scheduler.switchTo(task, idle);
    scheduler.wakeUp(task);
    task.set({ state: SLEEPING });
    scheduler.switchTo(idle, task);
    spin(2);
    // It comes back, and the event that told why was lost.
    scheduler.switchTo(task, idle);
    deepStrictEqual([scheduler.count(SCHED_ROWS.runqueueLatency), scheduler.cpu("wait_ns")], [0, 0]);
    deepStrictEqual([scheduler.cpu("voluntary"), scheduler.cpu("involuntary")], [1, 0]);
    // Nor is the sleep, whose end is not known, told when it next waits.
    task.set({ state: RUNNING });
    scheduler.switchTo(idle, task, { preempt: true });
    scheduler.switchTo(task, idle);
    deepStrictEqual(
      [scheduler.count(SCHED_ROWS.runqueueLatency), scheduler.count(SCHED_ROWS.offcpu)],
      [1, 0],
    );
  },
});

Deno.test({
  name: "waiting counts from the wake-up or from the loss of the CPU, blocking from the sleep to the wake-up",
  ...NEEDS_BPF,
  fn() {
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const task = scheduler.task({ pid: 7, start: 1, state: RUNNING });
    scheduler.switchTo(task, idle);
    spin(2);
    scheduler.switchTo(idle, task, { preempt: true });
    spin(3);
    scheduler.switchTo(task, idle);
    const preempted = scheduler.cpu("wait_ns");
    ok(preempted >= 3 * MS, `${preempted} ns after it had lost the CPU`);
    strictEqual(scheduler.count(SCHED_ROWS.offcpu), 0);

    task.set({ state: SLEEPING });
    scheduler.switchTo(idle, task);
    spin(20);
    task.set({ state: RUNNING });
    const before = performance.now();
    scheduler.wakeUp(task);
    spin(1);
    scheduler.switchTo(task, idle);
    const since = (performance.now() - before) * MS;
    const woken = scheduler.cpu("wait_ns") - preempted;
    ok(woken >= MS && woken <= since, `${woken} ns, ${since} ns after its wake-up`);
    deepStrictEqual(
      [SCHED_ROWS.runqueueLatency, SCHED_ROWS.running, SCHED_ROWS.offcpu].map((row) => scheduler.count(row)),
      [2, 2, 1],
    );
    deepStrictEqual([scheduler.cpu("voluntary"), scheduler.cpu("involuntary")], [1, 1]);
  },
});

Deno.test({
  name: "a task that gets its slot after its exit gets it as exited",
  ...NEEDS_BPF,
  fn() {
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const task = scheduler.task({ pid: 7, tgid: 7, start: 1, state: RUNNING, comm: "short" });
    scheduler.wakeUp(task, { isNew: true });
    scheduler.switchTo(task, idle);
    scheduler.exit(task);
    strictEqual(scheduler.slot(0, "start_ns"), 0, "it has used no time yet");
    task.set({ state: DEAD, runtime: 5 * MS });
    scheduler.switchTo(idle, task);
    strictEqual(scheduler.slot(0, "start_ns"), 1);
    ok(scheduler.slot(0, "exit_ns") > 0, "it is told when it exited");
    deepStrictEqual([scheduler.slot(0, "user_ns"), scheduler.cpu("exited_ns")], [5 * MS, 5 * MS]);
  },
});

Deno.test({
  name: "a task that is long in leaving does not write into its slot once that was taken back",
  ...NEEDS_BPF,
  fn() {
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const leaving = scheduler.task({ pid: 7, tgid: 7, start: 1, state: RUNNING, runtime: MS });
    scheduler.switchTo(leaving, idle);
    scheduler.switchTo(idle, leaving, { preempt: true });
    deepStrictEqual([scheduler.slot(0, "start_ns"), scheduler.slot(0, "exit_ns")], [1, 0]);
    scheduler.switchTo(leaving, idle);
    scheduler.exit(leaving);
    ok(scheduler.slot(0, "exit_ns") > 0);

    scheduler.release(0);
    leaving.set({ runtime: 2 * MS });
    scheduler.switchTo(idle, leaving, { preempt: true });
    deepStrictEqual([scheduler.slot(0, "start_ns"), scheduler.slot(0, "user_ns")], [0, 0]);

    const next = scheduler.task({ pid: 8, tgid: 8, start: 2, state: RUNNING });
    scheduler.wakeUp(next, { isNew: true });
    scheduler.switchTo(next, idle);
    next.set({ runtime: 3 * MS });
    scheduler.switchTo(leaving, next, { preempt: true });
    deepStrictEqual([scheduler.slot(0, "start_ns"), scheduler.slot(0, "user_ns")], [2, 3 * MS]);
    leaving.set({ state: DEAD, runtime: 9 * MS });
    scheduler.switchTo(next, leaving);
    deepStrictEqual([scheduler.slot(0, "start_ns"), scheduler.slot(0, "user_ns")], [2, 3 * MS]);
    strictEqual(scheduler.cpu("exited_ns"), 9 * MS, "its time is counted all the same");
  },
});

Deno.test({
  name: "a pid that is used again inherits neither time nor waiting",
  ...NEEDS_BPF,
  fn() {
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const task = scheduler.task({ pid: 7, tgid: 7, start: 1, state: RUNNING });
    scheduler.wakeUp(task, { isNew: true });
    scheduler.switchTo(task, idle);
    task.set({ runtime: 4 * MS });
    scheduler.switchTo(idle, task, { preempt: true });
    strictEqual(scheduler.cpu("user_ns"), 4 * MS);
    const waited = scheduler.cpu("wait_ns");
    const again = scheduler.task({ pid: 7, tgid: 7, start: 2, state: RUNNING });
    scheduler.switchTo(again, idle);
    strictEqual(scheduler.cpu("wait_ns"), waited, "it was the first one that waits");
    again.set({ runtime: MS });
    scheduler.switchTo(idle, again, { preempt: true });
    deepStrictEqual([scheduler.slot(0, "user_ns"), scheduler.slot(1, "user_ns")], [4 * MS, MS]);
  },
});

Deno.test({
  name: "user and system time are the exact time in the ratio of the sampled ones, and never shrink",
  ...NEEDS_BPF,
  fn() {
    const seed = testSeed();
    const random = seededRandom(seed);
    using scheduler = new FakeScheduler();
    const { idle } = scheduler;
    const task = scheduler.task({ pid: 7, tgid: 7, start: 1, state: RUNNING });
    scheduler.wakeUp(task, { isNew: true });
    let [runtime, utime, stime, user, system] = [0, 0, 0, 0, 0];
    for (let round = 0; round < fuzzCount(2_000); round++) {
      runtime += Number(random.bigint(random.below(38)));
      if (random.below(2) === 0) utime += 4 * MS * random.below(20);
      else stime += 4 * MS * random.below(20);
      task.set({ runtime, utime, stime });
      scheduler.switchTo(idle, task, { preempt: true });
      const [newUser, newSystem] = [scheduler.cpu("user_ns"), scheduler.cpu("system_ns")];
      const what = `seed ${seed}, round ${round}: runtime ${runtime}, utime ${utime}, stime ${stime}`;
      strictEqual(newUser + newSystem, runtime, what);
      ok(newUser >= user && newSystem >= system, what);
      // kernel/sched/cputime.c, cputime_adjust(): the share, as far as neither part shrinks.
      const share = stime === 0 ? 0 : utime === 0 ? runtime : runtime * (stime / (utime + stime));
      const expected = Math.min(Math.max(share, system), runtime - user);
      ok(Math.abs(newSystem - expected) <= 1 + runtime * 2 ** -23, `${what}: ${newSystem}, not ${expected}`);
      [user, system] = [newUser, newSystem];
    }
  },
});
