/** What `.mcp-run` can say beyond upstream, each with real processes. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { kernelPathExists } from "../../ffi/files/mod.ts";
import { ConfigError } from "../../lib/config/mod.ts";
import { loadBpmConfig } from "../../lib/bpm/mod.ts";
import { findHierarchies } from "../../lib/supervisor/cgroups.ts";
import { freePort } from "../free_port.ts";
import { Project, shell } from "./_project.ts";

const never = new AbortController().signal;
const IS_ROOT = Deno.uid() === 0;
const CONTROLLERS = findHierarchies().flatMap(({ controllers }) => controllers);

/** A project that is not started yet. */
function project(...processes: string[]): Project {
  return new Project({
    ".mcp-run": `mcp_port = 0\nrelease_crash_backoff_initial_seconds = 0\n${processes.join("\n")}`,
  });
}

/** The environment of a process as `env` prints it. */
async function saying(of: Project, name: string, pattern: RegExp): Promise<string> {
  let found = "";
  await of.until(`${pattern} of ${name}`, async () => {
    found = await of.call("search_logs", { process: name });
    return pattern.test(found);
  });
  return found;
}

function states(of: Project): Record<string, string> {
  return Object.fromEntries(
    [...of.manager.supervisor.services].map(([name, { state }]) => [name, state.kind]),
  );
}

Deno.test("replicas are several processes with numbers and ports, restarted one after the other, depended on as one", async () => {
  const port = freePort();
  await using it = project(
    shell("api", "echo $REPLICA $PORT; exec sleep 60", `replicas = 3\nport = ${port}`),
    shell("web", "exec sleep 60", `depends_on = { api = "ready" }`),
  );
  await it.manager.start(never);
  deepStrictEqual(states(it), { "api.1": "running", "api.2": "running", "api.3": "running", web: "running" });
  for (const replica of [1, 2, 3]) {
    await saying(it, `api.${replica}`, new RegExp(`^${replica} ${port + replica - 1}$`, "m"));
  }
  await rejects(
    it.call("search_logs", { process: "api" }),
    /several processes: ask for one of api\.1, api\.2, api\.3/,
  );
  const log: string[] = [];
  it.manager.supervisor.listen((notice) => {
    if (notice.kind === "state" && notice.state.kind === "running") log.push(notice.service);
  });
  await it.manager.restart("api", never);
  deepStrictEqual(log, ["api.1", "api.2", "api.3"]);
});

Deno.test("ports that no manager has chosen are chosen anew", async () => {
  for (const strange of ['{"api":700000}', '{"api":-1}', "[", '{"api":0}']) {
    await using it = project(shell("api", "echo port $PORT; exec sleep 60", "port = 0"));
    it.write({ ".state/ports.json": strange });
    await it.manager.start(never);
    const port = Number(/port (\d+)/.exec(await saying(it, "api", /port \d+/))![1]);
    ok(port > 0 && port < 65_536, `${strange} gave ${port}`);
  }
});

Deno.test("a group is started and stopped by its name", async () => {
  await using it = project(
    shell("a", "exec sleep 60", `groups = ["front", "all"]`),
    shell("b", "exec sleep 60", `groups = ["all"]\nautostart = false`),
    shell("c", "exec sleep 60"),
  );
  await it.manager.start(never);
  deepStrictEqual(states(it), { a: "running", b: "idle", c: "running" });
  await it.call("start", { process: "@all" });
  deepStrictEqual(states(it), { a: "running", b: "running", c: "running" });
  await it.call("stop", { process: "@all" });
  deepStrictEqual(states(it), { a: "idle", b: "idle", c: "running" });
  await rejects(it.call("stop", { process: "@none" }), /Process '@none' not found/);
});

Deno.test("a port that somebody has is told with who has it; one that may be any is free, and stays", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  await using it = project(
    shell("fixed", "exec sleep 60", `port = ${taken.addr.port}`),
    shell("any", "echo $PORT; exec sleep 60", "port = 0"),
  );
  const told = new Promise<string>((resolve) => {
    it.manager.supervisor.listen((notice) =>
      notice.kind === "event" && notice.service === "fixed" && resolve(notice.text)
    );
  });
  const started = it.manager.start(never);
  match(
    await told,
    new RegExp(`Cannot give port ${taken.addr.port} to "fixed": it is held by pid ${Deno.pid}, deno`),
  );
  taken.close();
  await started;
  const first = await saying(it, "any", /^\d+$/m);
  await it.manager.restart("any", never);
  strictEqual(await saying(it, "any", /^\d+$/m), first);
});

