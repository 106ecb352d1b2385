/** A real Linux as a microVM: Debian's kernel with a shell in memory. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { exists } from "../../lib/build/step.ts";
import { guestKernel } from "../../lib/build/guest_kernel.ts";
import { openMicrovmDriver } from "../../lib/cluster/drivers/mod.ts";
import { writeInitramfs } from "../guest/initramfs.ts";
import { Folder } from "../supervisor/_scene.ts";
import { HAS_MICROVM, ownerOf } from "./_drivers.ts";
import { comesTo, heard } from "./driver_suite.ts";
import { instanceOf } from "./_model.ts";

const SUITE = "bookworm";
const KERNEL = guestKernel(SUITE);

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
echo "user space of $(cat /proc/cmdline)"
while :; do setsid cttyhack sh; done
`;

function makeInitramfs(folder: string): string {
  const root = `${folder}/root`;
  for (const name of ["bin", "proc", "dev"]) Deno.mkdirSync(`${root}/${name}`, { recursive: true });
  Deno.copyFileSync(KERNEL.busybox, `${root}/bin/busybox`);
  Deno.chmodSync(`${root}/bin/busybox`, 0o755);
  Deno.writeTextFileSync(`${root}/init`, INIT, { mode: 0o755 });
  writeInitramfs(root, `${folder}/initrd`);
  return `${folder}/initrd`;
}

Deno.test({
  name:
    `Linux boots as a microVM, answers on its console, pauses and powers off (QEMU and Debian ${SUITE}'s kernel)`,
  ignore: !HAS_MICROVM || !exists(KERNEL.vmlinuz),
  async fn() {
    using folder = new Folder();
    const images: Record<string, string> = { linux: KERNEL.vmlinuz, shell: makeInitramfs(folder.path) };
    await using driver = await openMicrovmDriver({
      folder: `${folder.path}/driver`,
      owner: ownerOf(folder.path),
      image: ({ name }) => Promise.resolve(images[name]!),
    });
    const a = { id: "a", epoch: 1 };
    const type = (text: string) => driver.input(a, new TextEncoder().encode(text));
    await driver.create(instanceOf("a", {
      placement: { node: "n", epoch: 1 },
      resources: { cpuMillis: 2_000, memoryMib: 128, diskMib: 0 },
      workload: {
        driver: "microvm",
        kernel: { name: "linux", sha256: "" },
        initrd: { name: "shell", sha256: "" },
        // A machine that is busy keeps it from measuring its clock, without which it does not start.
        cmdline: "console=ttyS0 quiet panic=-1 tsc_early_khz=2600000",
        acceleration: "tcg",
      },
    }));
    await driver.start(a);
    match(await heard(driver, a, /\/ # /), /user space of console=ttyS0/);
    await type("echo $((6 * 7)) of $(nproc)\n");
    await heard(driver, a, /^42 of 2\r?$/m);
    await driver.pause(a);
    await type("echo again $((6 * 7))\n");
    await driver.resume(a);
    await heard(driver, a, /^again 42\r?$/m);
    const ended = comesTo(driver, "a", "ended");
    await type("poweroff -f\n");
    const state = await ended;
    ok(state.kind === "ended");
    deepStrictEqual(state.end, {
      ...{ isSuccess: true, wasAsked: false, code: null, signal: null },
      reason: "the guest was shut down",
    });
    await driver.delete(a);
  },
});
