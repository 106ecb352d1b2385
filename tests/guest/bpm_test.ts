/** bpm in a guest whose cgroups are version 2 alone, with all controllers: what the usual test machine has not. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { guestKernel, QEMU } from "../../lib/build/guest_kernel.ts";
import { exists } from "../../lib/build/step.ts";
import { Guest } from "./guest.ts";

const SUITE = "bookworm";

const CONFIG = `mcp_port = 3001
[process.limited]
command = ["/bin/sh", "-c", "setsid setsid sleep 1000 & echo up; exec sleep 1000"]
ready = { log = "^up$" }
limits = { memory = "32MiB", cpus = 0.5, processes = 20 }
[process.greedy]
command = ["/bin/sh", "-c", "exec dd if=/dev/zero of=/tmp/greedy bs=1M count=64"]
restart = "never"
limits = { memory = "8MiB" }
`;

Deno.test({
  name:
    "limits of memory, CPU time and processes hold in cgroups of version 2, which are gone after the end " +
    `(QEMU and Debian ${SUITE}'s kernel)`,
  ignore: !exists(QEMU) || !exists(guestKernel(SUITE).vmlinuz),
  async fn() {
    await using guest = await Guest.boot(SUITE);
    const lines = CONFIG.trim().split("\n").map((line) => `echo '${line}'`).join("; ");
    await guest.run(`mkdir /run/project; { ${lines}; } > /run/project/.mcp-run`);
    await guest.run(
      "cd /run/project; /hostkit bpm serve > /run/bpm.log 2>&1 & " +
        "until grep -q 'all processes' /run/bpm.log; do kill -0 $! || { cat /run/bpm.log; exit 1; }; sleep 0.1; done",
    );
    const cgroup = (await guest.run("echo /sys/fs/cgroup/hostkit/*/limited.run-1")).trim();
    const limits = await guest.run(`cd ${cgroup}; cat memory.max cpu.max pids.max`);
    deepStrictEqual(limits.trim().split("\n"), [`${32 * 2 ** 20}`, "50000 100000", "20"]);
    // The shell that became sleep, and the one that forked away twice.
    strictEqual((await guest.run(`cat ${cgroup}/cgroup.procs | wc -l`)).trim(), "2");
    match(
      await guest.run("cat /run/bpm.log"),
      /greedy.*the kernel ended some of it: its memory limit was reached/,
    );
    await guest.run("cd /run/project; /hostkit bpm stop limited");
    strictEqual((await guest.run("ls -d /sys/fs/cgroup/hostkit 2>/dev/null | wc -l")).trim(), "0");
    strictEqual((await guest.run("pidof sleep | wc -w")).trim(), "0");
  },
});
