/**
 * The packed agent in guests with Debian's stock kernels, which have what the usual test kernel lacks: kprobes, fentry,
 * kernels without task storage, CPUs that go offline. Every figure is compared with the workload's or the kernel's own.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { GUEST_SUITES, guestKernel, type GuestSuite, QEMU } from "../../lib/build/guest_kernel.ts";
import { exists } from "../../lib/build/step.ts";
import type { Snapshot } from "../../lib/metrics/mod.ts";
import { labelSets, total } from "../telemetry/_agent_process.ts";
import { BAD_SECTOR, DISK, FAULTY_DISK, Guest } from "./guest.ts";

const IS_SOAK = Deno.env.get("HOSTKIT_SOAK") === "1";

type Program = "sched" | "softirq" | "syscall" | "blockio" | "network" | "tcp" | "bytes";

/** What an agent is told to avoid, and the variants that it must then take. */
interface Case {
  readonly avoid: readonly string[];
  /** By object; `tcp` without the two events that know the bytes, which are `bytes`. */
  readonly variants: Readonly<Record<Program, string>>;
}

const all = <V extends string>(variant: V) => ({
  sched: variant,
  softirq: variant,
  syscall: variant,
  blockio: variant,
  network: variant,
  tcp: variant,
});
const TYPED = all("tp_btf");
const RAW = all("raw_tp");

const CASES: Readonly<Record<GuestSuite, readonly Case[]>> = {
  // Linux 5.10: no task storage.
  bullseye: [
    { avoid: [], variants: { ...TYPED, sched: "raw_tp", syscall: "raw_tp", bytes: "fentry" } },
    { avoid: ["tp_btf", "fentry"], variants: { ...RAW, bytes: "kprobe" } },
  ],
  // Linux 6.1: no tracepoint that knows the bytes.
  bookworm: [
    { avoid: [], variants: { ...TYPED, bytes: "fentry" } },
    { avoid: ["tp_btf", "fentry"], variants: { ...RAW, bytes: "kprobe" } },
  ],
  // Linux 6.12: everything.
  trixie: [
    { avoid: [], variants: { ...TYPED, bytes: "tp_btf" } },
    { avoid: ["tp_btf"], variants: { ...RAW, bytes: "raw_tp" } },
  ],
};

for (const suite of GUEST_SUITES) {
  const isThere = exists(QEMU) && exists(guestKernel(suite).vmlinuz);
  const inEveryRun = suite === "bookworm";
  Deno.test({
    name: `on Debian ${suite}'s kernel every program is exact (QEMU and that kernel${
      inEveryRun ? "" : ", soak"
    })`,
    ignore: !isThere || (!inEveryRun && !IS_SOAK),
    async fn(t) {
      await using guest = await Guest.boot(suite);
      for (const each of CASES[suite]) {
        await t.step(
          each.avoid.length === 0 ? "with the best hooks" : `without ${each.avoid.join(", ")}`,
          (t) => {
            return agentIsExact(t, guest, each);
          },
        );
      }
    },
  });
}

