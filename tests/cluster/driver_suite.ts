/** What holds for every driver. @module */
import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  type Driver,
  DriverError,
  type DriverEvent,
  type DriverInstance,
  type DriverProblem,
  type DriverState,
  type Identity,
  type LogOptions,
} from "../../lib/cluster/drivers/mod.ts";
import type { Instance } from "../../lib/cluster/mod.ts";

/** One kind of driver, and what it runs in this suite. */
export interface DriverKind {
  readonly name: string;
  readonly ignore?: boolean;
  /** Opens it in a folder, again and again. */
  open(folder: string): Promise<Driver>;
  /** Says `ready` and then again and again `tick` and a number from 0 on; says each byte again that it is given. */
  instance(id: string, epoch: number): Instance;
  /** Whether it says anything by itself. */
  readonly ticks: boolean;
  /** Has it end by itself. */
  end(driver: Driver, identity: Identity, how: "well" | "badly"): Promise<void>;
  /** What is left in a folder and of what ran there. */
  left(folder: string): string[];
}

/** An opened driver with a folder of its own; disposed, nothing is left of both. */
class Scene implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "driver-" });
  readonly #kind: DriverKind;
  driver!: Driver;

  static async open(kind: DriverKind): Promise<Scene> {
    const scene = new Scene(kind);
    scene.driver = await kind.open(scene.folder);
    return scene;
  }

  private constructor(kind: DriverKind) {
    this.#kind = kind;
  }

  /** Has one running that has said that it is. */
  async running(id: string, epoch = 1): Promise<Identity> {
    const identity = { id, epoch };
    await this.driver.create(this.#kind.instance(id, epoch));
    await this.driver.start(identity);
    if (this.#kind.ticks) await heard(this.driver, identity, /^tick 0$/m);
    return identity;
  }

  /** Lets go, and opens it anew. */
  async again(): Promise<Driver> {
    await this.driver[Symbol.asyncDispose]();
    return this.driver = await this.#kind.open(this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.driver.list()) await this.driver.delete(instance);
    deepStrictEqual(this.#kind.left(this.folder), []);
    await this.driver[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Follows a log until what was said matches; resolves with all of that. */
export async function heard(
  driver: Driver,
  identity: Identity,
  pattern: RegExp,
  options: LogOptions = {},
): Promise<string> {
  let text = "";
  for await (const { bytes, stream } of driver.logs(identity, { ...options, follow: true })) {
    if (stream !== "event") text += new TextDecoder().decode(bytes);
    if (pattern.test(text)) return text;
  }
  throw new Error(`${pattern} was not said: ${text}`);
}

/** All that a log has now. */
export async function said(driver: Driver, identity: Identity): Promise<string> {
  let text = "";
  for await (const { bytes, stream } of driver.logs(identity)) {
    if (stream !== "event") text += new TextDecoder().decode(bytes);
  }
  return text;
}

/** Resolves with the state when an instance comes to it. */
export function comesTo(driver: Driver, id: string, kind: DriverState["kind"]): Promise<DriverState> {
  return new Promise((resolve) => {
    const stop = driver.listen((event) => {
      if (event.id !== id || event.state.kind !== kind) return;
      stop();
      resolve(event.state);
    });
  });
}

export function stateOf(driver: Driver, id: string): DriverState {
  const found = driver.list().find((each) => each.id === id);
  ok(found !== undefined, `${id} is not there`);
  return found.state;
}

function pidOf(state: DriverState): number {
  ok((state.kind === "running" || state.kind === "paused") && state.pid !== null, Deno.inspect(state));
  return state.pid;
}

const problem = (wanted: DriverProblem) => (error: unknown) => {
  ok(error instanceof DriverError, String(error));
  strictEqual(error.problem, wanted, error.message);
  return true;
};

const bytes = (text: string) => new TextEncoder().encode(text);
const GRACE_MS = 20_000;

export function driverSuite(kind: DriverKind): void {
  const { name, ignore = false, ticks, instance, end } = kind;

  function test(what: string, fn: (scene: Scene) => Promise<void>): void {
    Deno.test({
      name: `${name}: ${what}`,
      ignore,
      async fn() {
        await using scene = await Scene.open(kind);
        await fn(scene);
      },
    });
  }

  test("the probe finds it usable", async ({ driver }) => {
    const report = await driver.probe();
    deepStrictEqual([report.kind, report.problem], [driver.kind, null]);
  });

  test("an instance is created, started, stopped and deleted, and tells each state once", async ({ driver }) => {
    const events: DriverEvent[] = [];
    driver.listen((event) => events.push(event));
    const a = { id: "a", epoch: 3 };
    await driver.create(instance("a", 3));
    const created: DriverInstance = { ...a, generation: 1, state: { kind: "created" } };
    deepStrictEqual(driver.list(), [created]);
    await driver.start(a);
    strictEqual(stateOf(driver, "a").kind, "running");
    if (ticks) await heard(driver, a, /^tick 1$/m);
    const ended = await driver.stop(a, GRACE_MS);
    strictEqual(ended?.wasAsked, true, Deno.inspect(ended));
    deepStrictEqual(stateOf(driver, "a"), { kind: "ended", end: ended });
    await driver.delete(a);
    deepStrictEqual(driver.list(), []);
    deepStrictEqual(events.map(({ id, epoch, state }) => [id, epoch, state.kind]), [
      ["a", 3, "running"],
      ["a", 3, "ended"],
    ]);
  });

  test("what is asked twice is done once", async ({ driver }) => {
    const a = { id: "a", epoch: 1 };
    await Promise.all([driver.create(instance("a", 1)), driver.create(instance("a", 1))]);
    await Promise.all([driver.start(a), driver.start(a)]);
    const pid = pidOf(stateOf(driver, "a"));
    await driver.create({ ...instance("a", 1), generation: 2 });
    await driver.start(a);
    strictEqual(pidOf(stateOf(driver, "a")), pid);
    strictEqual(driver.list()[0]?.generation, 2);
    await Promise.all([driver.pause(a), driver.pause(a)]);
    await Promise.all([driver.resume(a), driver.resume(a)]);
    const [first, second] = await Promise.all([driver.stop(a, GRACE_MS), driver.stop(a, GRACE_MS)]);
    deepStrictEqual(first, second);
    deepStrictEqual(await driver.stop(a, 0), first);
    await Promise.all([driver.delete(a), driver.delete(a)]);
    await driver.delete(a);
  });

  test("one that never ran has no end, and can be deleted", async ({ driver }) => {
    await driver.create(instance("a", 1));
    strictEqual(await driver.stop({ id: "a", epoch: 1 }, 0), undefined);
    await driver.delete({ id: "a", epoch: 1 });
    deepStrictEqual(driver.list(), []);
  });

  test("an end of its own is told with what it was, and it can be started again", async (scene) => {
    const { driver } = scene;
    const a = await scene.running("a");
    for (const how of ["well", "badly"] as const) {
      const ended = comesTo(driver, "a", "ended");
      await end(driver, a, how);
      const state = await ended;
      ok(state.kind === "ended");
      deepStrictEqual(
        [state.end.isSuccess, state.end.wasAsked],
        [how === "well", false],
        Deno.inspect(state),
      );
      ok(state.end.reason !== "");
      deepStrictEqual(await driver.stop(a, 0), state.end);
      await rejects(driver.pause(a), problem("state"));
      await rejects(driver.resume(a), problem("state"));
      await rejects(driver.input(a, bytes("z")), problem("state"));
      await rejects(driver.stats(a), problem("state"));
      await driver.start(a);
      strictEqual(stateOf(driver, "a").kind, "running");
    }
    if (!ticks) return;
    // Each run has its own place in the log.
    await heard(driver, a, /ready[^]*ready[^]*ready/);
  });

  test("a paused one stands still, and goes on where it was", async (scene) => {
    const { driver } = scene;
    const [a, b] = [await scene.running("a"), await scene.running("b")];
    await driver.pause(a);
    strictEqual(stateOf(driver, "a").kind, "paused");
    await rejects(driver.start(a), problem("state"));
    if (ticks) {
      const before = await said(driver, a);
      // By the other one's clock.
      const from = Number(/tick (\d+)\n$/.exec(await heard(driver, b, /tick \d+\n$/))![1]);
      await heard(driver, b, new RegExp(`^tick ${from + 4}$`, "m"));
      strictEqual(await said(driver, a), before);
    }
    const resumed = comesTo(driver, "a", "running");
    await driver.resume(a);
    await resumed;
    strictEqual(stateOf(driver, "a").kind, "running");
    if (!ticks) return;
    const text = await heard(driver, a, /^tick 8$/m);
    const numbers = [...text.matchAll(/^tick (\d+)$/gm)].map(([, number]) => Number(number));
    deepStrictEqual(numbers, numbers.map((_, at) => at));
  });

  test("a paused one can be stopped and deleted", async (scene) => {
    const { driver } = scene;
    const [a, b] = [await scene.running("a"), await scene.running("b")];
    await driver.pause(a);
    strictEqual((await driver.stop(a, GRACE_MS))?.wasAsked, true);
    await driver.pause(b);
    await driver.delete(b);
    deepStrictEqual(driver.list().map(({ id }) => id), ["a"]);
  });

  test("what another placement asks for touches nothing", async (scene) => {
    const { driver } = scene;
    await scene.running("a", 2);
    const pid = pidOf(stateOf(driver, "a"));
    for (const [epoch, wanted] of [[1, "stale"], [3, "conflict"]] as const) {
      const other = { id: "a", epoch };
      await rejects(driver.create(instance("a", epoch)), problem(wanted));
      await rejects(driver.start(other), problem(wanted));
      await rejects(driver.stop(other, 0), problem(wanted));
      await rejects(driver.pause(other), problem(wanted));
      await rejects(driver.resume(other), problem(wanted));
      await rejects(driver.delete(other), problem(wanted));
      await rejects(driver.stats(other), problem(wanted));
      await rejects(driver.input(other, bytes("q")), problem(wanted));
      await rejects(said(driver, other), problem(wanted));
    }
    strictEqual(pidOf(stateOf(driver, "a")), pid);
    const absent = { id: "b", epoch: 1 };
    await rejects(driver.start(absent), problem("absent"));
    await rejects(driver.stop(absent, 0), problem("absent"));
    await rejects(said(driver, absent), problem("absent"));
    await driver.delete(absent);
  });

  test("what makes no sense is refused, and leaves nothing", async ({ driver }) => {
    const a = instance("a", 1);
    await rejects(driver.create({ ...a, placement: null }), problem("invalid"));
    for (const id of ["", "..", "a/b", ".a", "a".repeat(65)]) {
      await rejects(driver.create({ ...a, id }), problem("invalid"), id);
    }
    deepStrictEqual(driver.list(), []);
  });

  test("what it is given comes to it, and its log is read on from where it was left", async (scene) => {
    const { driver } = scene;
    const a = await scene.running("a");
    await driver.input(a, bytes("z"));
    await heard(driver, a, /z/);
    await driver.input(a, bytes("y"));
    await heard(driver, a, /z[^]*y/);
    await driver.stop(a, 0);
    const pieces = await Array.fromAsync(driver.logs(a));
    const textOf = (from: number) => pieces.slice(from).map((piece) => new TextDecoder().decode(piece.bytes));
    for (const at of [0, Math.floor(pieces.length / 2), pieces.length - 1]) {
      const rest = await Array.fromAsync(driver.logs(a, { from: pieces[at]!.cursor, follow: true }));
      deepStrictEqual(rest.map((piece) => new TextDecoder().decode(piece.bytes)), textOf(at + 1));
    }
    deepStrictEqual(await Array.fromAsync(driver.logs(a, { from: "end" })), []);
    for (const from of ["x", "1.99999999999999", "99999999"]) {
      await rejects(Array.fromAsync(driver.logs(a, { from })), problem("invalid"), from);
    }
  });

  test("a follower goes when it is told to", async (scene) => {
    const { driver } = scene;
    const a = await scene.running("a");
    const controller = new AbortController();
    const following = Array.fromAsync(
      driver.logs(a, { from: "end", follow: true, signal: controller.signal }),
    );
    controller.abort(new Error("enough"));
    await rejects(following, /enough/);
  });

  test("its use of the machine is counted", async (scene) => {
    const { driver } = scene;
    const stats = await driver.stats(await scene.running("a"));
    ok(stats.cpuSeconds >= 0 && stats.memoryBytes > 2 ** 16, Deno.inspect(stats));
  });

  test("instances outlive their driver, and the next one has them", async (scene) => {
    const [a, b] = [await scene.running("a", 4), await scene.running("b")];
    await scene.driver.create(instance("c", 1));
    await scene.driver.pause(b);
    const pids = [pidOf(stateOf(scene.driver, "a")), pidOf(stateOf(scene.driver, "b"))];
    const driver = await scene.again();
    deepStrictEqual(driver.list(), [
      { ...a, generation: 1, state: { kind: "running", pid: pids[0]! } },
      { ...b, generation: 1, state: { kind: "paused", pid: pids[1]! } },
      { id: "c", epoch: 1, generation: 1, state: { kind: "created" } },
    ]);
    await driver.resume(b);
    const ended = comesTo(driver, "a", "ended");
    await end(driver, a, "badly");
    await ended;
    await driver.start(a);
    notStrictEqual(pidOf(stateOf(driver, "a")), pids[0]);
    await driver.stop(a, GRACE_MS);
    const before = stateOf(driver, "a");
    deepStrictEqual(stateOf(await scene.again(), "a"), before);
  });

  test("many come and go at once", async ({ driver }) => {
    const all = Array.from({ length: 6 }, (_, at) => ({ id: `i${at}`, epoch: 1 }));
    await Promise.all(all.map(async (identity) => {
      await driver.create(instance(identity.id, 1));
      await driver.start(identity);
      if (ticks) await heard(driver, identity, /^tick 2$/m);
      await driver.delete(identity);
    }));
    deepStrictEqual(driver.list(), []);
  });

  test("a deleted one leaves its name to another", async (scene) => {
    const { driver } = scene;
    await driver.delete(await scene.running("a"));
    const again = await scene.running("a", 2);
    if (ticks) match(await said(driver, again), /^[^]*ready[^]*tick 0$/m);
    await rejects(driver.delete({ id: "a", epoch: 1 }), problem("stale"));
  });
}
