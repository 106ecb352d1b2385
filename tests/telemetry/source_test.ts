/** BPF objects at work: fallbacks between variants on the real kernel, and what is told of them. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { wordsToNumber } from "../../lib/metrics/mod.ts";
import { probeKernel, Procfs } from "../../lib/telemetry/mod.ts";
import { BpfSource, type BpfSpec } from "../../lib/telemetry/bpf/source.ts";
import { SCHED, SCHED_CPU } from "../../lib/telemetry/bpf/sched.ts";
import { SYSCALL, SYSCALL_COUNTERS } from "../../lib/telemetry/bpf/syscall.ts";
import { TCP } from "../../lib/telemetry/bpf/tcp.ts";
import type { Variant } from "../../lib/telemetry/bpf/variants.ts";
import { CAN_LOAD_BPF } from "./_agent_process.ts";

const NEEDS_BPF = { ignore: !CAN_LOAD_BPF };
const kernel = probeKernel(new Procfs());
const enabled = new Set([
  "cpu_usage",
  "cpu_migrations",
  "scheduler_runqueue",
  "syscall_counts",
  "syscall_latency",
  "tcp_traffic",
]);

/** The object with its fallback tried first: what a kernel without task storage ends with. */
function fallbackFirst(spec: BpfSpec): BpfSpec {
  const variants: Variant[] = ["raw_tp", "tp_btf"];
  return { ...spec, hooks: spec.hooks.map(({ event }) => ({ event, variants })) };
}

const open = (spec: BpfSpec) => BpfSource.open(spec, kernel, { enabled, settings: {} });

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) { /* The CPU time is the point. */ }
}

Deno.test({
  name: "without task storage the scheduler's account is kept in a table",
  ...NEEDS_BPF,
  fn() {
    using source = open(fallbackFirst(SCHED));
    strictEqual(source.variant, "raw_tp");
    ok(!source.object.mapNames().includes("storage") && source.object.mapNames().includes("states"));
    const flush = () =>
      [0, 1].slice(0, source.possibleCpus).forEach((cpu) => source.object.runOn("flush", cpu));
    const cpus = () => {
      let sum = 0;
      for (let cpu = 0; cpu < source.possibleCpus; cpu++) {
        const at = cpu * SCHED_CPU.size;
        sum += wordsToNumber(source.words("cpus"), at + SCHED_CPU.index.user_ns) +
          wordsToNumber(source.words("cpus"), at + SCHED_CPU.index.system_ns);
      }
      return sum;
    };
    flush();
    const before = cpus();
    burn(200);
    flush();
    ok(cpus() - before > 150e6, `${cpus() - before} ns on all CPUs`);
  },
});

Deno.test({
  name: "without task storage system calls are counted and timed by pid",
  ...NEEDS_BPF,
  fn() {
    using source = open(fallbackFirst(SYSCALL));
    const count = (kind: number) => {
      let sum = 0;
      for (let cpu = 0; cpu < source.possibleCpus; cpu++) {
        sum += wordsToNumber(source.words("cpus"), cpu * SYSCALL_COUNTERS.size + kind);
      }
      return sum;
    };
    const filesystem = 9;
    const before = count(filesystem);
    for (let at = 0; at < 500; at++) Deno.statSync("/");
    ok(count(filesystem) - before >= 500);
    const latency = source.words("latency");
    const timed = latency.reduce((sum, word) => sum + word, 0);
    ok(timed > 500, `${timed} calls were timed`);
  },
});

Deno.test({
  name: "a variant that the kernel refuses is passed over, and the report says why",
  ...NEEDS_BPF,
  fn() {
    using source = open({
      ...TCP,
      hooks: TCP.hooks.map((hook) =>
        hook.event === "sock_send_length" ? { ...hook, variants: ["kprobe", "fentry", "tp_btf"] } : hook
      ),
    });
    const send = source.reports.find(({ event }) => event === "sock_send_length")!;
    ok(send.verdict === "degraded" || send.variant === "kprobe", JSON.stringify(send));
    if (!kernel.hasKprobes) match(send.reason!, /kprobe: the kernel has no kprobes/);
    deepStrictEqual(
      source.reports.filter(({ event }) => event !== "sock_send_length").map(({ verdict }) => verdict),
      Array(5).fill("ok"),
    );
    ok(source.programs().length === 6 && source.programs().every(({ instructions }) => instructions > 0));
    ok(source.mapBytes() > 100_000);
  },
});

Deno.test({
  name: "hooks that the configuration avoids are passed over",
  ...NEEDS_BPF,
  fn() {
    const avoiding = { ...kernel, avoided: ["tp_btf"] as const };
    using source = BpfSource.open(TCP, avoiding, { enabled, settings: {} });
    deepStrictEqual(
      new Set(source.reports.map(({ verdict, variant, reason }) => `${verdict} ${variant} ${reason}`)),
      new Set(["degraded raw_tp tp_btf: passed over by configuration (general.avoid_hooks)"]),
    );
  },
});

Deno.test("an object none of whose programs can be attached says why", () => {
  const bare = { ...kernel, hasBtf: false };
  throws(
    () => BpfSource.open(TCP, bare, { enabled, settings: {} }),
    /Cannot attach BPF object "tcp": .*no BTF/,
  );
});

Deno.test({
  name: "an object that is not there is told with its path",
  fn() {
    throws(
      () => open({ ...TCP, object: "nothing" }),
      /^Error: Cannot read BPF object "nothing" at .*nothing\.bpf\.o: there is no such file; run "deno task setup"/,
    );
  },
});