async function agentIsExact(t: Deno.TestContext, guest: Guest, { avoid, variants }: Case): Promise<void> {
  // A namespace that lives as long as its process; TCP of others is not counted.
  const holder = (await guest.run(
    `unshare -n sleep 100000 >/dev/null 2>&1 & echo $!; ` +
      `while [ $(readlink /proc/$!/ns/net) = $(readlink /proc/$$/ns/net) ]; do sleep 0.05; done`,
  )).trim();
  await guest.run(`nsenter -t ${holder} -n ip link set lo up`);
  const netns = (await guest.run(`stat -Lc %i /proc/${holder}/ns/net`)).trim();
  await guest.run("rm -f /run/gate; mkfifo /run/gate");
  await guest.run(`nsenter -t ${holder} -n workload late 10 5000 /run/gate & echo $! >/run/late.pid`);
  const list = avoid.map((name) => `"${name}"`).join(", ");
  await guest.startAgent(
    `[general]\navoid_hooks = [${list}]\nttl = "0ms"\n[samplers.tcp_traffic]\nnetns = ${netns}`,
  );

  await t.step("every program has the variant expected", async () => {
    const found = new Map<string, Set<string>>();
    for (const { name, programs } of (await guest.status()).samplers) {
      for (const { object, event, variant = "none", reason } of programs) {
        const key = /^sock_(send|recv)_length$/.test(event) ? "bytes" : object;
        found.set(key, (found.get(key) ?? new Set()).add(variant));
        ok(variant !== "none", `${name}: ${event}: ${reason}`);
      }
    }
    deepStrictEqual(Object.fromEntries([...found].map(([key, each]) => [key, [...each].join()])), variants);
  });

  await t.step("TCP bytes and connects are those of the namespace, to the last one", async () => {
    const { delta, out } = await around(guest, async () => {
      await guest.run("workload tcp 20 3000");
      return await guest.numbers(`nsenter -t ${holder} -n workload tcp 100 20000`);
    });
    deepStrictEqual({
      sent: delta("tcp_bytes", { direction: "transmit" }),
      received: delta("tcp_bytes", { direction: "receive" }),
      connects: delta("tcp_connect_latency"),
      sizes: delta("tcp_size", { direction: "transmit" }),
    }, {
      sent: 100 * 20_000,
      received: 100 * 20_000,
      connects: 100,
      sizes: delta("tcp_packets", { direction: "transmit" }),
    });
    deepStrictEqual(out, { connects: 100, bytes: 100 * 20_000 });
    // Data that comes with the end of the handshake does not pass tcp_probe, and may be all of its connection.
    const waits = delta("tcp_packet_latency");
    ok(waits >= 90, `each connection's data waited, but for a few: ${waits}`);
  });

  await t.step("a connection that is older than the agent is counted from its first byte on", async () => {
    const { delta } = await around(
      guest,
      () => guest.run(": >/run/gate; while [ -d /proc/$(cat /run/late.pid)/fd ]; do sleep 0.05; done"),
    );
    deepStrictEqual(
      [delta("tcp_bytes", { direction: "transmit" }), delta("tcp_bytes", { direction: "receive" })],
      [50_000, 50_000],
    );
  });
  await guest.run(`kill ${holder}`);

  await t.step("packets of the loopback are those of /proc/net/dev", async () => {
    const packets = async () => {
      const [, received, sent] = /lo:\s*\d+ +(\d+)(?: +\d+){7} +(\d+)/.exec(
        await guest.run("cat /proc/net/dev"),
      )!;
      return [Number(received), Number(sent)] as const;
    };
    const first = await packets();
    const { delta } = await around(guest, () => guest.run("workload tcp 10 100000"));
    const last = await packets();
    deepStrictEqual(
      [
        delta("network_packets", { direction: "receive" }),
        delta("network_packets", { direction: "transmit" }),
      ],
      [last[0] - first[0], last[1] - first[1]],
    );
  });

  await t.step("softirqs are those of /proc/softirqs", async () => {
    const kernels = async () => softirqs(await guest.run("cat /proc/softirqs"));
    const outer = await kernels();
    let inner: Record<string, number>[] = [];
    const { delta } = await around(guest, async () => {
      const first = await kernels();
      await guest.run("workload tcp 5 100000; workload sleep 300");
      inner = [first, await kernels()];
    });
    const last = await kernels();
    for (const kind of ["timer", "net_rx", "sched", "rcu", "block", "hrtimer"]) {
      const ours = delta("softirq", { kind });
      const [least, most] = [inner[1]![kind]! - inner[0]![kind]!, last[kind]! - outer[kind]!];
      ok(least <= ours && ours <= most, `${kind}: ${ours}, the kernel counts ${least} to ${most}`);
    }
    ok(delta("softirq", { kind: "net_rx" }) > 0 && delta("softirq_time", { kind: "net_rx" }) > 0);
  });

  await t.step("system calls of a cgroup are the workload's within 2 %", async () => {
    await using cgroup = await GuestCgroup.make(guest);
    const { delta } = await around(guest, () => cgroup.run("workload write 20000"));
    near(delta("cgroup_syscall", { op: "write", name: cgroup.name }), 20_000, 0.02, "writes");
    ok(delta("syscall", { op: "write" }) >= 20_000);
    ok(delta("syscall_latency", { op: "write" }) >= 20_000);
  });

  await t.step("CPU time of task, cgroup and CPU is the kernel's within 5 %", async () => {
    await using cgroup = await GuestCgroup.make(guest);
    const ranOnCpu = async () => ranNs(await guest.run("cat /proc/schedstat"), 1);
    const outer = await ranOnCpu();
    let inner = 0;
    const { delta, after, out } = await around(guest, async () => {
      const first = await ranOnCpu();
      const out = await cgroup.run("exec workload burn 1 1500");
      inner = await ranOnCpu() - first;
      return out;
    });
    const most = await ranOnCpu() - outer;
    const { pid, ran_ns: ran } = numbersOf(out);
    near(total(after, "task_cpu_usage", { pid: String(pid) }), ran!, 0.05, "the task");
    near(delta("cgroup_cpu_usage", { name: cgroup.name }), ran!, 0.05, "the cgroup");
    near(
      delta("cgroup_cpu_usage_exited_tasks", { name: cgroup.name }),
      ran!,
      0.05,
      "the cgroup's exited tasks",
    );
    const kernel = 1000 * (await cgroup.numbers("cpu.stat")).usage_usec!;
    near(delta("cgroup_cpu_usage", { name: cgroup.name }), kernel, 0.05, "the cgroup against cpu.stat");
    const onCpu = delta("cpu_usage", { id: "1" });
    ok(
      0.95 * inner <= onCpu && onCpu <= 1.05 * most,
      `CPU 1: ${onCpu} ns, the kernel counts ${inner} to ${most}`,
    );
  });

  await t.step("switches of a cgroup are the kernel's own count within 2 %", async () => {
    await using cgroup = await GuestCgroup.make(guest);
    const { delta, out } = await around(guest, () => cgroup.run("exec workload sleep 1000"));
    const { voluntary } = numbersOf(out);
    near(
      delta("cgroup_scheduler_context_switch", { kind: "voluntary", name: cgroup.name }),
      voluntary!,
      0.02,
      "",
    );
    ok(
      delta("cgroup_scheduler_offcpu", { name: cgroup.name }) >= 1000 * 100e3,
      "it slept as long as it was told",
    );
    ok(delta("scheduler_runqueue_latency") >= 1000);
  });

  await t.step("block requests are those of /proc/diskstats", async () => {
    const name = await guest.disk(DISK);
    const path = `/dev/${name}`;
    const disk = async () => diskstats(await guest.run("cat /proc/diskstats"), name);
    const first = await disk();
    const { delta } = await around(guest, () =>
      guest.run(
        `dd if=/dev/zero of=${path} bs=64k count=32 oflag=direct && ` +
          `dd if=${path} of=/dev/null bs=16k count=50 iflag=direct && ` +
          `dd if=/dev/zero of=${path} bs=4k count=100 conv=fsync && blkdiscard -o 0 -l 1048576 ${path}`,
      ));
    const last = await disk();
    // The kernel counts the fsync as a write of nothing, too: to the agent it is a flush and nothing else.
    const twice = { read: 0, write: 1, flush: 0, discard: 0 };
    for (const op of ["read", "write", "flush", "discard"] as const) {
      strictEqual(
        delta("blockio_operations", { op }),
        last[op].requests - first[op].requests - twice[op],
        op,
      );
      strictEqual(delta("blockio_bytes", { op }), last[op].bytes - first[op].bytes, op);
      strictEqual(delta("blockio_size", { op }), delta("blockio_operations", { op }), op);
    }
    deepStrictEqual(
      [delta("blockio_bytes", { op: "write" }), delta("blockio_bytes", { op: "discard" })],
      [32 * 65_536 + 100 * 4_096, 1_048_576],
    );
    ok(delta("blockio_bytes", { op: "read" }) >= 50 * 16_384);
    strictEqual(delta("blockio_operations", { op: "flush" }), 1);
    for (const op of ["read", "write", "discard"]) {
      strictEqual(delta("blockio_latency", { op }), delta("blockio_operations", { op }), op);
    }
  });

  await t.step("a bad sector is an error of its class, after the driver has tried again", async () => {
    const name = await guest.disk(FAULTY_DISK);
    const read = `dd if=/dev/${name} of=/dev/null bs=512 skip=${BAD_SECTOR} count=1 iflag=direct`;
    const told = async () => (await guest.run("dmesg")).split(`medium error, dev ${name}`).length;
    const first = await told();
    const { delta } = await around(guest, () => guest.run(`! ${read}`));
    strictEqual(delta("blockio_errors", { op: "read", error: "io" }), await told() - first);
    ok(
      delta("blockio_errors") >= 1 &&
        delta("blockio_errors") === delta("blockio_errors", { op: "read", error: "io" }),
    );
    ok(delta("blockio_requeues", { op: "read" }) >= 1);
  });

  await t.step(
    "the agent goes on while a CPU leaves and comes back, and no counter goes backwards",
    async () => {
      const cpus = (snapshot: Snapshot) => new Set(labelSets(snapshot, "cpu_usage").map(({ id }) => id));
      const power = (on: 0 | 1) => guest.run(`echo ${on} > /sys/devices/system/cpu/cpu1/online`);
      const before = await guest.snapshot();
      await power(0);
      const without = await guest.snapshot();
      deepStrictEqual([[...cpus(before)].sort(), [...cpus(without)]], [["0", "1"], ["0"]]);
      strictEqual(total(without, "cpu_cores"), 1);
      await power(1);
      await guest.run("workload burn 1 300");
      const after = await guest.snapshot();
      deepStrictEqual([...cpus(after)].sort(), ["0", "1"]);
      for (const [older, newer] of [[before, without], [without, after], [before, after]] as const) {
        deepStrictEqual(backwards(older, newer), []);
      }
      const gained = total(after, "cpu_usage", { id: "1" }) - total(before, "cpu_usage", { id: "1" });
      ok(gained >= 0.28e9, `CPU 1 gained ${gained} ns after its return`);
      // It may also go between the moments of being listed and of being asked.
      await guest.run("(for i in $(seq 8); do echo 0; echo 1; done) >/run/power");
      await guest.run("while read on; do echo $on >/sys/devices/system/cpu/cpu1/online; done </run/power &");
      for (let last = after, round = 0; round < 20; round++) {
        const now = await guest.snapshot();
        deepStrictEqual(backwards(last, now), []);
        ok(labelSets(now, "cpu_usage").length > 0, "CPU time is told every time");
        last = now;
      }
      const { samplers } = await guest.status();
      deepStrictEqual(samplers.filter(({ state }) => state === "failed" || state === "unavailable"), []);
    },
  );
  await guest.stopAgent();
}

