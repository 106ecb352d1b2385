/** Real processes under the supervisor: order, readiness, restarts, stops, and nothing left behind. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Notice, type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";

const never = new AbortController().signal;

function shell(name: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return { name, command: ["/bin/sh", "-c", script], ...more };
}

/** Listens, and resolves when a notice satisfies the test. */
function until(supervisor: Supervisor, test: (notice: Notice) => boolean): Promise<Notice> {
  return new Promise((resolve) => {
    const stop = supervisor.listen((notice) => {
      if (!test(notice)) return;
      stop();
      resolve(notice);
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("services start after what they depend on is ready, and stop in reverse", async () => {
  const log: string[] = [];
  const folder = await Deno.makeTempDir();
  const ready = (file: string) => () => Deno.stat(`${folder}/${file}`).then(() => true, () => false);
  {
    await using supervisor = new Supervisor([
      shell("second", `touch ${folder}/second; exec sleep 60`, {
        dependsOn: ["first"],
        probe: ready("second"),
      }),
      shell("first", `touch ${folder}/first; exec sleep 60`, { probe: ready("first") }),
    ]);
    supervisor.listen((notice) => {
      if (notice.kind === "state") log.push(`${notice.service} ${notice.state.kind}`);
    });
    await supervisor.start(never);
  }
  await Deno.remove(folder, { recursive: true });
  deepStrictEqual(log, [
    "first starting",
    "first running",
    "second starting",
    "second running",
    "second stopping",
    "second idle",
    "first stopping",
    "first idle",
  ]);
});

Deno.test("what dies is started again with another pid, and its restarts are counted", async () => {
  await using supervisor = new Supervisor([
    shell("server", "exec sleep 60", { policy: { backoff: { firstMs: 1, factor: 1, maxMs: 1 } } }),
  ]);
  await supervisor.start(never);
  const service = supervisor.services.get("server")!;
  ok(service.state.kind === "running");
  const { pid } = service.state;
  const again = until(supervisor, (notice) => notice.kind === "state" && notice.state.kind === "running");
  Deno.kill(pid, "SIGKILL");
  await again;
  ok(service.is("running") && service.state.kind === "running" && service.state.pid !== pid);
  strictEqual(service.restarts, 1);
  strictEqual(isAlive(pid), false);
});

Deno.test("a process that ignores SIGTERM is killed after its grace period", async () => {
  const supervisor = new Supervisor([
    shell("stubborn", `trap "" TERM; echo trapped; while :; do sleep 1 & wait; done`, {
      policy: { graceMs: 50 },
    }),
  ]);
  const trapped = until(supervisor, (notice) => notice.kind === "line" && notice.text === "trapped");
  await supervisor.start(never);
  await trapped;
  const { state } = supervisor.services.get("stubborn")!;
  ok(state.kind === "running");
  await supervisor.stop();
  strictEqual(isAlive(state.pid), false);
});

Deno.test("lines of both streams are told before the exit, the last one without its newline too", async () => {
  const told: string[] = [];
  await using supervisor = new Supervisor([
    shell("job", "echo one; echo two >&2; printf three; exit 3", { policy: { restart: "never" } }),
  ]);
  supervisor.listen((notice) =>
    told.push(notice.kind === "line" ? `${notice.stream} ${notice.text}` : notice.state.kind)
  );
  await supervisor.start(never);
  if (!supervisor.services.get("job")!.is("finished")) {
    await until(supervisor, (notice) => notice.kind === "state" && notice.state.kind === "finished");
  }
  deepStrictEqual(told.filter((each) => each.includes(" ")).sort(), [
    "stderr two",
    "stdout one",
    "stdout three",
  ]);
  strictEqual(told.at(-1), "finished");
  const { state } = supervisor.services.get("job")!;
  deepStrictEqual(state, { kind: "finished", outcome: { code: 3 } });
});

Deno.test("a program that does not exist is told by name and tried again until it is stopped", async () => {
  await using supervisor = new Supervisor([
    {
      name: "ghost",
      command: ["/nonexistent/program"],
      policy: { backoff: { firstMs: 1, factor: 1, maxMs: 1 } },
    },
  ]);
  let tries = 0;
  const thrice = until(
    supervisor,
    (notice) => notice.kind === "line" && notice.text.includes("/nonexistent/program") && ++tries === 3,
  );
  const abort = new AbortController();
  const starting = supervisor.start(abort.signal);
  await thrice;
  abort.abort();
  await starting;
});

Deno.test("a service whose probe never succeeds is ended and tried again", async () => {
  await using supervisor = new Supervisor([
    shell("slow", "exec sleep 60", {
      probe: () => Promise.resolve(false),
      policy: { readyWithinMs: 20, backoff: { firstMs: 1, factor: 1, maxMs: 1 } },
    }),
  ]);
  let starts = 0;
  const twice = until(
    supervisor,
    (notice) => notice.kind === "state" && notice.state.kind === "starting" && ++starts === 2,
  );
  const abort = new AbortController();
  const starting = supervisor.start(abort.signal);
  await twice;
  strictEqual(supervisor.services.get("slow")!.restarts, 1);
  abort.abort();
  await starting;
});

Deno.test("a restart that is asked for ends the old process before the new one starts", async () => {
  await using supervisor = new Supervisor([shell("server", "exec sleep 60")]);
  await supervisor.start(never);
  const service = supervisor.services.get("server")!;
  ok(service.state.kind === "running");
  const { pid } = service.state;
  const again = until(supervisor, (notice) => notice.kind === "state" && notice.state.kind === "running");
  service.request("restart");
  await again;
  strictEqual(isAlive(pid), false);
  strictEqual(service.restarts, 0, "a restart that was asked for is none that the service needed");
});

Deno.test("services that do not depend on each other stop at the same time", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `server${at}`);
  const states: string[] = [];
  const supervisor = new Supervisor(names.map((name) => shell(name, "exec sleep 60")));
  await supervisor.start(never);
  supervisor.listen((notice) => notice.kind === "state" && states.push(notice.state.kind));
  await supervisor.stop();
  deepStrictEqual(
    states.slice(0, 20),
    Array(20).fill("stopping"),
    "all are asked before the first has ended",
  );
});

Deno.test("a service has a session of its own, so that a terminal's signals do not reach it", async () => {
  await using supervisor = new Supervisor([shell("server", "exec sleep 60")]);
  await supervisor.start(never);
  const { state } = supervisor.services.get("server")!;
  ok(state.kind === "running");
  const fields = Deno.readTextFileSync(`/proc/${state.pid}/stat`).replace(/^.*\) /, "").split(" ");
  strictEqual(Number(fields[3]), state.pid);
});

Deno.test("a supervisor refuses services that depend on nothing known", async () => {
  await rejects(async () => {
    await using _supervisor = new Supervisor([shell("a", "true", { dependsOn: ["b"] })]);
  }, /does not exist/);
});
