/** Every shim's C test program: under AddressSanitizer and UBSan here, and on aarch64 under qemu-user. */
import { match, strictEqual, throws } from "node:assert/strict";
import { cString } from "../../ffi/c_string.ts";
import { readKernelFile } from "../../ffi/files/mod.ts";
import { SHIMS } from "../../lib/build/native.ts";
import { PROGRAMS } from "../../lib/build/programs.ts";
import { ROOT, TEST_BUILD } from "../../lib/build/paths.ts";
import { exec, exists } from "../../lib/build/step.ts";
import { CAN_LOAD_BPF } from "../telemetry/_agent_process.ts";

const QEMU = "/usr/bin/qemu-aarch64-static";

for (const { name } of SHIMS) {
  Deno.test(`the C side of ${name} passes its tests under AddressSanitizer and UBSan`, async () => {
    match(await exec(`${TEST_BUILD}${name}_test`, []), /ok\n$/);
  });
  const arm = `${TEST_BUILD}aarch64/${name}_test`;
  Deno.test({
    name: `the C side of ${name} passes its tests on aarch64 (needs the cross compiler and qemu-user-static)`,
    ignore: !exists(QEMU) || !exists(arm),
    fn: async () => match(await exec(QEMU, [arm]), /ok\n$/),
  });
}

Deno.test({
  name: "an object lives and dies under AddressSanitizer (needs root and BTF)",
  ignore: !CAN_LOAD_BPF,
  fn: async () =>
    match(await exec(`${TEST_BUILD}bpf_test`, [`${TEST_BUILD}bpf/selftest.bpf.o`, "load"]), /ok\n$/),
});

Deno.test("the lists of shims and programs are the folders of ffi with a header or source of the same name", () => {
  const folders = [...Deno.readDirSync(`${ROOT}ffi`)].filter(({ isDirectory }) => isDirectory).map((
    { name },
  ) => name);
  const built = folders.filter((name) => exists(`${ROOT}ffi/${name}/${name}.c`));
  strictEqual(built.sort().join(), [...SHIMS, ...PROGRAMS].map(({ name }) => name).sort().join());
});

Deno.test({
  name: "every shim and BPF object is built for aarch64 too",
  ignore: !exists(`${TEST_BUILD}aarch64`),
  fn() {
    const machine = (path: string) => new DataView(Deno.readFileSync(path).buffer).getUint16(18, true);
    for (const { name } of SHIMS) strictEqual(machine(`${TEST_BUILD}aarch64/${name}.so`), 183, name);
    for (const { name } of PROGRAMS) strictEqual(machine(`${TEST_BUILD}aarch64/${name}`), 183, name);
    for (const { name } of Deno.readDirSync(`${TEST_BUILD}aarch64/bpf`)) {
      strictEqual(machine(`${TEST_BUILD}aarch64/bpf/${name}`), 247, `${name} is for BPF`);
    }
  },
});

Deno.test("text reaches C whole or not at all", () => {
  strictEqual(new TextDecoder().decode(cString("µs")), "µs\0");
  throws(() => readKernelFile("/proc/version\0x"), {
    name: "TypeError",
    message: 'Cannot pass "/proc/version\\u0000x" to C: it holds a NUL',
  });
});
