/** An agent that is killed loses no instance, no word of it and no end: the next one has them all. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { openMicrovmDriver, QmpClient, tinyGuest } from "../../lib/cluster/drivers/microvm/mod.ts";
import type { Driver } from "../../lib/cluster/drivers/mod.ts";
import { inspectInstance } from "../../lib/keeper/mod.ts";
import { until } from "../keeper/_log.ts";
import { Folder } from "../supervisor/_scene.ts";
import { HAS_MICROVM, leftIn } from "./_drivers.ts";
import { openBoth } from "./agent_child.ts";
import { heard, said, stateOf } from "./driver_suite.ts";

const CHILD = new URL("./agent_child.ts", import.meta.url).pathname;
const ROUNDS = Deno.env.get("HOSTKIT_SOAK") === undefined ? 4 : 50;
/** A restless agent is killed at most so long after it has begun. */
const LIFE_MS = 300;

/** A state folder whose instances go away with the test. */
class AgentFolder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "agent-" });

  async [Symbol.asyncDispose](): Promise<void> {
    const { process, microvm } = await openBoth(this.path);
    for (const driver of [process, microvm]) {
      for (const each of driver.list()) await driver.delete(each);
      await driver[Symbol.asyncDispose]();
      deepStrictEqual(leftIn(`${this.path}/${driver.kind}`), []);
    }
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Starts an agent, waits until it is up and a little longer, and kills it. */
async function killed(folder: string, mode: "steady" | "restless", delayMs = 0): Promise<void> {
  const agent = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", CHILD, folder, mode],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = agent.stdout.getReader();
  const { value } = await reader.read();
  strictEqual(new TextDecoder().decode(value), "up\n");
  await reader.cancel();
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  agent.kill("SIGKILL");
  await agent.status;
}

/** It says one number after the other, before, during and after the time without an agent. */
async function ticksOn(driver: Driver, id: string): Promise<void> {
  const identity = { id, epoch: 7 };
  const last = Number([...(await said(driver, identity)).matchAll(/^tick (\d+)$/gm)].at(-1)![1]);
  const text = await heard(driver, identity, new RegExp(`^tick ${last + 3}$`, "m"));
  const numbers = [...text.matchAll(/^tick (\d+)$/gm)].map(([, number]) => Number(number));
  deepStrictEqual(numbers, numbers.map((_, at) => at));
}

const runOf = (folder: string, id: string) => `${folder}/${id}/run-000001`;
const hasEnded = (folder: string, id: string) => inspectInstance(runOf(folder, id)).kind === "exited";

Deno.test("instances go on when their agent is killed, and the next one has them with all that they said", async () => {
  await using folder = new AgentFolder();
  await killed(folder.path, "steady");
  const parts = { process: `${folder.path}/process`, microvm: `${folder.path}/microvm` };
  const paused = inspectInstance(runOf(parts.process, "paused"));
  // While there is no agent.
  Deno.writeTextFileSync(`${folder.path}/end`, "");
  await until("the program's end", () => hasEnded(parts.process, "ends"));
  if (HAS_MICROVM) {
    await using qmp = await QmpClient.open(`${parts.microvm}/ends/qmp`, () => {});
    await qmp.execute("system_powerdown");
    await until("the guest's end", () => hasEnded(parts.microvm, "ends"));
  }
  const drivers = await openBoth(folder.path);
  await using _process = drivers.process;
  await using _microvm = drivers.microvm;
  ok(paused.kind === "running");
  deepStrictEqual(stateOf(drivers.process, "paused"), { kind: "paused", pid: paused.pid });
  const end = { isSuccess: false, wasAsked: false, code: 7, signal: null, reason: "it ended with code 7" };
  deepStrictEqual(stateOf(drivers.process, "ends"), { kind: "ended", end });
  if (HAS_MICROVM) {
    const reason = "the guest was shut down";
    const end = { isSuccess: true, wasAsked: false, code: null, signal: null, reason };
    deepStrictEqual(stateOf(drivers.microvm, "ends"), { kind: "ended", end });
  }
  for (const driver of [drivers.process, ...HAS_MICROVM ? [drivers.microvm] : []]) {
    deepStrictEqual(driver.list().map(({ id, epoch, state }) => [id, epoch, state.kind]), [
      ["created", 7, "created"],
      ["ends", 7, "ended"],
      ["paused", 7, "paused"],
      ["runs", 7, "running"],
    ]);
    await ticksOn(driver, "runs");
    await driver.resume({ id: "paused", epoch: 7 });
    await ticksOn(driver, "paused");
    strictEqual((await driver.stop({ id: "runs", epoch: 7 }, 60_000))?.wasAsked, true);
  }
});

Deno.test(`what an agent was at when it was killed is put right by the next one, ${ROUNDS} times`, async () => {
  await using folder = new AgentFolder();
  for (let round = 0; round < ROUNDS; round++) {
    await killed(folder.path, "restless", 1 + (round * 97) % LIFE_MS);
    const drivers = await openBoth(folder.path);
    await using _process = drivers.process;
    await using _microvm = drivers.microvm;
    for (const driver of [drivers.process, drivers.microvm]) {
      // What is there can be used, also what was being stopped.
      for (const identity of driver.list()) {
        await driver.stop(identity, 60_000);
        await driver.start(identity);
        await heard(driver, identity, /^tick \d+$/m, { from: "end" });
        if (round % 2 === 0) await driver.delete(identity);
      }
    }
  }
});

Deno.test("one agent at a time has a folder", async () => {
  using folder = new Folder();
  const options = { folder: folder.path, image: () => Promise.resolve(tinyGuest()) };
  await using _first = await openMicrovmDriver(options);
  const second = await openMicrovmDriver(options).then(() => undefined, (error: Error) => error);
  strictEqual(second?.name, "BusyError");
});
