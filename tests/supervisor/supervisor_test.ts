/** Real processes under the supervisor: order, readiness, restarts, replacement, stops, and nothing left behind. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";
import { Folder, isState, pidOf, until } from "./_scene.ts";

const never = new AbortController().signal;
const SOON = { policy: { backoff: { firstMs: 1, factor: 1, maxMs: 1 } } };

function shell(name: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return { name, command: { argv: ["/bin/sh", "-c", script] }, ...more };
}

const isAlive = (pid: number) => processStart(pid) !== 0n;

Deno.test("services start after what they depend on is ready, and stop in reverse", async () => {
  using folder = new Folder();
  const log: string[] = [];
  const ready = (file: string) => ({
    kind: "exec",
    command: { argv: ["test", "-e", `${folder.path}/${file}`] },
    everyMs: 5,
  } as const);
  {
    await using supervisor = Supervisor.open([
      shell("second", `touch ${folder.path}/second; exec sleep 60`, {
        dependsOn: [{ name: "first", condition: "ready" }],
        readiness: ready("second"),
      }),
      shell("first", `touch ${folder.path}/first; exec sleep 60`, { readiness: ready("first") }),
    ], folder.path);
    supervisor.listen((notice) => {
      if (notice.kind === "state") log.push(`${notice.service} ${notice.state.kind}`);
    });
    await supervisor.start(never);
  }
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

Deno.test("a service waits for the end of one that has to succeed, and for ever for one that failed", async () => {
  using folder = new Folder();
  const once = { policy: { restart: "never" } } as const;
  await using supervisor = Supervisor.open([
    shell("after", "exec sleep 60", {
      dependsOn: [{ name: "migrate", condition: "completed_successfully" }],
    }),
    shell("never", "exec sleep 60", {
      dependsOn: [{ name: "broken", condition: "completed_successfully" }],
    }),
    shell("anyhow", "exec sleep 60", { dependsOn: [{ name: "broken", condition: "completed" }] }),
    shell("migrate", "exit 0", once),
    shell("broken", "exit 3", once),
  ], folder.path);
  await supervisor.start(never);
  const kinds = [...supervisor.services.values()].map(({ spec, state }) => `${spec.name} ${state.kind}`);
  deepStrictEqual(kinds, [
    "after running",
    "never idle",
    "anyhow running",
    "migrate finished",
    "broken finished",
  ]);
});

Deno.test("what dies is started again with another pid, and its restarts are counted", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([shell("server", "exec sleep 60", SOON)], folder.path);
  await supervisor.start(never);
  const pid = pidOf(supervisor, "server");
  const again = until(supervisor, isState("running"));
  Deno.kill(pid, "SIGKILL");
  await again;
  ok(pidOf(supervisor, "server") !== pid);
  strictEqual(supervisor.services.get("server")!.restarts, 1);
  strictEqual(isAlive(pid), false);
});

Deno.test("a keeper that is killed takes its child along, and its service is started again", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([shell("server", "exec sleep 60", SOON)], folder.path);
  await supervisor.start(never);
  const status = supervisor.services.get("server")!.current!.status();
  ok(status.kind === "running");
  const lost = until(supervisor, isState("backoff"));
  const again = until(supervisor, isState("running"));
  Deno.kill(status.keeperPid, "SIGKILL");
  const notice = await lost;
  ok(notice.kind === "state" && notice.state.kind === "backoff");
  deepStrictEqual(notice.state.outcome, { kind: "lost" });
  await again;
  strictEqual(isAlive(status.pid), false);
});

Deno.test("a process that ignores SIGTERM is killed after its grace period", async () => {
  using folder = new Folder();
  const supervisor = Supervisor.open([
    shell("stubborn", `trap "" TERM; echo trapped; while :; do sleep 1 & wait; done`, {
      policy: { graceMs: 50 },
      readiness: { kind: "log", pattern: /^trapped$/ },
    }),
  ], folder.path);
  await supervisor.start(never);
  const pid = pidOf(supervisor, "stubborn");
  await supervisor.stop();
  strictEqual(isAlive(pid), false);
});

Deno.test("lines of both streams are told before the exit, the last one without its newline too", async () => {
  using folder = new Folder();
  const told: string[] = [];
  await using supervisor = Supervisor.open([
    shell("job", "echo one; echo two >&2; printf three; exit 3", { policy: { restart: "never" } }),
  ], folder.path);
  supervisor.listen((notice) => {
    if (notice.kind === "line") told.push(`${notice.line.stream} ${notice.line.text}`);
    if (notice.kind === "state") told.push(notice.state.kind);
  });
  await supervisor.start(never);
  if (!supervisor.services.get("job")!.is("finished")) await until(supervisor, isState("finished"));
  deepStrictEqual(told.filter((each) => each.includes(" ")).sort(), [
    "stderr two",
    "stdout one",
    "stdout three",
  ]);
  strictEqual(told.at(-1), "finished");
  const { state } = supervisor.services.get("job")!;
  deepStrictEqual(state, { kind: "finished", outcome: { kind: "exited", code: 3 } });
});

Deno.test("a program that does not exist is told by name and tried again until it is stopped", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    { name: "ghost", command: { argv: ["/nonexistent/program"] }, ...SOON },
  ], folder.path);
  let tries = 0;
  const thrice = until(
    supervisor,
    (notice) => notice.kind === "event" && notice.text.includes("/nonexistent/program") && ++tries === 3,
  );
  const abort = new AbortController();
  const starting = supervisor.start(abort.signal);
  await thrice;
  abort.abort();
  await starting;
});

Deno.test("a service that never becomes ready is ended and tried again", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("slow", "exec sleep 60", {
      readiness: { kind: "tcp", host: "127.0.0.1", port: 1, everyMs: 5 },
      policy: { readyWithinMs: 20, ...SOON.policy },
    }),
  ], folder.path);
  let starts = 0;
  const twice = until(supervisor, (notice) => isState("starting")(notice) && ++starts === 2);
  const abort = new AbortController();
  const starting = supervisor.start(abort.signal);
  await twice;
  strictEqual(supervisor.services.get("slow")!.restarts, 1);
  abort.abort();
  await starting;
});

Deno.test("a service that is not well any more is started again", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("server", `touch ${folder.path}/well; exec sleep 60`, {
      liveness: {
        kind: "exec",
        command: { argv: ["test", "-e", `${folder.path}/well`] },
        everyMs: 5,
        failures: 2,
      },
      readiness: { kind: "exec", command: { argv: ["test", "-e", `${folder.path}/well`] }, everyMs: 5 },
      ...SOON,
    }),
  ], folder.path);
  await supervisor.start(never);
  const pid = pidOf(supervisor, "server");
  const unwell = until(supervisor, (notice) => notice.kind === "event");
  const again = until(supervisor, isState("running"));
  Deno.removeSync(`${folder.path}/well`);
  const notice = await unwell;
  match(notice.kind === "event" ? notice.text : "", /not well 2 times in a row: exec/);
  await again;
  ok(pidOf(supervisor, "server") !== pid);
});

Deno.test("readiness by sd_notify", async () => {
  using folder = new Folder();
  const script = `import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"STATUS=warming\\nREADY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(60)`;
  await using supervisor = Supervisor.open([
    { name: "py", command: { argv: ["/usr/bin/python3", "-c", script] }, readiness: { kind: "notify" } },
  ], folder.path);
  await supervisor.start(never);
  ok(supervisor.services.get("py")!.is("running"));
});

Deno.test("a restart that is asked for ends the old process before the new one starts", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([shell("server", "exec sleep 60")], folder.path);
  await supervisor.start(never);
  const service = supervisor.services.get("server")!;
  const pid = pidOf(supervisor, "server");
  const again = until(supervisor, isState("running"));
  service.request("restart");
  await again;
  strictEqual(isAlive(pid), false);
  strictEqual(service.restarts, 0, "a restart that was asked for is none that the service needed");
});

Deno.test("with overlap the old one serves until the new one is ready, and for good when it is not", async () => {
  using folder = new Folder();
  const flag = `${folder.path}/broken`;
  await using supervisor = Supervisor.open([
    shell("server", `test -e ${flag} && exit 1; echo up; exec sleep 60`, {
      policy: { overlap: true },
      readiness: { kind: "log", pattern: /^up$/ },
    }),
  ], folder.path);
  await supervisor.start(never);
  const service = supervisor.services.get("server")!;
  const first = pidOf(supervisor, "server");

  const replaced = until(supervisor, isState("running"));
  service.request("restart");
  ok(service.is("replacing"));
  strictEqual(pidOf(supervisor, "server"), first);
  await replaced;
  const second = pidOf(supervisor, "server");
  ok(second !== first);

  Deno.writeTextFileSync(flag, "");
  const kept = until(supervisor, isState("running"));
  service.request("restart");
  await kept;
  strictEqual(pidOf(supervisor, "server"), second);
});

Deno.test("what is built runs after its build, and a build that fails leaves the old one alone", async () => {
  using folder = new Folder();
  const flag = `${folder.path}/broken`;
  const told: string[] = [];
  await using supervisor = Supervisor.open([
    shell("server", "exec sleep 60", {
      build: { argv: ["/bin/sh", "-c", `echo compiling; ! test -e ${flag}`] },
    }),
  ], folder.path);
  supervisor.listen((notice) => {
    if (notice.kind === "line") told.push(`${notice.of} ${notice.line.text}`);
    if (notice.kind === "state") told.push(notice.state.kind);
  });
  await supervisor.start(never);
  deepStrictEqual(told.splice(0), ["building", "build compiling", "starting", "running"]);

  const pid = pidOf(supervisor, "server");
  Deno.writeTextFileSync(flag, "");
  const kept = until(supervisor, isState("running"));
  supervisor.services.get("server")!.request("restart");
  await kept;
  deepStrictEqual(told.splice(0), ["replacing", "build compiling", "running"]);
  strictEqual(pidOf(supervisor, "server"), pid);
});

Deno.test("of ended instances as many are kept as retention says", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("job", "echo done", { policy: { restart: "never" }, retention: { count: 3 } }),
  ], folder.path);
  const service = supervisor.services.get("job")!;
  for (let round = 0; round < 6; round++) {
    service.request("start");
    await until(supervisor, isState("finished"));
    await service.settled();
  }
  deepStrictEqual(service.ledger.places("run").map(({ number }) => number), [4, 5, 6]);
});

Deno.test("with the one that still runs while its successor comes, as many are kept as retention says", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("web", "exec sleep 60", { policy: { overlap: true }, retention: { count: 3 } }),
  ], folder.path);
  await supervisor.start(never);
  const service = supervisor.services.get("web")!;
  for (let round = 0; round < 5; round++) {
    const before = service.current;
    service.request("restart");
    await supervisor.until(service, (each) => each.is("running") && each.current !== before);
    await before?.ended;
  }
  deepStrictEqual(service.ledger.places("run").map(({ number }) => number), [4, 5, 6]);
});

Deno.test("services that do not depend on each other stop at the same time", async () => {
  using folder = new Folder();
  const names = Array.from({ length: 20 }, (_, at) => `server${at}`);
  const states: string[] = [];
  const supervisor = Supervisor.open(names.map((name) => shell(name, "exec sleep 60")), folder.path);
  await supervisor.start(never);
  supervisor.listen((notice) => notice.kind === "state" && states.push(notice.state.kind));
  await supervisor.stop();
  deepStrictEqual(
    states.slice(0, 20),
    Array(20).fill("stopping"),
    "all are asked before the first has ended",
  );
});

Deno.test("a supervisor refuses services that depend on nothing known, and a folder that another one has", async () => {
  using folder = new Folder();
  const lost = shell("a", "true", { dependsOn: [{ name: "b", condition: "ready" }] });
  throws(() => Supervisor.open([lost], folder.path), /does not exist/);
  await using _first = Supervisor.open([], folder.path);
  throws(() => Supervisor.open([], folder.path), /another manager has it/);
});

Deno.test("readiness and dependencies hear what one reads of a line that has colours", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("server", `printf '\\033[32mready\\033[0m on \\033[1m80\\033[0m\\n'; exec sleep 60`, {
      readiness: { kind: "log", pattern: /^ready on 80$/ },
    }),
    shell("after", "exec sleep 60", {
      dependsOn: [{ name: "server", condition: "log", pattern: /on 80$/, written: "on 80$" }],
    }),
  ], folder.path);
  await supervisor.start(never);
  for (const name of ["server", "after"]) {
    await supervisor.until(supervisor.services.get(name)!, (each) => each.is("running"));
  }
});

Deno.test("what a manager let go of the next one goes on with: same process, no line twice", async () => {
  using folder = new Folder();
  const specs = [
    shell("server", `echo first; read line < ${folder.path}/pipe; echo second; exec sleep 60`, {
      readiness: { kind: "log", pattern: /^first$/ },
    }),
    shell("down", "exec sleep 60"),
  ];
  await new Deno.Command("mkfifo", { args: [`${folder.path}/pipe`] }).output();
  const first = Supervisor.open(specs, folder.path);
  await first.start(never);
  const pid = pidOf(first, "server");
  first.services.get("down")!.request("stop");
  await until(first, isState("idle"));
  await first.release();
  ok(isAlive(pid));

  const lines: string[] = [];
  await using second = Supervisor.open(specs, folder.path);
  second.listen((notice) => notice.kind === "line" && lines.push(notice.line.text));
  await second.start(never);
  strictEqual(pidOf(second, "server"), pid);
  strictEqual(second.services.get("down")!.state.kind, "idle", "what was stopped stays so");
  const told = until(second, (notice) => notice.kind === "line");
  Deno.writeTextFileSync(`${folder.path}/pipe`, "go\n");
  await told;
  deepStrictEqual(lines, ["second"]);
});

Deno.test("an end that came while nobody looked is known to the next manager", async () => {
  using folder = new Folder();
  const job = shell("job", `read line < ${folder.path}/pipe; exit 5`, { policy: { restart: "never" } });
  await new Deno.Command("mkfifo", { args: [`${folder.path}/pipe`] }).output();
  const first = Supervisor.open([job], folder.path);
  await first.start(never);
  const run = first.services.get("job")!.current!;
  await first.release();
  Deno.writeTextFileSync(`${folder.path}/pipe`, "go\n");
  while (run.status().kind !== "exited") await new Promise((resolve) => setTimeout(resolve, 5));

  await using second = Supervisor.open([job], folder.path);
  await second.start(never);
  const { state } = second.services.get("job")!;
  deepStrictEqual(state, { kind: "finished", outcome: { kind: "exited", code: 5 } });
});
