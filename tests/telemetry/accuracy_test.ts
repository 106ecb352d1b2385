/** The agent's values against what a workload of known size did, and against the kernel's own accounts. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { affinity } from "../../ffi/sys/mod.ts";
import { defaults } from "../../lib/config/mod.ts";
import { Log } from "../../lib/log/mod.ts";
import { Agent, AGENT_CONFIG, probeKernel, Procfs } from "../../lib/telemetry/mod.ts";
import type { Snapshot } from "../../lib/metrics/mod.ts";
import { AgentProcess, CAN_LOAD_BPF, labelSets, total } from "./_agent_process.ts";
import { TestCgroup, text, Workload } from "./_workload.ts";

const NEEDS_BPF = { ignore: !CAN_LOAD_BPF };

const CPUS = affinity().length;

/** A network namespace that exists for the test, with loopback up. */
class TestNetns implements AsyncDisposable {
  readonly name = `hk${crypto.randomUUID().slice(0, 8)}`;

  static async create(): Promise<TestNetns> {
    const netns = new TestNetns();
    await run("ip", "netns", "add", netns.name);
    await run("ip", "-n", netns.name, "link", "set", "lo", "up");
    return netns;
  }

  get inode(): number {
    return Deno.statSync(`/run/netns/${this.name}`).ino!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("ip", "netns", "delete", this.name);
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  strictEqual(code, 0, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function near(found: number, expected: number, ratio: number, what: string): void {
  ok(
    Math.abs(found - expected) <= ratio * expected,
    `${what}: found ${found}, expected ${expected} ± ${100 * ratio} %`,
  );
}

Deno.test({
  name: "TCP bytes, calls and connects of a network namespace are exact, and the host's are not fewer",
  ...NEEDS_BPF,
  async fn() {
    const connects = 1_000, bytes = 3_200;
    await using netns = await TestNetns.create();
    await using agent = await AgentProcess.start(`[samplers.tcp_traffic]\nnetns = ${netns.inode}\n`);
    await using whole = await AgentProcess.start("");
    const code = `
server = socket.create_server(("127.0.0.1", 0))
def serve():
    for _ in range(${connects}):
        c, _ = server.accept()
        c.recv(10, socket.MSG_PEEK) # moves nothing
        got = 0
        while got < ${bytes}:
            got += len(c.recv(65536))
        c.close()
t = threading.Thread(target=serve); t.start()
print("ready", flush=True); sys.stdin.readline()
for _ in range(${connects}):
    c = socket.create_connection(server.getsockname()); c.sendall(b"x" * ${bytes}); c.recv(1); c.close()
t.join(); print("done", flush=True)`;
    await using load = new Workload(code, ["ip", "netns", "exec", netns.name]);
    await load.says("ready");
    const [before, wholeBefore] = [await agent.snapshot(), await whole.snapshot()];
    await load.tell("go");
    await load.says("done");
    const [after, wholeAfter] = [await agent.snapshot(), await whole.snapshot()];
    const delta = (metric: string, labels = {}) =>
      total(after, metric, labels) - total(before, metric, labels);
    const wholeDelta = (metric: string, labels = {}) =>
      total(wholeAfter, metric, labels) - total(wholeBefore, metric, labels);

    deepStrictEqual({
      sent: delta("tcp_bytes", { direction: "transmit" }),
      received: delta("tcp_bytes", { direction: "receive" }),
      sends: delta("tcp_packets", { direction: "transmit" }),
      sizes: delta("tcp_size", { direction: "transmit" }),
      connects: delta("tcp_connect_latency"),
    }, { sent: connects * bytes, received: connects * bytes, sends: connects, sizes: connects, connects });
    ok(wholeDelta("tcp_bytes", { direction: "transmit" }) >= connects * bytes);
    ok(wholeDelta("tcp_connect_latency") >= connects);
    ok(wholeDelta("network_bytes", { direction: "transmit" }) >= connects * bytes);
    ok(delta("tcp_packet_latency") >= connects, "each connection's data waited to be read at least once");
  },
});

Deno.test({
  name: "system calls of a cgroup agree with what its task did within 2 %",
  ...NEEDS_BPF,
  async fn() {
    const writes = 20_000;
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    await using load = new Workload(`
fd = os.open("/dev/null", os.O_WRONLY)
print("ready", flush=True); sys.stdin.readline()
for _ in range(${writes}): os.write(fd, b"x")
print("done", flush=True); sys.stdin.readline()`);
    await load.says("ready");
    cgroup.add(load.pid);
    const before = await agent.snapshot();
    await load.tell("go");
    await load.says("done");
    const after = await agent.snapshot();
    const labels = { op: "write", name: cgroup.name };
    near(
      total(after, "cgroup_syscall", labels) - total(before, "cgroup_syscall", labels),
      writes,
      0.02,
      "writes",
    );
    const host = total(after, "syscall", { op: "write" }) - total(before, "syscall", { op: "write" });
    ok(host >= writes, `the host's writes are ${host}, not fewer than the cgroup's ${writes}`);
    const timed = total(after, "syscall_latency", { op: "write" }) -
      total(before, "syscall_latency", { op: "write" });
    ok(timed >= writes, `${timed} writes were timed`);
    await load.tell("end");
  },
});

Deno.test({
  name: "CPU time by CPU, cgroup and task agrees with /proc within 5 %, and a task's total survives its exit",
  ignore: !CAN_LOAD_BPF || CPUS < 2,
  async fn() {
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    await using load = new Workload(`
os.sched_setaffinity(0, {1})
print("ready", flush=True); sys.stdin.readline()
end = time.process_time() + 2.5
while time.process_time() < end: pass
print("done", flush=True); sys.stdin.readline()`);
    await load.says("ready");
    cgroup.add(load.pid);
    const procBefore = cpuTimeNs(1);
    const before = await agent.snapshot();
    await load.tell("go");
    await load.says("done");
    const after = await agent.snapshot();
    const procAfter = cpuTimeNs(1);
    const scheduled = Number(text(`/proc/${load.pid}/schedstat`).split(" ")[0]);

    const pid = { pid: String(load.pid) };
    near(total(after, "task_cpu_usage", pid), scheduled, 0.05, "the task's time since its start");
    const delta = (metric: string, labels: Record<string, string>) =>
      total(after, metric, labels) - total(before, metric, labels);
    near(delta("cgroup_cpu_usage", { name: cgroup.name }), 2.5e9, 0.05, "the cgroup's time");
    near(delta("cpu_usage", { id: "1" }), procAfter - procBefore, 0.05, "CPU 1's time");
    const [labels] = labelSets(after, "task_cpu_usage").filter((each) => each.pid === pid.pid);
    deepStrictEqual([labels!.id, labels!.tgid, labels!.comm, labels!.cgroup], [
      pid.pid,
      pid.pid,
      "python3",
      cgroup.name,
    ]);

    await load.tell("end");
    await load.child.status;
    // The parent hears of the exit before the task's last switch, which accounts it: a look may come in between.
    const exitedNs = (snapshot: Snapshot) =>
      total(snapshot, "cgroup_cpu_usage_exited_tasks", { name: cgroup.name });
    const limit = performance.now() + 5_000;
    let gone = await agent.snapshot();
    while (exitedNs(gone) === 0 && performance.now() < limit) gone = await agent.snapshot();
    ok(
      total(gone, "task_cpu_usage", pid) >= total(after, "task_cpu_usage", pid),
      "the exited task is still told",
    );
    near(exitedNs(gone), total(gone, "task_cpu_usage", pid), 0.02, "the cgroup's exited tasks");
  },
});

/** User, nice and system time of a CPU in nanoseconds, from /proc/stat in ticks of 10 ms. */
function cpuTimeNs(cpu: number): number {
  const fields = new RegExp(`^cpu${cpu} (.*)$`, "m").exec(text("/proc/stat"))![1]!.split(" ").map(Number);
  return (fields[0]! + fields[1]! + fields[2]!) * 1e7;
}

Deno.test({
  name: "block requests of a written file are counted with their bytes, and each is timed",
  ...NEEDS_BPF,
  async fn() {
    const bytes = 8 * 1024 * 1024;
    await using agent = await AgentProcess.start("");
    const folder = await Deno.makeTempDir({ dir: "/var/tmp" });
    try {
      const sectors = () => diskWrites();
      const [before, diskBefore] = [await agent.snapshot(), sectors()];
      using file = await Deno.open(`${folder}/data`, { create: true, write: true });
      await file.write(new Uint8Array(bytes).fill(7));
      await file.sync();
      const [after, diskAfter] = [await agent.snapshot(), sectors()];
      const labels = { op: "write" };
      const delta = (metric: string) => total(after, metric, labels) - total(before, metric, labels);
      const written = delta("blockio_bytes");
      ok(written >= bytes, `${written} bytes were written to the device`);
      near(written, diskAfter.bytes - diskBefore.bytes, 0.05, "bytes against /proc/diskstats");
      strictEqual(delta("blockio_size"), delta("blockio_operations"));
      near(delta("blockio_latency"), delta("blockio_operations"), 0.05, "timed requests");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Bytes written to all whole disks: /proc/diskstats counts sectors of 512 bytes. */
function diskWrites(): { bytes: number } {
  const rows = text("/proc/diskstats").split("\n").map((line) => line.trim().split(/\s+/));
  const whole = rows.filter(([, , name]) =>
    name !== undefined && /^(vd[a-z]+|sd[a-z]+|nvme\d+n\d+|xvd[a-z]+)$/.test(name)
  );
  return { bytes: whole.reduce((sum, fields) => sum + 512 * Number(fields[9]), 0) };
}

Deno.test({
  name: "context switches and migrations agree with the kernel's own counts of a task that causes them",
  ...NEEDS_BPF,
  async fn() {
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    const sleeps = 2_000;
    await using load = new Workload(`
print("ready", flush=True); sys.stdin.readline()
for at in range(${sleeps}):
    time.sleep(0.0001)
    if at % 100 == 0: os.sched_setaffinity(0, {at // 100 % 2})
print("done", flush=True); sys.stdin.readline()`);
    await load.says("ready");
    cgroup.add(load.pid);
    const [before, switchesBefore] = [await agent.snapshot(), voluntarySwitches(load.pid)];
    await load.tell("go");
    await load.says("done");
    const [after, switchesAfter] = [await agent.snapshot(), voluntarySwitches(load.pid)];
    const delta = (metric: string, labels = {}) =>
      total(after, metric, { name: cgroup.name, ...labels }) -
      total(before, metric, { name: cgroup.name, ...labels });
    near(
      delta("cgroup_scheduler_context_switch", { kind: "voluntary" }),
      switchesAfter - switchesBefore,
      0.02,
      "voluntary switches",
    );
    ok(delta("cgroup_cpu_migrations") >= sleeps / 100 - 2, `${delta("cgroup_cpu_migrations")} moves`);
    ok(delta("cgroup_scheduler_offcpu") > sleeps * 1e5, "it was off the CPU at least as long as it slept");
    const waits = total(after, "scheduler_runqueue_latency") - total(before, "scheduler_runqueue_latency");
    ok(waits >= sleeps, `${waits} waits for a CPU`);
    await load.tell("end");
  },
});

function voluntarySwitches(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))![1]);
}

Deno.test({
  name: "memory, vmstat, pressure and cores tell what the kernel's files tell",
  ...NEEDS_BPF,
  async fn() {
    await using agent = await AgentProcess.start("");
    const snapshot = await agent.snapshot();
    const meminfo = text("/proc/meminfo");
    strictEqual(total(snapshot, "memory_total"), 1024 * Number(/MemTotal:\s+(\d+)/.exec(meminfo)![1]));
    near(
      total(snapshot, "memory_cached"),
      1024 * Number(/^Cached:\s+(\d+)/m.exec(meminfo)![1]),
      0.1,
      "cached",
    );
    strictEqual(total(snapshot, "cpu_cores"), Number(text("/proc/stat").match(/^cpu\d+/gm)!.length));
    ok(total(snapshot, "memory_numa_hit") > 0);
    ok(
      total(snapshot, "rezolus_cpu_usage") > 0 &&
        total(snapshot, "rezolus_memory_usage_resident_set_size") > 1e7,
    );
    const softirqs = (kind: string) =>
      new RegExp(`^\\s*${kind}:(.*)$`, "m").exec(text("/proc/softirqs"))![1]!.trim().split(/\s+/).map(Number)
        .reduce((sum, each) => sum + each, 0);
    const [first, seen] = [softirqs("TIMER"), total(await agent.snapshot(), "softirq", { kind: "timer" })];
    await using load = new Workload(`
print("ready", flush=True); sys.stdin.readline()
for _ in range(200): time.sleep(0.002)
print("done", flush=True)`);
    await load.says("ready");
    await load.tell("go");
    await load.says("done");
    const [last, seenLater] = [
      softirqs("TIMER"),
      total(await agent.snapshot(), "softirq", { kind: "timer" }),
    ];
    near(seenLater - seen, last - first, 0.25, "timer softirqs");
  },
});

Deno.test({
  name: "BPF maps take at most 16 MiB, every program is of the best variant, and none is left after the end",
  ...NEEDS_BPF,
  async fn() {
    const inKernel = async () => {
      const { stdout } = await new Deno.Command("bpftool", { args: ["-j", "prog", "list"] }).output();
      const list: { id: number }[] = JSON.parse(new TextDecoder().decode(stdout));
      return new Set(list.map(({ id }) => id));
    };
    // Those that this process holds: other agents of this machine are none of ours.
    const held = () =>
      [...Deno.readDirSync("/proc/self/fdinfo")].flatMap(({ name }) => {
        const id = /^prog_id:\s+(\d+)/m.exec(new Procfs().text(`/proc/self/fdinfo/${name}`) ?? "")?.[1];
        return id === undefined ? [] : [Number(id)];
      });
    const before = held();
    let own: number[];
    {
      const procfs = new Procfs();
      const log = new Log({ level: "error", format: "text", colour: false, now: Date.now, write: () => {} });
      using agent = new Agent({
        config: defaults(AGENT_CONFIG),
        version: "1",
        procfs,
        kernel: probeKernel(procfs),
        log,
      });
      agent.snapshot();
      own = held().filter((id) => !before.includes(id));
      const known = await inKernel();
      ok(own.length > 15 && own.every((id) => known.has(id)), `${own.length} programs are held`);
      const { bpf, samplers } = agent.status();
      const bytes = bpf.reduce((sum, { map_bytes }) => sum + map_bytes, 0);
      ok(bytes > 1e6 && bytes <= 16 * 2 ** 20, `${bytes} bytes`);
      deepStrictEqual(
        samplers.filter(({ state }) => state !== "ok").map(({ name, reason }) => `${name}: ${reason}`),
        [],
      );
    }
    // Programs are freed after a grace period of RCU.
    const limit = performance.now() + 5_000;
    for (let known = await inKernel(); own.some((id) => known.has(id)); known = await inKernel()) {
      ok(performance.now() < limit, "programs are left behind");
    }
  },
});

Deno.test({
  name: "a pid that is used again is another task: both totals are told, and none is mixed with the other's",
  ignore: !CAN_LOAD_BPF || !new Procfs().exists("/proc/sys/kernel/ns_last_pid"),
  async fn() {
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    await using load = new Workload(`
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
    os._exit(0)
print("ready", flush=True); sys.stdin.readline()
first = os.fork()
if first == 0: burn(0.3)
os.waitpid(first, 0)
for _ in range(1000):
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(first - 1))
    pid = os.fork()
    if pid == 0: burn(0.1) if os.getpid() == first else os._exit(0)
    os.waitpid(pid, 0)
    if pid == first: break
print("pid", first if pid == first else 0, "done", flush=True)`);
    await load.says("ready");
    cgroup.add(load.pid); // Tells its tasks from those of others that happen to get the pid.
    await load.tell("go");
    const [, pid] = await load.says(/pid (\d+) done/);
    ok(pid !== "0", "the pid could be used again");
    const snapshot = await agent.snapshot();
    const starts = new Set(
      labelSets(snapshot, "task_cpu_usage").filter((each) => each.pid === pid && each.cgroup === cgroup.name)
        .map(({ start }) => start!),
    );
    const totals = [...starts].map((start) => total(snapshot, "task_cpu_usage", { pid: pid!, start })).sort((
      a,
      b,
    ) => a - b);
    strictEqual(totals.length, 2);
    near(totals[0]!, 0.1e9, 0.2, "the second task");
    near(totals[1]!, 0.3e9, 0.1, "the first task");
  },
});

Deno.test({
  name:
    "a storm of short tasks fills no table: their time is the cgroup's, and only those that live are told",
  ...NEEDS_BPF,
  async fn() {
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    await using load = new Workload(`
print("ready", flush=True); sys.stdin.readline()
for _ in range(3000):
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
print("done", flush=True); sys.stdin.readline()`);
    await load.says("ready");
    cgroup.add(load.pid);
    await load.tell("go");
    await load.says("done");
    await agent.snapshot(); // Releases the slots of those that have exited.
    const snapshot = await agent.snapshot();
    const told = new Set(
      labelSets(snapshot, "task_cpu_usage").filter(({ cgroup: path }) => path === cgroup.name).map((
        { pid },
      ) => pid),
    );
    deepStrictEqual([...told], [String(load.pid)]);
    strictEqual(total(snapshot, "task_cpu_usage_dropped"), 0);
    const exited = total(snapshot, "cgroup_cpu_usage_exited_tasks", { name: cgroup.name });
    const [all, own] = [
      total(snapshot, "cgroup_cpu_usage", { name: cgroup.name }),
      total(snapshot, "task_cpu_usage", { pid: String(load.pid) }),
    ];
    ok(exited > 3_000 * 20_000 && exited < all, `${exited} ns of exited tasks, of ${all}`);
    near(exited + own, all, 0.1, "exited tasks and the living one make the cgroup's time");
    await load.tell("end");
  },
});