Deno.test("variables that commands print are there at each start, and masked; a command that fails is told", async () => {
  await using it = project(
    shell("api", "echo token is $TOKEN; exec sleep 60", `env_command = { TOKEN = "cat token" }`),
    shell("bad", "exec sleep 60", `restart = "never"\nenv_command = { KEY = "echo sorry >&2; exit 3" }`),
  );
  it.write({ token: "first-secret\n" });
  const told = new Promise<string>((resolve) => {
    it.manager.supervisor.listen((notice) => notice.kind === "event" && resolve(notice.text));
  });
  await it.manager.start(never);
  match(await told, /Cannot ask for KEY with "echo sorry >&2; exit 3": exit code 3: sorry/);
  strictEqual(await saying(it, "api", /token/), "token is ***");
  it.write({ token: "second-secret\n" });
  await it.manager.restart("api", never);
  strictEqual(await saying(it, "api", /token/), "token is ***");
  strictEqual(it.manager.mask("a first-secret, a second-secret"), "a ***, a ***");
});

Deno.test("environment files are read anew at each start", async () => {
  await using it = project(shell("api", "echo it is $COLOUR; exec sleep 60", `env_file = [".env"]`));
  it.write({ ".env": "COLOUR=red\n" });
  await it.manager.start(never);
  await saying(it, "api", /it is red/);
  it.write({ ".env": "COLOUR=blue\n" });
  await it.manager.restart("api", never);
  await saying(it, "api", /it is blue/);
});

Deno.test({
  name: "memory of a process is limited, and it is told when the kernel ended it for that",
  ignore: !IS_ROOT || !CONTROLLERS.includes("memory"),
  fn: async () => {
    const greedy = `import time\nx = bytearray(256 * 2**20)\nprint("got it", flush=True)\ntime.sleep(60)`;
    await using it = project(
      `[process.greedy]\ncommand = ["/usr/bin/python3", "-c", ${JSON.stringify(greedy)}]
restart = "never"\n[process.greedy.limits]\nmemory = "64MiB"\n`,
    );
    const told = new Promise<string>((resolve) => {
      it.manager.supervisor.listen((notice) => notice.kind === "event" && resolve(notice.text));
    });
    await it.manager.start(never);
    match(await told, /the kernel ended some of it: its memory limit was reached/);
    const { state } = it.manager.service("greedy");
    ok(state.kind === "finished" && state.outcome.kind === "exited");
    strictEqual(state.outcome.signal, "SIGKILL");
  },
});

Deno.test({
  name: "the number of processes and the time of CPUs are limited by cgroups, which are gone after it",
  ignore: !IS_ROOT || !CONTROLLERS.includes("pids") || !CONTROLLERS.includes("cpu"),
  fn: async () => {
    const forks =
      `import os\nfor n in range(50):\n  try:\n    if os.fork() == 0: os._exit(0) if os.read(0, 1) else os._exit(0)
  except BlockingIOError: print("refused after", n, flush=True); break\nimport time; time.sleep(60)`;
    let cgroups: string[] = [];
    {
      await using it = project(
        `[process.many]\ncommand = ["/usr/bin/python3", "-c", ${JSON.stringify(forks)}]\nstdin = true\n` +
          "[process.many.limits]\nprocesses = 8\ncpus = 0.5\n",
      );
      await it.manager.start(never);
      await saying(it, "many", /refused after \d/);
      const { folder } = it.manager.service("many").current!.place;
      cgroups = Deno.readTextFileSync(`${folder}/cgroups`).split("\n");
      const set = cgroups.flatMap((path) =>
        ["cpu.max", "cpu.cfs_quota_us", "pids.max"].flatMap((file) =>
          kernelPathExists(`${path}/${file}`) ? [Deno.readTextFileSync(`${path}/${file}`).trim()] : []
        )
      );
      ok(set.includes("8"), `${set}`);
      ok(set.includes("50000") || set.includes("50000 100000"), `${set}`);
    }
    deepStrictEqual(cgroups.filter(kernelPathExists), []);
  },
});

