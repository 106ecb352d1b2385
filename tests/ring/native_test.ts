import { strictEqual } from "node:assert/strict";
import { TEST_BUILD } from "../../lib/build/paths.ts";
import { exec, exists } from "../../lib/build/step.ts";
import { SANITIZED } from "./peer.ts";

const ARM = `${TEST_BUILD}aarch64/ring_test`;
const QEMU = "/usr/bin/qemu-aarch64-static";

Deno.test("the C side of ring passes its tests under AddressSanitizer and UBSan", async () => {
  strictEqual(await exec(SANITIZED, []), "ring_test: ok\n");
});

Deno.test({
  name: "the C side of ring passes its tests on aarch64 (needs the cross compiler and qemu-user-static)",
  ignore: !exists(ARM) || !exists(QEMU),
  fn: async () => {
    strictEqual(await exec(QEMU, [ARM]), "ring_test: ok\n");
  },
});
