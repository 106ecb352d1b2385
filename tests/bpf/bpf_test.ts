/** The shim over libbpf: whole life of an object, refusals with their reasons, nothing left behind. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { assetPath, openLibrary } from "../../ffi/assets.ts";
import { BpfError, BpfObject } from "../../ffi/bpf/mod.ts";
import { errnoName, errnoOf, SystemError } from "../../ffi/errno.ts";
import { TEST_BUILD } from "../../lib/build/paths.ts";
import { CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";

const NEEDS_BPF = { ignore: !CAN_LOAD_BPF };
const asset = (name: string) => Deno.readFileSync(assetPath(`bpf/${name}.bpf.o`));
const testObject = (name: string) => Deno.readFileSync(`${TEST_BUILD}bpf/${name}.bpf.o`);
const open = () => new BpfObject(testObject("selftest"), { name: "selftest" });

/** Ids of all BPF programs in the kernel. */
async function programIds(): Promise<Set<number>> {
  const fd = await new Deno.Command("bpftool", { args: ["-j", "prog", "list"] }).output();
  const list: { id: number }[] = JSON.parse(new TextDecoder().decode(fd.stdout));
  return new Set(list.map(({ id }) => id));
}

Deno.test({
  name: "an object is opened, set, resized, loaded, attached and read, and leaves no program behind",
  ...NEEDS_BPF,
  async fn() {
    let id: number;
    {
      using object = open();
      object.set("step", BigUint64Array.of(3n));
      object.resize("hits", 100);
      object.load();
      deepStrictEqual(object.mapNames().filter((name) => name === "hits"), ["hits"]);
      const hits = object.map("hits");
      deepStrictEqual([hits.entries, hits.valueBytes], [100, 8]);
      ok(hits.lockedBytes >= 800 && hits.lockedBytes < 100_000);
      const words = new Uint32Array(hits.memory!);
      strictEqual(words[0], 0, "a program that is not attached does not run");
      ok(object.runOn("count", 0));
      strictEqual(words[0], 3, "the constant is what it was set to");
      strictEqual(object.runOn("count", 4095), false, "there is no such CPU");
      object.attach("count");
      Deno.statSync("/proc");
      ok(words[0]! > 3 && words[0]! % 3 === 0);
      object.update("hits", Uint32Array.of(7), BigUint64Array.of(2n ** 40n));
      deepStrictEqual([words[14], words[15]], [0, 256]);
      const info = object.program("count");
      ok(info.id > 0 && info.instructions > 0);
      id = info.id;
      ok((await programIds()).has(id));
    }
    // Programs are freed after a grace period of RCU.
    const limit = performance.now() + 5_000;
    while ((await programIds()).has(id)) ok(performance.now() < limit, `program ${id} is still there`);
  },
});

Deno.test({
  name: "queues take values until they are full",
  ...NEEDS_BPF,
  fn() {
    using object = new BpfObject(asset("sched"), { name: "sched" });
    for (
      const event of ["sched_switch", "sched_wakeup", "sched_wakeup_new", "sched_process_exit", "task_rename"]
    ) {
      object.setProgram(`${event}__tp_btf`, false);
      object.setProgram(`${event}__raw_tp`, false);
    }
    object.setProgram("flush", false);
    object.setProgram("flush__storage", false);
    object.setMap("storage", false);
    object.resize("free_tasks", 3);
    object.load();
    strictEqual(object.push("free_tasks", Uint32Array.of(1, 2, 3, 4, 5)), 3);
    ok(!object.mapNames().includes("storage"), "a map that was not wanted is not made");
  },
});

Deno.test("what is no object is refused with libbpf's reason", () => {
  throws(() => new BpfObject(new Uint8Array(100), { name: "nonsense" }), (error: Error) => {
    ok(error instanceof BpfError);
    match(error.message, /^Cannot open BPF object "nonsense": .*\(E\w+\): .*nonsense/);
    return true;
  });
});