Deno.test({
  name: "a process runs as another user, with its groups, umask, rlimits and signal",
  ignore: !IS_ROOT,
  fn: async () => {
    await using it = project(
      shell(
        "who",
        `trap "echo got INT; exit 0" INT; id -un; id -gn; umask; ulimit -n; echo $HOME $USER; while :; do sleep 0.05; done`,
        `user = "nobody"\ngroup = "daemon"\numask = "027"\nrlimits = { nofile = "100:200" }\nstop_signal = "SIGINT"\ncwd = "/"`,
      ),
    );
    await it.manager.start(never);
    const said = await saying(it, "who", /nobody$/m);
    deepStrictEqual(said.split("\n").slice(0, 4), ["nobody", "daemon", "0027", "100"]);
    match(said, /^\/nonexistent nobody$/m);
    await it.manager.stopOne("who", never);
    match(await it.call("search_logs", { process: "who" }), /got INT/);
  },
});

Deno.test({
  name: "a server that runs as another user cannot ask our keeper for its socket: it is told a port",
  ignore: !IS_ROOT,
  fn: async () => {
    const port = freePort();
    const script = "exec python3 -m http.server --bind 127.0.0.1 --directory / $PORT";
    await using it = project(
      shell("web", script, `listen = "127.0.0.1:${port}"\nuser = "nobody"\ncwd = "/"`),
    );
    await it.manager.start(never);
    const { rung } = it.manager.service("web").front!;
    deepStrictEqual([rung.kind, rung.socket], ["proxy", "told"]);
    match(rung.reason, /it runs as another user, so it has to take its port from PORT/);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    await answer.body?.cancel();
    strictEqual(answer.status, 200);
  },
});

Deno.test("a change of watched files builds and restarts in dev mode", async () => {
  await using it = project(
    shell(
      "api",
      "cat built; exec sleep 60",
      `build = ["cp", "src/main", "built"]\n[process.api.watch]\npaths = ["src/**"]`,
    ),
  );
  it.write({ "src/main": "one\n" });
  await it.manager.start(never);
  await saying(it, "api", /one/);
  strictEqual(it.manager.mode, "release");
  it.write({ "src/main": "two, and longer\n" });
  await saying(it, "api", /two/);
  strictEqual(it.manager.mode, "dev");
});

Deno.test("what has a schedule waits for its time, and is not started again by itself", async () => {
  await using it = project(
    shell("backup", "echo saved", `[process.backup.schedule]\nevery = "1s"`),
    shell("nightly", "echo never", `[process.nightly.schedule]\ncron = "0 3 1 1 *"`),
  );
  await it.manager.start(never);
  deepStrictEqual(states(it), { backup: "idle", nightly: "idle" });
  await it.until("its time", () => it.manager.service("backup").is("finished"));
  ok(it.manager.service("nightly").is("idle"));
});

Deno.test("reload: new ones start, removed ones stop, changed ones are replaced, the others run on", async () => {
  const kept = shell("kept", "exec sleep 60");
  await using it = project(kept, shell("changed", "echo one; exec sleep 60"), shell("gone", "exec sleep 60"));
  await it.manager.start(never);
  const pid = it.manager.service("kept").current!.place.number;
  const next = (text: string) => it.write({ ".mcp-run": `mcp_port = 0\nlog_mib = 10\n${text}` });
  next(`${kept}${shell("changed", "echo two; exec sleep 60")}${shell("new", "exec sleep 60")}`);
  strictEqual(
    await it.call("reload", { dry_run: true }),
    "would be added: new\nwould be removed: gone\nwould be changed: changed",
  );
  deepStrictEqual(Object.keys(states(it)), ["kept", "changed", "gone"]);
  strictEqual(await it.call("reload"), "added: new\nremoved: gone\nchanged: changed");
  deepStrictEqual(states(it), { kept: "running", changed: "running", new: "running" });
  strictEqual(it.manager.service("kept").current!.place.number, pid);
  await saying(it, "changed", /two/);
  // Those that ask at once are answered one after the other.
  deepStrictEqual(
    await Promise.all([it.call("reload"), it.call("reload")]),
    Array(2).fill("Nothing has changed"),
  );
  next(`${kept}[process.new`);
  await rejects(it.call("reload"), /Cannot parse configuration .*\.mcp-run:\d+:/);
  next(shell("kept", "exec sleep 60", `depends_on = { kept = "ready" }`));
  await rejects(it.call("reload"), /depend on each other: kept -> kept/);
  deepStrictEqual(states(it), { kept: "running", changed: "running", new: "running" });
});