/** Snapshots before and after some work, and by how much a metric has grown. */
async function around<T>(guest: Guest, work: () => Promise<T>): Promise<{
  out: T;
  after: Snapshot;
  delta: (metric: string, labels?: Record<string, string>) => number;
}> {
  const before = await guest.snapshot();
  const out = await work();
  const after = await guest.snapshot();
  return {
    out,
    after,
    delta: (metric, labels) => total(after, metric, labels) - total(before, metric, labels),
  };
}

/** A cgroup of the guest, for one workload. */
class GuestCgroup implements AsyncDisposable {
  static #made = 0;
  readonly name = `/w${GuestCgroup.#made++}`;
  readonly #guest: Guest;

  private constructor(guest: Guest) {
    this.#guest = guest;
  }

  static async make(guest: Guest): Promise<GuestCgroup> {
    const cgroup = new GuestCgroup(guest);
    await guest.run(`mkdir /sys/fs/cgroup${cgroup.name}`);
    return cgroup;
  }

  run(line: string): Promise<string> {
    return this.#guest.run(`echo $$ > /sys/fs/cgroup${this.name}/cgroup.procs && ${line}`);
  }

  numbers(file: string): Promise<Record<string, number>> {
    return this.#guest.numbers(`cat /sys/fs/cgroup${this.name}/${file}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.run(`rmdir /sys/fs/cgroup${this.name}`);
  }
}

function numbersOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.trim().split("\n").map((row) => row.split(" ")).map(([k, v]) => [k, Number(v)]),
  );
}

/**
 * Nanoseconds that tasks ran on a CPU, exact (Documentation/scheduler/sched-stats.rst). Not /proc/stat: the ticks that
 * it counts are lost while the emulator waits for a CPU itself.
 */
function ranNs(schedstat: string, cpu: number): number {
  return Number(new RegExp(`^cpu${cpu} (.*)$`, "m").exec(schedstat)![1]!.split(" ")[6]);
}

/** Softirqs on all CPUs by kind. */
function softirqs(text: string): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(/^ *([A-Z_]+):(.*)$/gm)].map(([, kind, counts]) => [
      kind!.toLowerCase(),
      counts!.trim().split(/\s+/).reduce((sum, count) => sum + Number(count), 0),
    ]),
  );
}

/** Requests and bytes of a disk (Documentation/admin-guide/iostats.rst). */
function diskstats(text: string, name: string) {
  const fields = new RegExp(` ${name} (.*)$`, "m").exec(text)![1]!.split(" ").map(Number);
  const at = (first: number) => ({ requests: fields[first]!, bytes: 512 * fields[first + 2]! });
  return { read: at(0), write: at(4), discard: at(11), flush: { requests: fields[15]!, bytes: 0 } };
}

/** Counters of the newer snapshot that are less than in the older one. */
function backwards(older: Snapshot, newer: Snapshot): string[] {
  const values = new Map<string, number>();
  const key = (labels: object) => JSON.stringify(labels);
  const each = (snapshot: Snapshot, visit: (metadata: Record<string, string>, value: number) => void) => {
    for (const { schema, counters } of snapshot.groups) {
      schema.counters.forEach(({ metadata }, at) => {
        visit(metadata, counters.words[2 * at]! + counters.words[2 * at + 1]! * 2 ** 32);
      });
    }
  };
  each(older, (metadata, value) => values.set(key(metadata), value));
  const found: string[] = [];
  each(newer, (metadata, value) => {
    const before = values.get(key(metadata));
    if (before !== undefined && value < before) found.push(`${key(metadata)}: ${before} -> ${value}`);
  });
  return found;
}

function near(found: number, expected: number, ratio: number, what: string): void {
  ok(
    Math.abs(found - expected) <= ratio * expected,
    `${what}: found ${found}, expected ${expected} ± ${100 * ratio} %`,
  );
}
