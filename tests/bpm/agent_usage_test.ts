/** What processes use, as the telemetry agent counts it, where one answers. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { AgentUsage, type KernelView } from "../../lib/agent_client/mod.ts";
import { bpmTools } from "../../lib/bpm/mod.ts";
import { ownCgroup } from "../../lib/services/usage.ts";
import { encodeSnapshotV3, type Snapshot, storeBigint } from "../../lib/metrics/mod.ts";
import type { ToolContext } from "../../lib/mcp/mod.ts";
import { AgentProcess, CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";
import { Project, shell } from "./_project.ts";

/** A task as an agent tells it: two counters. Of a cgroup: its path, and how long it waited. */
interface Told {
  readonly pid: number;
  readonly tgid: number;
  readonly userMs: number;
  readonly systemMs: number;
}
interface ToldCgroup {
  readonly path: string;
  readonly cpuMs: number;
  readonly waitMs: number;
}

function snapshotOf(tasks: readonly Told[], cgroups: readonly ToldCgroup[], atMs: number): Snapshot {
  const entry = ({ pid, tgid }: Told, state: string) => ({
    name: `task_cpu_usage/${state}/${pid}`,
    metadata: {
      metric: "task_cpu_usage",
      sampler: "cpu_usage",
      state,
      pid: `${pid}`,
      tgid: `${tgid}`,
      cgroup: "/a",
      start: "1",
    },
  });
  const words = new Uint32Array(4 * tasks.length);
  for (const [at, { userMs, systemMs }] of tasks.entries()) {
    storeBigint(words, at, BigInt(userMs) * 1_000_000n);
    storeBigint(words, tasks.length + at, BigInt(systemMs) * 1_000_000n);
  }
  const counters = [
    ...tasks.map((each) => entry(each, "user")),
    ...tasks.map((each) => entry(each, "system")),
  ];
  const none = { words: new Uint32Array() };
  const ofCgroups = new Uint32Array(4 * cgroups.length);
  for (const [at, { cpuMs, waitMs }] of cgroups.entries()) {
    storeBigint(ofCgroups, at, BigInt(cpuMs) * 1_000_000n);
    storeBigint(ofCgroups, cgroups.length + at, BigInt(waitMs) * 1_000_000n);
  }
  const cgroupEntry = (metric: string) => ({ path }: ToldCgroup) => ({
    name: `${metric}/1/${path}`,
    metadata: { metric, sampler: "cpu_usage", id: "1", name: path },
  });
  return {
    timeNs: BigInt(atMs) * 1_000_000n,
    durationNs: 0n,
    metadata: { source: "rezolus" },
    groups: [{
      name: "cpu_usage/task",
      schema: { counters, gauges: [], histograms: [] },
      window: { beginNs: BigInt(atMs) * 1_000_000n, widthNs: 0 },
      counters: { words },
      gauges: none,
      histograms: [],
    }, {
      name: "cpu_usage/cgroup",
      schema: {
        counters: [
          ...cgroups.map(cgroupEntry("cgroup_cpu_usage")),
          ...cgroups.map(cgroupEntry("cgroup_scheduler_runqueue_wait")),
        ],
        gauges: [],
        histograms: [],
      },
      counters: { words: ofCgroups },
      gauges: none,
      histograms: [],
    }],
  };
}

