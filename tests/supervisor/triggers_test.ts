/** What starts services beside their own ends: files, the clock, and a supervisor that is given others. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import {
  answerTo,
  cronProblem,
  mayHold,
  nextTime,
  type Notice,
  type Service,
  type ServiceSpec,
  type ServiceState,
  Supervisor,
  watchFiles,
} from "../../lib/supervisor/mod.ts";
import { lookAt } from "../../lib/supervisor/schedule.ts";
import { Folder, isState, pidOf, until } from "./_scene.ts";

const never = new AbortController().signal;

function shell(name: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return { name, command: { argv: ["/bin/sh", "-c", script] }, ...more };
}

const event = (text: RegExp) => (notice: Notice) => notice.kind === "event" && text.test(notice.text);

/** Writes files below a folder. */
function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }
}

Deno.test("mayHold(): only folders are entered that can hold something, hidden ones only by name", () => {
  const cases: [glob: string, folder: string, may: boolean][] = [
    ["src/**/*.ts", "src", true],
    ["src/**/*.ts", "src/a/b", true],
    ["src/**/*.ts", "lib", false],
    ["*.ts", "src", false],
    ["*/x.ts", "src", true],
    ["*/x.ts", "src/deeper", false],
    ["**/*.ts", ".git", false],
    ["**/*.ts", "a/node_modules/b", false],
    ["node_modules/x/*.js", "node_modules/x", true],
    [".config/*", ".config", true],
    ["{a,b/c}/*.ts", "b", true],
    ["{a,b}/*.ts", "c", false],
  ];
  deepStrictEqual(
    cases.map(([glob, folder]) => mayHold(glob, folder.split("/"))),
    cases.map(([, , may]) => may),
  );
});

Deno.test("a watch tells files that match and changed, in folders that come later too, and nothing else", async () => {
  using folder = new Folder();
  write(folder.path, { "src/a.ts": "1", "src/b.txt": "1", "node_modules/c.ts": "1", "src/skip/d.ts": "1" });
  const ending = new AbortController();
  const told: string[][] = [];
  let heard = Promise.withResolvers<void>();
  const watching = watchFiles({
    folder: folder.path,
    globs: ["**/*.ts"],
    ignore: ["src/skip/**"],
    debounceMs: 20,
  }, {
    signal: ending.signal,
    changed: (paths) => {
      told.push([...paths].sort());
      heard.resolve();
    },
  });
  const change = async (files: Readonly<Record<string, string>>) => {
    heard = Promise.withResolvers();
    write(folder.path, files);
    await heard.promise;
  };
  await change({ "src/b.txt": "2", "node_modules/c.ts": "2", "src/skip/d.ts": "2", "src/a.ts": "22" });
  await change({ "new/deep/e.ts": "1" });
  await change({ "new/deep/e.ts": "22", "src/f.ts": "1" });
  // Written again as it was: no change, whatever its time says; the next one is.
  write(folder.path, { "src/f.ts": "1" });
  Deno.utimeSync(`${folder.path}/src/f.ts`, 1, 1);
  heard = Promise.withResolvers();
  Deno.removeSync(`${folder.path}/src/a.ts`);
  await heard.promise;
  ending.abort();
  await watching;
  deepStrictEqual(told, [["src/a.ts"], ["new/deep/e.ts"], ["new/deep/e.ts", "src/f.ts"], ["src/a.ts"]]);
});

Deno.test("a watch outlives folders that come and go while they are looked at", async () => {
  using folder = new Folder();
  const ending = new AbortController();
  const heard = Promise.withResolvers<void>();
  const watching = watchFiles({ folder: folder.path, globs: ["**/*.ts"], debounceMs: 1 }, {
    signal: ending.signal,
    changed: (paths) => paths.includes("last.ts") && heard.resolve(),
  });
  const at = `${folder.path}/d`;
  const storm = `for n in $(seq 300); do
    mkdir -p ${at}/x/y/z; : > ${at}/x/y/z/$n.ts; rm -rf ${at}; : > ${at}; rm ${at}
  done`;
  const storming = new Deno.Command("/bin/sh", { args: ["-c", storm] }).output();
  // What ends the watch is the failure of the test.
  await Promise.race([storming, watching]);
  write(folder.path, { "last.ts": "1" });
  await Promise.race([heard.promise, watching]);
  ok(!ending.signal.aborted && (await storming).success);
  ending.abort();
  await watching;
});

