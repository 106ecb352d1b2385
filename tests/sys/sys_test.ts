import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import {
  affinity,
  clockNs,
  endBy,
  ignoreSignal,
  niceness,
  noteSender,
  Pidfd,
  scheduling,
  sentByProcess,
  setAffinity,
  setNiceness,
  setParentDeathSignal,
  setScheduling,
  setThreadName,
  setUmask,
  signalName,
  signalNumber,
  systemConfig,
  usage,
} from "../../ffi/sys/mod.ts";
import { waitForExit } from "../../lib/async/mod.ts";
import { exec } from "../../lib/build/step.ts";

/** Properties of the process are changed in a process of their own: other tests share ours. */
const CHILD = new URL("sys_child.ts", import.meta.url).pathname;

Deno.test("clockNs(): clocks move forward and agree with what the runtime and /proc tell", () => {
  const [before, now] = [clockNs("monotonic"), clockNs("monotonic")];
  ok(now >= before && clockNs("boottime") >= before);
  ok(Math.abs(Number(clockNs("realtime") / 1_000_000n) - Date.now()) < 1_000);
  const uptimeS = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  ok(Math.abs(Number(clockNs("boottime")) / 1e9 - uptimeS) < 1);
});

Deno.test("usage(): agrees with /proc and with the runtime", () => {
  const own = usage();
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ");
  const ticks = Number(fields[11]);
  ok(Math.abs(Number(own.userNs) / 1e7 - ticks) < 20, `${own.userNs} ns, ${ticks} ticks`);
  ok(own.maxRssBytes >= Deno.memoryUsage().rss * 0.5 && own.maxRssBytes < 64 * 2 ** 30);
  ok(Number(fields[7]) <= usage().minorFaults);
  ok(usage("thread").userNs <= usage().userNs);
  ok(own.systemNs >= 0n && own.voluntarySwitches > 0);
});

Deno.test("usage(): children count once they were waited for", async () => {
  const before = usage("children");
  await exec("/bin/sh", ["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]);
  const after = usage("children");
  ok(after.userNs + after.systemNs > before.userNs + before.systemNs);
});

Deno.test("systemConfig(): ticks, pages and CPUs are those that the system's tools tell", async () => {
  deepStrictEqual(
    [systemConfig("clockTicksPerSecond"), systemConfig("pageBytes"), systemConfig("onlineCpus")],
    (await exec("/bin/sh", ["-c", "getconf CLK_TCK; getconf PAGESIZE; getconf _NPROCESSORS_ONLN"]))
      .trim().split("\n").map(Number),
  );
  const last = /\d+$/.exec(Deno.readTextFileSync("/sys/devices/system/cpu/possible").trim())![0];
  strictEqual(systemConfig("possibleCpus"), Number(last) + 1);
});

Deno.test("Pidfd: signals a process, tells its end, and does not mistake another for it", async () => {
  const child = new Deno.Command("/bin/sleep", { args: ["1000"] }).spawn();
  using pidfd = Pidfd.open(child.pid);
  strictEqual(await pidfd.poll(0), false);
  strictEqual(pidfd.signal("SIGTERM"), true);
  await waitForExit(pidfd);
  strictEqual((await child.status).signal, "SIGTERM");
  strictEqual(await pidfd.poll(5_000), true);
  strictEqual(pidfd.signal("SIGTERM"), false);
  throws(() => Pidfd.open(child.pid), { name: "SystemError", code: "ESRCH" });
  throws(() => pidfd.signal("SIGNOT" as Deno.Signal), /signal "SIGNOT": Linux has none/);
});

Deno.test("Pidfd: a closed descriptor refuses to be used", async () => {
  const pidfd = Pidfd.open(Deno.pid);
  pidfd[Symbol.dispose]();
  pidfd[Symbol.dispose]();
  throws(() => pidfd.signal("SIGCONT"), /its descriptor is closed/);
  strictEqual(await pidfd.poll(0).catch((error: Error) => error.name), "TypeError");
});

Deno.test("what a process sets for itself is what the kernel shows of it", async () => {
  const told = JSON.parse(await exec(Deno.execPath(), ["run", "-A", CHILD]));
  deepStrictEqual(told, {
    nice: 7,
    policy: { policy: "normal", priority: 0 },
    affinity: [affinity()[0]],
    kernelAffinity: `${affinity()[0]}`,
    name: "hostkit-longnam",
    umask: 0o27,
    mode: 0o640,
    errors: "before\nafter\n",
  });
});

Deno.test({
  name: "setScheduling(): real-time policies are set and read back (needs CAP_SYS_NICE)",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const told = JSON.parse(await exec(Deno.execPath(), ["run", "-A", CHILD, "realtime"]));
    deepStrictEqual(told, [{ policy: "fifo", priority: 3 }, { policy: "round_robin", priority: 4 }]);
  },
});

Deno.test("setParentDeathSignal(): the kernel ends a process with its parent", async () => {
  const script = `const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "${CHILD}", "orphan"],
    stdout: "inherit" }).spawn(); await child.status;`;
  const folder = Deno.makeTempDirSync();
  await Deno.writeTextFile(`${folder}/parent.ts`, script);
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${folder}/parent.ts`],
    stdout: "piped",
  }).spawn();
  const output = parent.stdout.getReader();
  const pid = Number(new TextDecoder().decode((await output.read()).value));
  using orphan = Pidfd.open(pid);
  parent.kill("SIGKILL");
  await waitForExit(orphan);
  await parent.status;
  await output.cancel();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("sys: what the kernel refuses names what was asked", () => {
  const gone = 2 ** 22 + 1; // above the largest pid_max
  for (const ask of [() => niceness(gone), () => scheduling(gone), () => affinity(gone)]) {
    throws(ask, (error: Error) => {
      match(error.message, /Cannot read \w+ of thread 4194305: No such process \(ESRCH\)/);
      return true;
    });
  }
  throws(() => setNiceness(0, gone), { code: "ESRCH" });
  throws(() => setScheduling({ policy: "normal", priority: 5 }), { code: "EINVAL" });
  throws(() => setAffinity([]), { code: "EINVAL" });
  throws(() => setAffinity([4096]), RangeError);
  throws(() => setParentDeathSignal("SIGNOT" as Deno.Signal), RangeError);
  throws(() => noteSender("SIGVTALRM"), { code: "EINVAL" });
  throws(() => sentByProcess("SIGVTALRM"), { code: "ENODATA" });
  throws(() => ignoreSignal("SIGKILL"), { code: "EINVAL" });
  throws(() => endBy("SIGNOT" as Deno.Signal), RangeError);
  setParentDeathSignal(undefined);
  setThreadName("test");
  strictEqual(setUmask(setUmask(0o22)), 0o22);
});

Deno.test("signalNumber() and signalName(): names as Linux has them, numbers where there is none", () => {
  deepStrictEqual([signalNumber("SIGTERM"), signalName(9), signalName(40)], [15, "SIGKILL", "SIG40"]);
  throws(() => signalNumber("SIGINFO"), /Cannot use signal "SIGINFO"/);
});