Deno.test("what libbpf says is taken once, line by line", () => {
  throws(() => new BpfObject(new Uint8Array(100), { name: "nonsense" }), BpfError);
  deepStrictEqual(BpfObject.takeLog(), [], "an error has taken it");
  using object = open();
  throws(() => object.attach("count"));
  object.setMap("hits", false);
  throws(() => object.load(), BpfError);
  deepStrictEqual(BpfObject.takeLog(), []);
});

Deno.test("unknown names and wrong sizes are refused with the names", () => {
  using object = open();
  throws(() => object.set("nothing", Uint8Array.of(1)), /set "nothing" of BPF object "selftest": .*ENOENT/);
  throws(() => object.set("step", Uint8Array.of(1)), /set "step" .*EMSGSIZE/);
  throws(() => object.resize("nothing", 1), /resize map "nothing" .*ENOENT/);
  throws(() => object.setProgram("nothing", true), /choose program "nothing" .*ENOENT/);
  throws(() => object.setMap("nothing", true), /choose map "nothing" .*ENOENT/);
  throws(() => object.attach("count"), /attach program "count" of BPF object "selftest": .*ENOENT/);
  throws(() => object.map("hits"), /map "hits" .*ENOENT/);
  throws(() => object.program("count"), /describe program "count"/);
  throws(() => object.runOn("count", 0), /run program "count" .* on CPU 0/);
  throws(() => object.push("hits", Uint32Array.of(1)), /push into map "hits"/);
  throws(() => object.update("hits", Uint32Array.of(0), BigUint64Array.of(1n)), /update map "hits"/);
});

Deno.test("a closed object says so, and closing twice is harmless", () => {
  const object = open();
  object.close();
  object.close();
  throws(() => object.load(), /BPF object "selftest": it is closed/);
});

Deno.test({
  name: "a program that the verifier refuses is told with the verifier's verdict, however long its log",
  ...NEEDS_BPF,
  fn() {
    using object = new BpfObject(testObject("refused"), { name: "refused" });
    throws(() => object.load(), (error: Error) => {
      ok(error instanceof BpfError);
      match(
        error.message,
        /load BPF object "refused": .*: program "reads_anywhere" \| .* \| R\d invalid mem access '\w+'$/,
      );
      ok(error.log.length > 10_000, `the log that is kept has ${error.log.length} characters`);
      match(error.log, /prog 'reads_anywhere': failed to load/);
      return true;
    });
  },
});

Deno.test("the library needs nothing but libc, and a glibc that is old enough", async () => {
  const readelf = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("readelf", { args: [...args, assetPath("lib/bpf.so")] })
      .output();
    return new TextDecoder().decode(stdout);
  };
  const dynamic = await readelf("-d", "-W");
  const needed = [...dynamic.matchAll(/NEEDED.*\[([^\]]+)\]/g)].map(([, name]) => name!);
  deepStrictEqual(needed.filter((name) => !name.startsWith("ld-linux")), ["libc.so.6"]);
  ok(!dynamic.includes("TEXTREL"));
  const symbols = await readelf("--dyn-syms", "-W");
  const versions = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  ok(Math.max(...versions) <= 34, `needs glibc 2.${Math.max(...versions)}`);
  const exported = [...symbols.matchAll(/GLOBAL DEFAULT +\d+ (\S+)$/gm)].map(([, name]) => name!);
  deepStrictEqual(exported.filter((name) => !name.startsWith("hk_bpf_")), []);
});

Deno.test("a library that was not built is told with what to do", () => {
  throws(
    () => openLibrary("nothing", {}),
    /Cannot open native library "nothing" at .*: No such file or directory; run "deno task setup"/,
  );
});

Deno.test("error numbers have their names, and an error carries both", () => {
  deepStrictEqual([errnoName(2), errnoName(11), errnoName(9999)], ["ENOENT", "EAGAIN", "E9999"]);
  deepStrictEqual([errnoOf("EPERM"), errnoOf("ENOSYS")], [1, 38]);
  throws(() => errnoOf("ENOTHING"), /"ENOTHING" is no error of Linux/);
  const error = new SystemError("open a door", 13, { detail: "locked" });
  deepStrictEqual([error.message, error.code], [
    "Cannot open a door: Permission denied (EACCES): locked",
    "EACCES",
  ]);
});
