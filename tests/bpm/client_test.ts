/** The commands of bpm that ask a project which runs, each against a real `bpm serve`. */
import { more } from "../more.ts";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { hasTmux, Tmux } from "../bpm_tui/tmux.ts";
import { Served } from "./_served.ts";

const PROCESSES = `
[process.db]
command = ["sh", "-c", "echo db up; exec sleep 1000"]
[process.api]
command = ["sh", "-c", "echo listening; while read line; do echo got $line; [ $line = oops ] && echo bad >&2; [ $line = end ] && exit 7; done"]
stdin = true
depends_on = { db = "ready" }
url = "http://127.0.0.1:1"
restart = "never"
build = ["echo", "compiled"]
env_file = [".env"]
`;

const HAS_IPV6 = Deno.networkInterfaces().some(({ address }) => address === "::1");

/** One project for commands that only look, and for those that change it, in this order. */
Deno.test("commands tell, follow and steer a project that runs", async (test) => {
  await using project = await new Served(PROCESSES, { ".env": "SECRET=hush-hush\n" }).startAll();
  const text = async (...words: string[]) => {
    const { code, out, err } = await project.run(...words);
    strictEqual(code, 0, err);
    return out;
  };
  const json = async (...words: string[]) => JSON.parse(await text(...words, "--json"));

  await test.step("list and ps: a table with CPU and memory, and the names for completion", async () => {
    const table = await text("list");
    match(table, /^NAME +STATE +PID +CPU +MEMORY +UPTIME +RESTARTS +URL\n/);
    match(table, /^api +running +\d+ +\d+\.\d% +\d+\.\d [KM]iB +\d+s +0 +http:\/\/127\.0\.0\.1:1$/m);
    match(await text("ps"), /^db +running/m);
    strictEqual(await text("list", "--names"), "db\napi\n");
    const { services } = await json("ps");
    deepStrictEqual(services.map(({ name, state }: Named) => [name, state]), [["db", "running"], [
      "api",
      "running",
    ]]);
    ok(services[0].memoryBytes > 0 && services[0].cpuRatio >= 0);
  });

  await test.step("status, usage, graph and explain: for people, and as data", async () => {
    match(await text("status"), /^Mode: Release\n[^]* {2}api: running/);
    match(await text("usage"), /^db: .*CPU, .* MiB, 1 process$/m);
    strictEqual((await json("usage")).services.length, 2);
    strictEqual(await text("graph"), "api  running\n└─ db  running  ✔ ready\n");
    deepStrictEqual((await json("graph")).edges, [
      { from: "api", to: "db", condition: "ready", holds: "yes" },
    ]);
    match(await text("explain", "api"), /^Process 'api' is running\nNo failure is kept/);
    strictEqual((await json("explain", "api")).failure, null);
  });

  await test.step("send, wait and logs: a line goes in, and what comes of it is found, secrets masked", async () => {
    strictEqual(await text("send", "api", "hush-hush"), "Sent 10 characters to 'api'\n");
    match(await text("wait", "api", "--pattern", "got .*"), /got \*\*\*/);
    await text("send", "api", "oops");
    await text("wait", "api", "-p", "bad");
    strictEqual(await text("logs", "api", "-p", "bad|got"), "got ***\ngot oops\n[stderr] bad\n");
    strictEqual(
      await text("logs", "api", "-p", "\\*{3}", "-C", "1"),
      "   listening\n * got ***\n   got oops\n",
    );
    strictEqual(await text("logs", "api", "-n", "1", "--index", "0"), "[stderr] bad\n");
    match(await text("logs"), /^\[db\] db up$[^]*^\[api\] listening$|^\[api\] listening$[^]*^\[db\] db up$/m);
    strictEqual(await text("logs", "api", "--build"), "compiled\n");
    strictEqual(await text("logs", "db", "--since", "1ms"), "");
    match(await text("logs", "db", "-t"), /^\d\d:\d\d:\d\d\.\d{3} db up\n$/);
    const line = JSON.parse(await text("logs", "db", "--json"));
    const { timeMs, ...others } = line;
    ok(Math.abs(Date.now() - timeMs) < 120_000);
    deepStrictEqual(others, { process: "db", of: "run", instance: 1, stream: "stdout", text: "db up" });
  });

  await test.step("logs -f goes on with what comes, into the next instance, until it is interrupted", async () => {
    const child = project.command(["logs", "-f"]).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    const until = async (pattern: RegExp) => {
      while (!pattern.test(said)) said += await more(reader);
    };
    await until(/\[db\] db up/);
    await text("send", "api", "more");
    await until(/^\[api\] got more$/m);
    await text("restart", "db");
    await until(/\[db\] db up[^]*\[db\] db up/);
    child.kill("SIGINT");
    strictEqual((await child.status).code, 130);
    await reader.cancel();
    await child.stderr.cancel();
  });

  await test.step("logs -f ends without a word when nobody reads it any more", async () => {
    const child = new Deno.Command("sh", {
      args: ["-c", '"$@" | head -n 1', "sh", ...toolCommand("bpm"), "logs", "-f"],
      cwd: project.folder,
      env: project.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    ok((await reader.read()).value !== undefined);
    let ended = false;
    const status = child.status.then(() => ended = true);
    for (; !ended; await Promise.race([status, new Promise((resolve) => setTimeout(resolve, 50))])) {
      await text("send", "api", "is anybody there");
    }
    strictEqual(await new Response(child.stderr).text(), "");
    await reader.cancel();
  });

  await test.step("wait tells by its code whether it was met, and refuses two conditions", async () => {
    strictEqual(await text("wait", "api"), "Process 'api' is running\n");
    deepStrictEqual(await json("wait", "api", "--state", "running"), {
      met: true,
      found: "Process 'api' is running",
      state: "running",
    });
    strictEqual(
      await text("wait", "api", "--port", `${project.port}`),
      `Port ${project.port} takes connections\n`,
    );
    const late = await project.run("wait", "api", "--exit", "--timeout", "50ms");
    deepStrictEqual([late.code, late.out], [1, "Not within 0.05 s; process 'api' is running\n"]);
    strictEqual((await project.run("wait", "api", "--exit", "--port", "1")).code, 2);
    match((await project.run("wait", "api", "--state", "dead")).err, /state/);
    await text("send", "api", "end");
    strictEqual(await text("wait", "api", "--exit"), "Process 'api' is finished\n");
    match(await text("explain", "api"), /exit code 7/);
    match(await text("list"), /^api +finished \(exit 7\) +- +- +- +- /m);
  });

  await test.step("start, stop and restart: one process each", async () => {
    strictEqual(await text("start", "api"), "Process 'api' started\n");
    strictEqual(await text("stop", "api"), "Process 'api' stopped\n");
    deepStrictEqual(await json("stop", "api"), { process: "api", state: "idle", pid: null, mode: "dev" });
    const told = await project.run("restart", "api", "--verbose");
    match(told.err, /^api: building\n[^]*\[build\] compiled\n[^]*api: running\n$/);
    strictEqual(told.out, "Process 'api' restarted successfully in dev mode\n");
    await text("stop", "api");
    match((await project.run("restart", "no")).err, /^bpm: Process 'no' not found \(there are: db, api\)/);
  });

  await test.step("what cannot be done is said in one line, with code 1 or 2", async () => {
    const failures: [string[], number, RegExp][] = [
      [["logs", "no"], 1, /^bpm: Process 'no' not found \(there are: api, db\)/],
      [["logs", "db", "--index", "7"], 1, /^bpm: Log instance 7 not found \(have \d instances\)/],
      [["logs", "db", "-p", "("], 1, /^bpm: Invalid regex pattern: /],
      [["attach", "no"], 1, /^bpm: Process 'no' not found/],
      [["attach", "api"], 1, /^bpm: Cannot attach to process 'api': it does not run/],
      [["attach", "db", "--detach-keys", "F1"], 2, /^bpm: Cannot read keys "F1": "F1" is none/],
      [["wait", "no"], 1, /^bpm: Process 'no' not found/],
    ];
    await Promise.all(failures.map(async ([words, code, wanted]) => {
      const said = await project.run(...words);
      strictEqual(said.code, code, words.join(" "));
      match(said.err, wanted);
    }));
  });

  await test.step("a process without a terminal is followed to its end, with its exit code", async () => {
    await text("start", "api");
    const child = project.command(["attach", "api"]).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("listening")) said += await more(reader);
    await text("send", "api", "end");
    strictEqual((await child.status).code, 7);
    match(
      await new Response(child.stderr).text(),
      /^following api, which has no terminal; Ctrl-C ends\n[^]*api has ended: exit 7\n$/,
    );
    await reader.cancel();
  });
});

interface Named {
  readonly name: string;
  readonly state: string;
}

Deno.test({
  name: `a manager that listens on IPv6 is asked there${HAS_IPV6 ? "" : " (needs ::1)"}`,
  ignore: !HAS_IPV6,
  fn: async () => {
    await using project = new Served('host = "::1"\n[process.api]\ncommand = ["sleep", "1000"]\n');
    await project.startAll();
    match((await project.run("status")).out, /api: running/);
  },
});

Deno.test("logs are there when no manager runs, and of a project that never ran there are none", async () => {
  await using project = await new Served(
    '[process.once]\ncommand = ["echo", "I was here"]\nrestart = "never"\n',
  ).startAll();
  await project.run("wait", "once", "--exit");
  await project.stop();
  strictEqual((await project.run("logs", "once")).out, "I was here\n");
  strictEqual((await project.run("logs")).out, "[once] I was here\n");
  match((await project.run("status")).err, /nobody answers there; start it with: bpm serve/);
});

Deno.test("logs of a name are those of all its replicas, and with @ of a group; list and graph show each", async () => {
  await using project = await new Served(
    '[process.web]\ncommand = ["sh", "-c", "echo web $REPLICA; exec sleep 100"]\nreplicas = 2\ngroups = ["front"]\n' +
      '[process.db]\ncommand = ["sh", "-c", "echo db; exec sleep 100"]\n',
  ).startAll();
  for (const name of ["web.1", "web.2", "db"]) await project.run("wait", name, "--pattern", "web|db");
  const lines = async (...words: string[]) =>
    (await project.run("logs", ...words)).out.trim().split("\n").sort();
  deepStrictEqual(await lines("web"), ["[web.1] web 1", "[web.2] web 2"]);
  deepStrictEqual(await lines("@front", "db"), ["[db] db", "[web.1] web 1", "[web.2] web 2"]);
  deepStrictEqual(await lines("web.2"), ["web 2"]);
  match((await project.run("logs", "@back")).err, /^bpm: Group '@back' not found/);
  match((await project.run("list")).out, /^web\.1 +running[^]*^web\.2 +running/m);
  strictEqual((await project.run("graph")).out, "web.1  running\nweb.2  running\ndb  running\n");
  match((await project.run("stop", "@front")).out, /^Process '@front' stopped/);
});

Deno.test({
  name: `two terminals share a process's terminal, leave it by the detach keys, and see its end${
    hasTmux() ? "" : " (needs tmux)"
  }`,
  ignore: !hasTmux(),
  async fn() {
    const shell = ["sh", "-c", "PS1='$ ' exec sh -i"];
    await using project = await new Served(
      `[process.repl]\ncommand = ${JSON.stringify(shell)}\ntty = true\nrestart = "never"\n`,
    ).startAll();
    const attach = (...words: string[]) => {
      const dir = ["--dir", project.folder];
      return Tmux.start([...toolCommand("bpm"), "attach", "repl", ...dir, ...words], {
        columns: 90,
        rows: 20,
      }, project.env);
    };
    await using first = await attach();
    await first.until(/attached to repl; ctrl-\] leaves it[^]*\$/);
    await using second = await attach("--detach-keys", "ctrl-p,ctrl-q");
    await second.until(/attached to repl; ctrl-p,ctrl-q leaves it/);
    await first.type("stty size; echo he''llo");
    await first.keys("Enter");
    await first.until(/20 90[^]*hello/);
    await second.until(/hello/);
    await second.resize(70, 15);
    await second.type("stty size");
    await second.keys("Enter");
    await second.until(/15 70/);
    await second.keys("C-p", "C-q");
    await second.until(/detached from repl, which goes on\s+ended with 0\nicanon/);
    await first.type("printf '\\033[?1049h'; exit 3");
    await first.keys("Enter");
    await first.until(/repl has ended: exit 3\s+ended with 3\nicanon/);
    strictEqual(await first.fact("#{alternate_on}"), "0");
  },
});
