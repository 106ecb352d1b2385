/** Pure parts of samplers: which variant a program takes, kinds of system calls, texts of the kernel. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { choose, type Hook, programName, refuse, refusedProgram } from "../../lib/telemetry/bpf/variants.ts";
import { SYSCALL_KINDS, syscallKind, syscallTable } from "../../lib/telemetry/bpf/syscall_kinds.ts";
import { layout } from "../../lib/telemetry/bpf/layout.ts";
import { parseNetDev, parseProcStat } from "../../lib/telemetry/fallbacks.ts";
import { Columns } from "../../lib/telemetry/columns.ts";
import { counter, gauge, histogram } from "../../lib/metrics/mod.ts";
import { Procfs, type Sampler, SAMPLERS } from "../../lib/telemetry/mod.ts";
import { parseMeminfo } from "../../lib/telemetry/samplers/memory_meminfo.ts";
import { parseVmstat } from "../../lib/telemetry/samplers/memory_vmstat.ts";
import { parseStalledUs } from "../../lib/telemetry/samplers/pressure.ts";

const SWITCH: Hook = { event: "sched_switch", variants: ["tp_btf", "raw_tp"] };
const SEND: Hook = { event: "tcp_send", variants: ["tp_btf", "fentry", "kprobe"] };

Deno.test("choose() takes the first variant that nothing speaks against", () => {
  const choices = choose([SWITCH, SEND], (_, variant) => variant === "tp_btf" ? "no BTF" : undefined);
  deepStrictEqual(choices.map(({ variant }) => variant), ["raw_tp", "fentry"]);
  deepStrictEqual(choices[0]!.refusals, [{ variant: "tp_btf", reason: "no BTF", isMissing: true }]);
  deepStrictEqual(choose([SWITCH], () => "never").map(({ variant }) => variant), [undefined]);
});

Deno.test("refuse() moves the refused program on, and all of an object whose programs share state", () => {
  const first = choose([SWITCH, SEND], () => undefined);
  strictEqual(programName(SWITCH, "tp_btf"), "sched_switch__tp_btf");
  const one = refuse(first, "tcp_send__tp_btf", "EPERM", false);
  deepStrictEqual(one.map(({ variant }) => variant), ["tp_btf", "fentry"]);
  const all = refuse(first, "tcp_send__tp_btf", "EPERM", true);
  deepStrictEqual(all.map(({ variant, refusals }) => [variant, refusals[0]!.reason]), [
    ["raw_tp", "goes together with tcp_send__tp_btf"],
    ["fentry", "EPERM"],
  ]);
  const unknown = refuse(first, undefined, "EINVAL", false);
  deepStrictEqual(unknown.map(({ variant }) => variant), ["raw_tp", "fentry"]);
  let left = first;
  for (let round = 0; round < 3; round++) left = refuse(left, undefined, "no", true);
  ok(left[0]!.refusals.every(({ isMissing }) => !isMissing), "the kernel had them, and refused");
  deepStrictEqual(left.map(({ variant, refusals }) => [variant, refusals.length]), [[undefined, 2], [
    undefined,
    3,
  ]]);
});

Deno.test("refusedProgram() finds the program in libbpf's log", () => {
  strictEqual(
    refusedProgram("libbpf: prog 'count__tp_btf': BPF program load failed: Permission denied\n"),
    "count__tp_btf",
  );
  strictEqual(
    refusedProgram("libbpf: prog 'send__fentry': failed to find kernel BTF type ID of 'x': -3"),
    "send__fentry",
  );
  strictEqual(refusedProgram("libbpf: map 'storage': failed to create: Invalid argument(-22)"), undefined);
});

Deno.test("metrics of one name differ in labels only: type, unit and help are the name's", () => {
  const known = new Map<string, string>();
  for (const { name, type, unit, help } of SAMPLERS.flatMap(({ metrics }) => metrics)) {
    const facts = JSON.stringify({ type, unit, help });
    strictEqual(known.get(name) ?? facts, facts, name);
    known.set(name, facts);
  }
});

Deno.test("system calls have upstream's kinds on both architectures", () => {
  const kinds = [
    "read",
    "pwrite64",
    "epoll_wait",
    "futex",
    "clock_gettime",
    "nanosleep",
    "connect",
    "sched_yield",
    "openat",
    "mmap",
    "execve",
    "getpid",
    "pipe2",
    "timerfd_settime",
    "io_uring_enter",
    "seccomp",
  ].map(syscallKind);
  deepStrictEqual(kinds, [
    "read",
    "write",
    "poll",
    "lock",
    "time",
    "sleep",
    "socket",
    "yield",
    "filesystem",
    "memory",
    "process",
    "query",
    "ipc",
    "timer",
    "event",
    "other",
  ]);
  const kindOf = (arch: "x86_64" | "aarch64", number: number) => SYSCALL_KINDS[syscallTable(arch)[number]!];
  deepStrictEqual([kindOf("x86_64", 0), kindOf("x86_64", 1), kindOf("x86_64", 202)], [
    "read",
    "write",
    "lock",
  ]);
  deepStrictEqual([kindOf("aarch64", 63), kindOf("aarch64", 64), kindOf("aarch64", 98)], [
    "read",
    "write",
    "lock",
  ]);
  strictEqual(syscallTable("x86_64").length, 1024);
});

Deno.test("layout() counts fields in u64", () => {
  const found = layout("x.h", "x", ["a", ["b", 3], "c"]);
  deepStrictEqual([found.size, found.index], [5, { a: 0, b: 1, c: 4 }]);
});

Deno.test("columns keep each type apart, with ids of name and labels", () => {
  const columns = Columns.of("s", "g", [
    { metric: counter("c", { help: "h", labels: { state: "user" } }), labels: { id: "0" } },
    { metric: gauge("g", { help: "h", unit: "bytes" }) },
    { metric: histogram("h", { help: "h" }) },
    { metric: counter("c", { help: "h", labels: { state: "user" } }), labels: { id: "1" } },
  ]);
  columns.setCounter(1, 2n ** 64n - 1n);
  const group = columns.toGroup();
  deepStrictEqual(group.schema.counters.map(({ name }) => name), ["c/user/0", "c/user/1"]);
  deepStrictEqual(group.schema.gauges[0], {
    name: "g",
    metadata: { metric: "g", sampler: "s", unit: "bytes" },
  });
  deepStrictEqual([...group.counters.words], [0, 0, 0xffff_ffff, 0xffff_ffff]);
  strictEqual(group.histograms[0]!.words.length, 2 * 496);
});

Deno.test("texts of the kernel are read, and what they lack is undefined", () => {
  const meminfo = "MemTotal:       16316412 kB\nCached:          2048 kB\nHugePages_Total:       0\n";
  deepStrictEqual([parseMeminfo(meminfo, "MemTotal"), parseMeminfo(meminfo, "SwapTotal")], [
    16316412n * 1024n,
    undefined,
  ]);
  const vmstat = "numa_hit 12\nnuma_hit_more 13\n";
  deepStrictEqual([parseVmstat(vmstat, "numa_hit"), parseVmstat(vmstat, "numa_miss")], [12n, undefined]);
  const psi = "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\n";
  deepStrictEqual([parseStalledUs(psi, "some"), parseStalledUs(psi, "full")], [12345n, undefined]);
});

Deno.test("samplers of files tell what an older kernel's files have, and are unavailable without them", async () => {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(`${root}/proc/pressure`, { recursive: true });
  await Deno.writeTextFile(`${root}/proc/meminfo`, "MemTotal: 100 kB\nMemFree: 50 kB\n");
  await Deno.writeTextFile(`${root}/proc/pressure/cpu`, "some avg10=0.00 total=7\n");
  const open = (name: string) => {
    const sampler: Sampler = SAMPLERS.find((each) => each.name === name)!;
    return sampler.open({
      procfs: new Procfs(root),
      kernel: {} as never,
      enabled: new Set(),
      settings: {},
      sources: () => [],
      bpf: () => ({ unavailable: "" }),
    });
  };
  const memory = open("memory_meminfo");
  ok("sample" in memory);
  const [group] = memory.sample();
  deepStrictEqual(group!.schema.gauges.map(({ name }) => name), ["memory_total", "memory_free"]);
  deepStrictEqual([...group!.gauges.words], [102_400, 0, 51_200, 0]);
  const pressure = open("pressure");
  ok("sample" in pressure);
  strictEqual(pressure.sample()[0]!.counters.words[0], 7_000);
  deepStrictEqual(open("memory_vmstat"), { unavailable: "/proc/vmstat cannot be read on this host" });
  await Deno.remove(root, { recursive: true });
});

Deno.test("times of /proc/stat and sums of /proc/net/dev are read", () => {
  const stat = "cpu  9 9 9 9\ncpu0 100 5 20 900 1 0 2 0 0 0\ncpu1 7 0 3 1 0 0 0 0 0 0\nintr 5\n";
  deepStrictEqual(parseProcStat(stat), [
    { id: "0", userTicks: 105n, systemTicks: 20n },
    { id: "1", userTicks: 7n, systemTicks: 3n },
  ]);
  const dev = "Inter-|   Receive\n face |bytes    packets\n    lo:  100 2 0 0 0 0 0 0 100 2 0 0 0 0 0 0\n" +
    "  eth0: 5000 30 0 0 0 0 0 0 700 20 0 0 0 0 0 0\n";
  deepStrictEqual(parseNetDev(dev), {
    receiveBytes: 5100n,
    receivePackets: 32n,
    transmitBytes: 800n,
    transmitPackets: 22n,
  });
});
