/** Upstream's defects, by their numbers in the facts on process managers (1.6), each as what holds here instead. */
import { more } from "../more.ts";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { sleep } from "../../lib/async/mod.ts";
import { freePort } from "../free_port.ts";
import { Project } from "./_project.ts";
import { Served } from "./_served.ts";

const never = new AbortController().signal;

function project(text: string): Project {
  return new Project({ ".mcp-run": `mcp_port = 0\nrelease_crash_backoff_initial_seconds = 0\n${text}` });
}

/** 0 while none runs. */
function pidOf(of: Project, name: string): number {
  const status = of.manager.service(name).current?.status();
  return status?.kind === "running" ? status.pid : 0;
}

/** The processor time of a process, in clock ticks; 0 when it has ended. */
async function ticksOf(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/stat`], stderr: "null" }).output();
  const fields = new TextDecoder().decode(stdout).replace(/^.*\) /, "").split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

Deno.test("1: after a restart whose build failed a crash is still a crash, and the process comes back", async () => {
  await using it = project(
    `dev_crash_wait_seconds = 0
[process.api]\ncommand = ["sleep", "60"]\nbuild = ["test", "!", "-e", "broken"]\n`,
  );
  await it.manager.start(never);
  it.write({ broken: "" });
  await rejects(it.call("restart", { process: "api" }), /could not be replaced, the one before runs on/);
  Deno.removeSync(`${it.folder}/broken`);
  const before = pidOf(it, "api");
  Deno.kill(before, "SIGKILL");
  await it.until("another one", () => ![0, before].includes(pidOf(it, "api")));
});

Deno.test("1, 2: a manager whose process cannot be built, or takes long to end, does not spin", async () => {
  const stubborn = `trap "" TERM; echo up; while :; do sleep 0.1; done`;
  await using served = new Served(
    `[process.slow]\ncommand = ["/bin/sh", "-c", ${
      JSON.stringify(stubborn)
    }]\ngrace = "2s"\nready = { log = "^up$" }
[process.broken]\ncommand = ["true"]\nbuild = ["false"]\nbackoff = { first = "1h" , max = "1h" }\n`,
  );
  const manager = served.command(["serve", served.folder], { stderr: "null" }).spawn();
  const lines = manager.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; !text.includes("[slow] up");) text += await more(lines);
  const before = await ticksOf(manager.pid);
  const beganMs = performance.now();
  manager.kill("SIGTERM");
  await lines.cancel();
  // It waits until nothing is left of the slow one, which is killed after two seconds.
  let ticks = before;
  const ended = new AbortController();
  const status = manager.status.then(() => ended.abort());
  while (!ended.signal.aborted) {
    ticks = Math.max(ticks, await ticksOf(manager.pid));
    await sleep(100, { signal: ended.signal }).catch(() => "It has ended.");
  }
  await status;
  const lastedTicks = (performance.now() - beganMs) / 10;
  ok(ticks - before < lastedTicks / 2, `${ticks - before} of ${lastedTicks} ticks`);
});

Deno.test("4: what a process has started ends with it, and its port is free", async () => {
  const port = freePort();
  const server =
    `import http.server\nhttp.server.test(http.server.BaseHTTPRequestHandler, port=${port}, bind="127.0.0.1")`;
  const script = `/usr/bin/python3 -c '${server}' & wait`;
  await using it = project(
    `[process.npm]\ncommand = ["/bin/sh", "-c", ${
      JSON.stringify(script)
    }]\nready = { tcp = "127.0.0.1:${port}" }\n`,
  );
  await it.manager.start(never);
  await it.call("stop", { process: "npm" });
  Deno.listen({ hostname: "127.0.0.1", port }).close();
});

Deno.test("5: a manager that is asked to end ends its processes first", async () => {
  await using served = new Served(
    `[process.api]\ncommand = ["/bin/sh", "-c", "echo pid $$; exec sleep 60"]\n`,
  );
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const manager = served.command([served.folder], { stderr: "null" }).spawn();
    const lines = manager.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!/pid \d+\n/.test(text)) text += await more(lines);
    manager.kill(signal);
    await lines.cancel();
    strictEqual((await manager.status).code, 0);
    strictEqual(processStart(Number(/pid (\d+)/.exec(text)![1])), 0n, signal);
  }
});

Deno.test("6: of one that has crashed no uptime is told, and of its events five", async () => {
  await using it = project(
    `[process.api]\ncommand = ["false"]\nmax_failures = 8\n[process.up]\ncommand = ["sleep", "60"]\n`,
  );
  await it.manager.start(never);
  await it.until("its end", () => it.manager.service("api").is("finished"));
  const text = await it.call("get_status");
  const [, api, up] = / {2}api: (.*) {2}up: (.*)/s.exec(text) ?? [];
  match(api!, /^crashed/);
  ok(!api!.includes("Uptime"), api);
  strictEqual(api!.match(/^ {6}- /gm)?.length, 5);
  match(up!, /Uptime: 0 hours 0 minutes/);
});

Deno.test("6: builds go on at the same time, and whoever asks meanwhile is answered", async () => {
  // Each build ends once the other has begun.
  const build = (own: string, other: string) =>
    `["/bin/sh", "-c", "touch ${own}; until test -e ${other}; do sleep 0.01; done"]`;
  await using it = project(
    `[process.a]\ncommand = ["sleep", "60"]\nbuild = ${build("a", "b")}
[process.b]\ncommand = ["sleep", "60"]\nbuild = ${build("b", "go")}\n`,
  );
  const started = it.manager.start(never);
  await it.until("the first one", () => it.manager.service("a").is("running"));
  match(await it.call("get_status"), /a: running[^]*b: idle/);
  it.write({ go: "" });
  await started;
});

Deno.test("6: of restarts at the same time each is answered with a process that runs, and one is left", async () => {
  await using it = project(`[process.api]\ncommand = ["/bin/sh", "-c", "echo up; exec sleep 60"]\n`);
  await it.manager.start(never);
  const answers = await Promise.allSettled(
    Array.from({ length: 5 }, () => it.call("restart", { process: "api" })),
  );
  deepStrictEqual(answers.map(({ status }) => status), Array(5).fill("fulfilled"));
  const { ledger } = it.manager.service("api");
  const pid = pidOf(it, "api");
  ok(pid > 0 && processStart(pid) !== 0n);
  strictEqual(ledger.places("run").at(-1)?.number, it.manager.service("api").current!.place.number);
});