Deno.test("a watch of what is not there says so", async () => {
  const gone = watchFiles({ folder: "/no/such/folder", globs: ["*"] }, { signal: never, changed: () => {} });
  await rejects(gone, Deno.errors.NotFound);
});

Deno.test("a changed file restarts its service and, in order, those that depend on it", async () => {
  using folder = new Folder();
  using sources = new Folder();
  write(sources.path, { "db.conf": "1" });
  const watch = { folder: sources.path, globs: ["*.conf"], debounceMs: 10, cascade: true };
  const needs = (name: string) => ({ dependsOn: [{ name, condition: "ready" }] } as const);
  await using supervisor = Supervisor.open([
    shell("web", "exec sleep 60", needs("api")),
    shell("api", "exec sleep 60", needs("db")),
    shell("db", "exec sleep 60", { watch }),
    shell("other", "exec sleep 60"),
  ], folder.path);
  await supervisor.start(never);
  const before = ["web", "api", "db", "other"].map((name) => pidOf(supervisor, name));
  const log: string[] = [];
  supervisor.listen((notice) => {
    if (notice.kind === "state" && notice.state.kind === "running") log.push(notice.service);
    if (notice.kind === "event") log.push(notice.text);
  });
  const last = until(supervisor, (notice) => isState("running")(notice) && notice.service === "web");
  write(sources.path, { "db.conf": "22" });
  await last;
  deepStrictEqual(log, ["db.conf changed: it is restarted", "db", "api", "web"]);
  const after = ["web", "api", "db", "other"].map((name) => pidOf(supervisor, name));
  deepStrictEqual(after.map((pid, at) => pid === before[at]), [false, false, false, true]);
});

Deno.test("a changed file runs a job again, and what depends on the job is restarted when it went well", async () => {
  using folder = new Folder();
  using sources = new Folder();
  write(sources.path, { "schema": "1" });
  await using supervisor = Supervisor.open([
    shell("generate", `grep -q bad ${sources.path}/schema && exit 1; exit 0`, {
      policy: { restart: "never" },
      watch: { folder: sources.path, globs: ["*"], debounceMs: 10, cascade: true },
    }),
    shell("web", "exec sleep 60", { dependsOn: [{ name: "generate", condition: "completed_successfully" }] }),
  ], folder.path);
  await supervisor.start(never);
  const [web, generate] = ["web", "generate"].map((name) => supervisor.services.get(name)!);
  const runsOf = (name: string) => supervisor.services.get(name)!.ledger.places("run").length;
  const change = async (text: string, isOver: () => boolean) => {
    write(sources.path, { "schema": text });
    await supervisor.until(generate!, () => isOver() && generate!.is("finished") && web!.is("running"));
  };
  await change("a bad one", () => runsOf("generate") === 2);
  strictEqual(runsOf("web"), 1);
  await change("a good one again", () => runsOf("generate") === 3 && runsOf("web") === 2);
});

Deno.test("answerTo(): what was stopped stays so, jobs start at their time, what runs is replaced where that is said", () => {
  const outcome = { kind: "exited", code: 0 } as const;
  const states: ServiceState[] = [
    { kind: "idle" },
    { kind: "finished", outcome },
    { kind: "running", failures: 0, sinceMs: 0 },
    { kind: "backoff", failures: 1, outcome },
    { kind: "stopping", then: "idle" },
  ];
  const answers = (trigger: "watch" | "schedule", isJob: boolean, overlap: "skip" | "restart") =>
    states.map((state) => answerTo(trigger, state, { isJob, overlap }) ?? "-").join(" ");
  strictEqual(answers("watch", true, "skip"), "- start restart restart -");
  strictEqual(answers("schedule", true, "skip"), "start start - - -");
  strictEqual(answers("schedule", true, "restart"), "start start restart restart -");
  strictEqual(answers("schedule", false, "skip"), "- start restart restart -");
});