Deno.test("what is expanded has to make sense too, and the process is named", async () => {
  await using it = project(shell("x", "true", 'expand = true\nlisten = "${NO_SUCH_HOST:-nowhere}"'));
  throws(
    () => it.manager,
    /Cannot make process "x": expanded, it has "nowhere" as "listen", expected HOST:PORT/,
  );
});

Deno.test("a reload that waits for what does not come is overtaken by the next one", async () => {
  const head = "mcp_port = 0\nrelease_crash_backoff_initial_seconds = 0\n";
  const broken = (script: string) => shell("broken", script, `ready = { log = "up" }`);
  const needs = shell("needs", "exec sleep 60", `depends_on = { broken = "ready" }`);
  await using it = project(broken("exit 1"));
  await it.manager.start(AbortSignal.timeout(50));
  it.write({ ".mcp-run": `${head}${broken("exit 1")}${needs}` });
  const waiting = it.call("reload");
  await it.until("a service more", () => it.manager.supervisor.services.has("needs"));
  it.write({ ".mcp-run": `${head}${broken("echo up; exec sleep 60")}${needs}` });
  strictEqual(await it.call("reload"), "changed: broken");
  strictEqual(await waiting, "added: needs");
  await it.until("both", () => states(it).broken === "running" && states(it).needs === "running");
});

Deno.test("a stop that somebody overtakes with a restart says so", async () => {
  await using it = project(shell("slow", "trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.01; done"));
  await it.manager.start(never);
  const stopping = it.call("stop", { process: "slow" });
  await it.until("the stop", () => states(it).slow === "stopping");
  it.manager.service("slow").request("restart");
  await rejects(stopping, /Process 'slow' was started again meanwhile/);
});

Deno.test("configurations that make no sense are refused by name", () => {
  const folder = Deno.makeTempDirSync();
  const refused = (more: string): string => {
    Deno.writeTextFileSync(`${folder}/.mcp-run`, `mcp_port = 0\n${shell("x", "true", more)}`);
    try {
      loadBpmConfig(`${folder}/.mcp-run`);
      return "";
    } catch (error) {
      ok(error instanceof ConfigError, String(error));
      return error.message.replace(/^.*\.mcp-run:? ?/, "");
    }
  };
  match(refused(`depends_on = { y = "log:(" }`), /being "log:\(", expected one of started, .*, log:REGEX/);
  match(refused(`restart = "sometimes"`), /restart "sometimes", expected one of always, on-failure, never/);
  match(
    refused(`[process.x.schedule]\ncron = "61 * * * *"`),
    /schedule "61 \* \* \* \*" that cannot be read/,
  );
  match(refused(`[process.x.schedule]\ncron = "@daily"\nevery = "1h"`), /both "cron" and "every"/);
  match(refused(`umask = "999"`), /umask "999", expected up to four octal digits/);
  match(refused(`[process.x.watch]\npaths = ["../x"]`), /watches "\.\.\/x", expected a path inside/);
  match(refused(`rlimits = { files = 3 }`), /limits "files", expected one of cpu/);
  match(refused(`rlimits = { nofile = "many" }`), /limits "nofile" to "many"/);
  match(refused(`rlimits = { nofile = "200:100" }`), /limits "nofile" to "200:100"/);
  match(refused(`[process.x.limits]\nmemory = "much"`), /expected a size such as "512MiB"/);
  match(refused(`listen = "8080"`), /\[process\.x\] has "8080" as "listen", expected HOST:PORT/);
  match(refused(`listen = "example.com:80"`), /"example\.com:80" as "listen", expected a numeric address/);
  match(
    refused(`ready = { tcp = "127.0.0.1:0" }`),
    /"127\.0\.0\.1:0" as "tcp" in "ready", expected HOST:PORT/,
  );
  match(refused(`live = { http = "here" }`), /"here" as "http" in "live", expected a URL/);
  strictEqual(refused(`listen = "[::1]:80"\nready = { tcp = ":80" }`), "");
  match(refused(`replicas = 0`), /expected a whole number from 1 to 100/);
  Deno.removeSync(folder, { recursive: true });
});
