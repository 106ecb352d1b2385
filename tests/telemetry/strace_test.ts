/** Counts of system calls against a second counter that shares nothing with ours: strace, by ptrace. */
import { more } from "../more.ts";
import { ok } from "node:assert/strict";
import { exists } from "../../lib/build/step.ts";
import { SYSCALL_KINDS, syscallKind } from "../../lib/telemetry/bpf/syscall_kinds.ts";
import { AgentProcess, CAN_LOAD_BPF, total } from "./_agent_process.ts";
import { TestCgroup, Workload } from "./_workload.ts";

const STRACE = "/usr/bin/strace";

/** strace waits for a call that was under way when it came, and tells it. */
const LOOSE_ENDS = 2;

Deno.test({
  name: "each kind of system call is counted as often as strace counts it (root, strace)",
  ignore: !CAN_LOAD_BPF || !exists(STRACE),
  async fn() {
    using cgroup = new TestCgroup();
    await using agent = await AgentProcess.start("");
    await using load = new Workload(`
import select, signal
print("ready", flush=True); sys.stdin.readline()
fd = os.open("/dev/null", os.O_WRONLY)
for at in range(300):
    os.write(fd, b"x")
    os.stat("/")
    os.getppid()
    time.sleep(0.00001)
    os.sched_yield()
    socket.socket().close()
    os.close(os.dup(fd))
for at in range(100):
    for end in os.pipe(): os.close(end)
    os.umask(0o22)
    os.sched_getaffinity(0)
    bytearray(1 << 26)
    select.select([], [], [], 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.close(os.eventfd(0))
print("done", flush=True); sys.stdin.readline()`);
    await load.says("ready");
    cgroup.add(load.pid);
    const args = ["-c", "-f", "-U", "name,calls", "-p", String(load.pid)];
    const strace = new Deno.Command(STRACE, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const reader = strace.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    while (!told.includes("attached")) told += await more(reader);

    const before = await agent.snapshot();
    await load.tell("go");
    await load.says("done");
    strace.kill("SIGINT");
    for (let more = await reader.read(); !more.done; more = await reader.read()) told += more.value;
    await strace.status;
    const after = await agent.snapshot();

    const counted = new Map<string, number>();
    for (const [, name, calls] of told.matchAll(/^\s*(\w+)\s+(\d+)\s*$/gm)) {
      if (name === "total") continue;
      const kind = syscallKind(name!);
      counted.set(kind, (counted.get(kind) ?? 0) + Number(calls));
    }
    ok(counted.size >= 13, `strace told: ${told}`);
    for (const op of SYSCALL_KINDS) {
      const labels = { op, name: cgroup.name };
      const ours = total(after, "cgroup_syscall", labels) - total(before, "cgroup_syscall", labels);
      const theirs = counted.get(op) ?? 0;
      ok(Math.abs(ours - theirs) <= LOOSE_ENDS, `${op}: ${ours}, strace counts ${theirs}\n${told}`);
    }
    await load.tell("end");
  },
});