Deno.test("lookAt(): a clock that is set makes nothing wait longer than it would from now", () => {
  const [hour, minute] = [3_600_000, 60_000];
  const every = { kind: "interval", everyMs: 10_000 } as const;
  deepStrictEqual(lookAt(every, 100_000, 95_000), { fires: false, nextMs: 100_000 });
  deepStrictEqual(lookAt(every, 100_000, 100_000), { fires: true, nextMs: 110_000 });
  deepStrictEqual(lookAt(every, 100_000, 100_000 + hour), { fires: true, nextMs: 110_000 + hour });
  deepStrictEqual(lookAt(every, hour, 1_000), { fires: false, nextMs: 11_000 });
  const cron = { kind: "cron", expression: "* * * * *", timeZone: "UTC" } as const;
  deepStrictEqual(lookAt(cron, hour, 1_000), { fires: false, nextMs: minute });
  deepStrictEqual(lookAt(cron, minute, hour), { fires: true, nextMs: hour + minute });
});

Deno.test("nextTime(): pauses, times of the calendar in a zone, and expressions that are none", () => {
  strictEqual(nextTime({ kind: "interval", everyMs: 1_000 }, 5), 1_005);
  const cron = (expression: string, timeZone: string) => {
    const next = nextTime({ kind: "cron", expression, timeZone }, Date.UTC(2026, 2, 28, 12));
    return next === undefined ? undefined : new Date(next).toISOString();
  };
  strictEqual(cron("30 3 * * *", "UTC"), "2026-03-29T03:30:00.000Z");
  strictEqual(cron("30 3 * * *", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
  strictEqual(cron("0 0 31 2 *", "UTC"), undefined);
  strictEqual(cronProblem("*/5 * * * *"), undefined);
  match(cronProblem("61 * * * *") ?? "", /minute: 61/);
  match(cronProblem("0 0 31 2 *") ?? "", /no such time/);
  match(cronProblem("* * * * *", "Nowhere/Else") ?? "", /Nowhere/);
});

Deno.test("a job runs at its times, not while it still runs, and its next time is known", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("job", `echo run; test -e ${folder.path}/hold && sleep 60; exit 0`, {
      schedule: { kind: "interval", everyMs: 30 },
      policy: { restart: "never" },
    }),
  ], folder.path);
  const third = new Promise<void>((resolve) => {
    let runs = 0;
    supervisor.listen((notice) => {
      if (notice.kind === "line" && ++runs === 3) resolve();
    });
  });
  await supervisor.start(never, { except: () => true });
  ok(supervisor.services.get("job")!.is("idle"));
  ok(supervisor.nextStartMs("job")! > Date.now() - 1_000);
  await third;
  const skipped = until(supervisor, event(/its time has come, but it is running/));
  write(folder.path, { hold: "" });
  await skipped;
});

Deno.test("a time at which a job cannot be started passes, and the next one comes", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("job", "echo run", { schedule: { kind: "interval", everyMs: 30 }, policy: { restart: "never" } }),
  ], folder.path);
  await supervisor.start(never, { except: () => true });
  await until(supervisor, isState("finished"));
  const place = `${folder.path}/services/job`;
  Deno.renameSync(place, `${folder.path}/away`);
  Deno.writeTextFileSync(place, "no folder");
  await until(supervisor, event(/Not a directory/));
  await until(supervisor, event(/Not a directory/));
  Deno.removeSync(place);
  Deno.renameSync(`${folder.path}/away`, place);
  await until(supervisor, (notice) => notice.kind === "line" && notice.line.text === "run");
});

