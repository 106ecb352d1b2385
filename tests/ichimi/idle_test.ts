/** When a daemon has nothing to do any more. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Idle } from "../../lib/ichimi/idle.ts";
import { Daemon } from "../../lib/ichimi/mod.ts";
import { Site } from "./_site.ts";

/** A clock that stands: what is to happen later happens when it is told to. */
class Clock {
  /** Told of each change. */
  changed: () => void = () => {};
  readonly #waiting = new Set<() => void>();

  readonly later = (run: () => void): () => void => {
    this.#waiting.add(run);
    this.changed();
    return () => {
      this.#waiting.delete(run);
      this.changed();
    };
  };

  get waiting(): number {
    return this.#waiting.size;
  }

  pass(): void {
    for (const run of [...this.#waiting]) run();
  }

  /** Resolves when so many wait. */
  async until(count: number): Promise<void> {
    while (this.waiting !== count) await new Promise<void>((resolve) => this.changed = resolve);
  }
}

Deno.test("a timer runs only while there is no reason to stay, one at a time", () => {
  const clock = new Clock();
  let isNeeded = true;
  const waiting: number[] = [];
  using idle = new Idle({ forMs: 1, isNeeded: () => isNeeded, later: clock.later });
  for (const needed of [true, false, false, true, true, false]) {
    isNeeded = needed;
    idle.look();
    waiting.push(clock.waiting);
  }
  deepStrictEqual(waiting, [0, 1, 1, 0, 0, 1]);
  ok(!idle.signal.aborted);
  clock.pass();
  ok(idle.signal.aborted);
  const other = new Idle({ forMs: 1, isNeeded: () => false, later: clock.later });
  other[Symbol.dispose]();
  other.look();
  clock.pass();
  ok(!other.signal.aborted);
});

Deno.test("a daemon stays while somebody watches, is joined, or something runs, and only so long", async () => {
  await using site = await Site.open();
  const { usage, world } = site;
  const { host, lifetimes, ci, doorway } = world;
  const clock = new Clock();
  await using daemon = new Daemon({
    ...{ host, lifetimes, ci, doorway, usage },
    info: { name: "test", version: "1" },
  });
  const end = new AbortController();
  const idle = daemon.untilIdle(1, { signal: end.signal, later: clock.later });
  strictEqual(clock.waiting, 1, "from the beginning on");

  const reader = await site.follow("/events");
  await reader.next();
  strictEqual(clock.waiting, 0, "somebody watches");
  await reader[Symbol.asyncDispose]();
  await clock.until(1);

  const { id, pid, folder, env } = world.client();
  const hello = JSON.stringify({ pid, folder, env });
  const joined = await daemon.fetch(
    new Request(`http://localhost/clients/${id}`, { method: "PUT", body: hello }),
  );
  strictEqual(clock.waiting, 0, "a client is there");
  await joined.body!.cancel();
  await clock.until(1);

  await site.run("p", "exec sleep 100", { lifetime: "persistent" });
  strictEqual(clock.waiting, 0, "something runs");
  await site.ask("POST", "/processes/p/stop");
  await clock.until(1);

  ok(!idle.aborted);
  clock.pass();
  ok(idle.aborted);
  await site.run("q", "exec sleep 100", { lifetime: "persistent" });
  await site.ask("POST", "/processes/q/stop");
  deepStrictEqual([clock.waiting, end.signal.aborted], [0, false], "what is over stays so");
});