/** An agent that says what it is told to. */
class FakeAgent implements AsyncDisposable {
  tasks: readonly Told[] = [];
  cgroups: readonly ToldCgroup[] = [];
  atMs = 1_000;
  asked = 0;
  answer: "snapshot" | "garbage" | "nothing" = "snapshot";
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    this.asked++;
    if (this.answer === "nothing") return new Response("no", { status: 404 });
    const bytes = this.answer === "garbage"
      ? Uint8Array.of(1, 2, 3)
      : encodeSnapshotV3(snapshotOf(this.tasks, this.cgroups, this.atMs));
    return new Response(new Uint8Array(bytes));
  });

  get address() {
    return { kind: "tcp", host: "127.0.0.1", port: this.#server.addr.port } as const;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

Deno.test("tasks of a process are added up between two looks, with those that began since", async () => {
  await using fake = new FakeAgent();
  let nowMs = 0;
  using agent = new AgentUsage(fake.address, () => nowMs);
  fake.tasks = [{ pid: 10, tgid: 10, userMs: 100, systemMs: 50 }, {
    pid: 11,
    tgid: 10,
    userMs: 5,
    systemMs: 0,
  }];
  strictEqual(await agent.read(), undefined);
  nowMs += 1_000;
  fake.atMs += 1_000;
  fake.tasks = [
    { pid: 10, tgid: 10, userMs: 300, systemMs: 60 },
    { pid: 12, tgid: 10, userMs: 40, systemMs: 0 },
    { pid: 20, tgid: 20, userMs: 7, systemMs: 0 },
  ];
  const used = await agent.read();
  strictEqual(used?.elapsedNs, 1e9);
  deepStrictEqual([...used.byProcess], [["10", 250e6], ["20", 7e6]]);
  nowMs += 1_000;
  fake.atMs += 2_000;
  fake.cgroups = [{ path: "/hostkit/a/b", cpuMs: 500, waitMs: 20 }];
  const last = await agent.read();
  deepStrictEqual([...last!.byCgroup, ...last!.waitedByCgroup], [["/hostkit/a/b", 500e6], [
    "/hostkit/a/b",
    20e6,
  ]]);
});

Deno.test("who asks again at once is told the same, and one that does not answer is let alone for a while", async () => {
  await using fake = new FakeAgent();
  let nowMs = 0;
  using agent = new AgentUsage(fake.address, () => nowMs);
  await Promise.all([agent.read(), agent.read()]);
  await agent.read();
  strictEqual(fake.asked, 1);
  for (const answer of ["nothing", "garbage"] as const) {
    fake.answer = answer;
    nowMs += 10_000;
    const asked: number = fake.asked;
    strictEqual(await agent.read(), undefined);
    nowMs += 5_000;
    strictEqual(await agent.read(), undefined);
    deepStrictEqual([answer, fake.asked], [answer, asked + 1]);
  }
});

Deno.test("a cgroup is an instance's own when a manager made it, and is no longer than its line", async () => {
  const proc = await Deno.makeTempDir({ prefix: "bpm-" });
  const cases = [
    ["4:memory:/init.scope\n0::/hostkit/shop/api.run-3\n", "/hostkit/shop/api.run-3"],
    ["0::/user.slice/app/hostkit/shop/api.run-3\n1:cpu:/\n", "/user.slice/app/hostkit/shop/api.run-3"],
    ["2:cpu,cpuacct:/hostkit/shop/api.run-3\n0::/\n", "/hostkit/shop/api.run-3"],
    ["2:cpuacct:/hostkit/shop/api.run-3\n0::/\n", undefined],
    ["0::/init.scope\n", undefined],
    ["0::/hostkit/shop\n", undefined],
  ] as const;
  for (const [at, [text, wanted]] of cases.entries()) {
    await Deno.mkdir(`${proc}/${at}`);
    await Deno.writeTextFile(`${proc}/${at}/cgroup`, text);
    strictEqual(ownCgroup(at, proc), wanted);
  }
  strictEqual(ownCgroup(99, proc), undefined);
  await Deno.remove(proc, { recursive: true });
});

Deno.test("usage tells what the agent has counted of a process and its children, if it counts this host", async () => {
  await using project = await Project.started(shell("busy", "sleep 60 & wait"));
  await using fake = new FakeAgent();
  let nowMs = 0;
  using agent = new AgentUsage(fake.address, () => nowMs);
  const tool = bpmTools(project.manager, { agent }).find(({ name }) => name === "usage")!;
  const usage = async () => {
    const { structured } = await tool.run({}, {} as ToolContext);
    return structured as {
      source: string;
      services: { cpuRatio: number | null; waitRatio: number | null }[];
    };
  };
  const { current } = project.manager.service("busy");
  const status = current?.status();
  ok(status?.kind === "running");
  let children = "";
  while (children === "") {
    children = (await Deno.readTextFile(`/proc/${status.pid}/task/${status.pid}/children`)).trim();
  }
  const look = async (ms: number, own: number) => {
    const task = (pid: number) => ({ pid, tgid: pid, userMs: ms, systemMs: 0 });
    fake.tasks = [task(status.pid), task(Number(children)), task(own)];
    fake.atMs += 1_000;
    nowMs += 1_000;
    return await usage();
  };
  strictEqual((await look(0, Deno.pid)).source, "proc");
  const second = await look(250, Deno.pid);
  deepStrictEqual([second.source, second.services[0]?.cpuRatio], ["agent", 0.5]);
  // What is counted of its own cgroup has also those that came and went.
  const path = /^0::(.*)$/m.exec(await Deno.readTextFile(`/proc/${status.pid}/cgroup`))?.[1] ?? "";
  if (/\/hostkit\//.test(path)) {
    fake.cgroups = [{ path, cpuMs: 900, waitMs: 250 }];
    const third = await look(300, Deno.pid);
    deepStrictEqual([third.services[0]?.cpuRatio, third.services[0]?.waitRatio], [0.9, 0.25]);
  }
  // One that does not know this process counts another host.
  strictEqual((await look(500, 1)).source, "proc");
});

Deno.test({
  name: "usage tells what the kernel did for a process with a CPU cgroup of its own (needs root and BPF)",
  ignore: !CAN_LOAD_BPF,
  async fn() {
    const limits = `[process."busy".limits]\ncpus = 0.5`;
    const script = "while :; do read line < /proc/loadavg; done";
    await using project = await Project.started(shell("busy", script, limits));
    await using process = await AgentProcess.start("");
    let nowMs = 0;
    using agent = new AgentUsage({ kind: "unix", path: process.socket }, () => nowMs += 1_000);
    const tool = bpmTools(project.manager, { agent }).find(({ name }) => name === "usage")!;
    for (;;) {
      const { text, structured } = await tool.run({}, {} as ToolContext);
      const [service] = (structured as { services: { kernel: KernelView | null }[] }).services;
      const { kernel } = service!;
      if (kernel === null || kernel.syscalls.read === undefined) continue;
      ok(kernel.syscalls.read > 100 && kernel.contextSwitches > 0, JSON.stringify(kernel));
      match(text!, /^busy: .* CPU, waited .* calls\/s, \d+ context switches\/s$/);
      break;
    }
  },
});