Deno.test("a job that is started by the clock finds what it needs", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("db", "exec sleep 60"),
    shell("job", "exec sleep 60", {
      schedule: { kind: "interval", everyMs: 20 },
      policy: { restart: "never" },
      dependsOn: [{ name: "db", condition: "ready" }],
    }),
  ], folder.path);
  const running = until(supervisor, (notice) => isState("running")(notice) && notice.service === "job");
  await supervisor.start(never, { except: () => true });
  await running;
  ok(supervisor.services.get("db")!.is("running"));
});

Deno.test("a service waits for a line that another one says, also for one that was said before", async () => {
  using folder = new Folder();
  const log: string[] = [];
  const needs = { dependsOn: [{ name: "db", condition: "log", pattern: /^open for (all|many)$/ }] } as const;
  await using supervisor = Supervisor.open([
    shell(
      "db",
      `echo starting; until test -e ${folder.path}/go; do sleep 0.01; done; echo open for all; exec sleep 60`,
    ),
    shell("early", "exec sleep 60", needs),
    shell("late", "exec sleep 60", needs),
  ], folder.path);
  supervisor.listen((notice) => {
    if (notice.kind === "line") log.push(notice.line.text);
    if (isState("running")(notice)) log.push(`${notice.service} runs`);
  });
  const opened = until(supervisor, (notice) => notice.kind === "line");
  const started = supervisor.start(never, { except: (name) => name === "late" });
  await opened;
  write(folder.path, { go: "" });
  await started;
  deepStrictEqual(log, ["db runs", "starting", "open for all", "early runs"]);
  strictEqual(await supervisor.startNeeds(supervisor.services.get("late")!, never), undefined);
});

Deno.test("what a service needs is started with it, and what it cannot have is told", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("web", "exec sleep 60", { dependsOn: [{ name: "api", condition: "ready" }] }),
    shell("api", "exec sleep 60", { dependsOn: [{ name: "db", condition: "ready" }] }),
    shell("db", "exec sleep 60"),
    shell("stuck", "exec sleep 60", { dependsOn: [{ name: "broken", condition: "completed_successfully" }] }),
    shell("broken", "exit 1", { policy: { restart: "never" } }),
  ], folder.path);
  const told = until(supervisor, event(/needs "broken" to be completed_successfully, and that is finished/));
  await supervisor.start(never, { except: (name) => name !== "web" && name !== "stuck" });
  await told;
  const kinds = [...supervisor.services.values()].map(({ state }) => state.kind);
  deepStrictEqual(kinds, ["running", "running", "running", "idle", "finished"]);
});

Deno.test("apply(): what is new is started, what is gone is stopped, what changed is replaced, the rest runs on", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([
    shell("kept", "exec sleep 60"),
    shell("changed", "exec sleep 60"),
    shell("down", "exec sleep 60"),
    shell("gone", "exec sleep 60", { dependsOn: [{ name: "kept", condition: "ready" }] }),
  ], folder.path);
  await supervisor.start(never, { except: (name) => name === "down" });
  const [kept, changed, gone] = ["kept", "changed", "gone"].map((name) => pidOf(supervisor, name));
  await supervisor.apply([
    shell("new", "exec sleep 60", { dependsOn: [{ name: "kept", condition: "ready" }] }),
    shell("kept", "exec sleep 60"),
    shell("changed", "echo second; exec sleep 60"),
    shell("down", "echo other; exec sleep 60"),
  ], { changed: new Set(["changed", "down"]), signal: never });
  deepStrictEqual([...supervisor.services.keys()], ["new", "kept", "changed", "down"]);
  strictEqual(pidOf(supervisor, "kept"), kept);
  ok(pidOf(supervisor, "changed") !== changed);
  ok(supervisor.services.get("new")!.is("running"));
  ok(supervisor.services.get("down")!.is("idle"));
  strictEqual(processStart(gone!), 0n);
  // What makes no sense changes nothing.
  const circle = [shell("a", "true", { dependsOn: [{ name: "a", condition: "ready" }] })];
  await rejects(supervisor.apply(circle, { changed: new Set(), signal: never }), /depend on each other/);
  strictEqual(pidOf(supervisor, "kept"), kept);
});

Deno.test("what a manager left of a service that is none any more is ended by the next one", async () => {
  using folder = new Folder();
  const first = Supervisor.open([shell("old", "exec sleep 60"), shell("kept", "exec sleep 60")], folder.path);
  await first.start(never);
  const [old, kept] = [pidOf(first, "old"), pidOf(first, "kept")];
  await first.release();
  {
    await using second = Supervisor.open([shell("kept", "exec sleep 60")], folder.path);
    const told = until(second, event(/is no service any more, and is ended/));
    await second.start(never);
    await told;
    strictEqual(pidOf(second, "kept"), kept);
  }
  strictEqual(processStart(old), 0n);
});

/** Takes its time to end. */
const SLOW = `trap 'sleep 0.2; exit 0' TERM; echo up; while :; do sleep 0.01; done`;

Deno.test("apply(): what is removed stays down, and what has to stop stops, whoever restarts it meanwhile", async () => {
  using folder = new Folder();
  const readiness = { kind: "log", pattern: /up/ } as const;
  const specs = ["gone", "moved"].map((name) => shell(name, SLOW, { readiness }));
  await using supervisor = Supervisor.open(specs, folder.path);
  await supervisor.start(never);
  const [gone, moved] = ["gone", "moved"].map((name) => supervisor.services.get(name)!) as [Service, Service];
  const pids = ["gone", "moved"].map((name) => pidOf(supervisor, name));
  const applying = supervisor.apply([{ ...specs[1]!, lifetime: "persistent" }], {
    changed: new Set(["moved"]),
    signal: never,
  });
  strictEqual(gone.request("restart"), false);
  await until(supervisor, (notice) => isState("stopping")(notice) && notice.service === "moved");
  strictEqual(moved.request("restart"), true);
  await applying;
  strictEqual(gone.request("start"), false);
  deepStrictEqual([gone.state.kind, moved.state.kind, gone.isDismissed], ["idle", "running", true]);
  deepStrictEqual(pids.map((pid) => processStart(pid)), [0n, 0n]);
  strictEqual(gone.ledger.places("run").length, 1);
  moved.request("stop");
  await supervisor.until(moved, (service) => service.is("idle"));
});

Deno.test("apply(): a service that waits for what does not come is waited for until the signal fires, and comes later", async () => {
  using folder = new Folder();
  const flag = `${folder.path}/flag`;
  const broken = shell("broken", `test -e ${flag} && exec sleep 60; exit 1`, {
    readiness: { kind: "exec", command: { argv: ["test", "-e", flag] }, everyMs: 5 },
    policy: { backoff: { firstMs: 10, factor: 1, maxMs: 10 } },
  });
  await using supervisor = Supervisor.open([broken], folder.path);
  await supervisor.start(AbortSignal.timeout(50));
  const needs = shell("needs", "exec sleep 60", { dependsOn: [{ name: "broken", condition: "ready" }] });
  const overtaken = new AbortController();
  const applying = supervisor.apply([broken, needs], { changed: new Set(), signal: overtaken.signal });
  overtaken.abort();
  await applying;
  strictEqual(supervisor.services.get("needs")!.state.kind, "idle");
  Deno.writeTextFileSync(flag, "");
  await supervisor.until(supervisor.services.get("needs")!, (service) => service.is("running"));
});

Deno.test("apply(): what is done with one signal again and again leaves nothing on it", async () => {
  using folder = new Folder();
  await using supervisor = Supervisor.open([], folder.path);
  await supervisor.start(never);
  const { signal } = new AbortController();
  const heard = new Set<unknown>();
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: object,
  ) => {
    heard.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    heard.delete(listener);
    remove(type, listener);
  };
  for (const specs of [[shell("a", "true")], [], [shell("b", "true")], []]) {
    await supervisor.apply(specs, { changed: new Set(), signal, except: () => true });
  }
  strictEqual(heard.size, 0);
});
