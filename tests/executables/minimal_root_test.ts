import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { packedAnswers } from "../../cmd/dev/pack.ts";
import { inMinimalRoot, makeMinimalRoot } from "../../lib/build/minimal_root.ts";
import { pack } from "../../lib/build/pack.ts";
import { exists } from "../../lib/build/step.ts";
import { AgentClient } from "../../lib/agent_client/mod.ts";
import { runProgram, temporaryFolder } from "./packed.ts";
import type { AgentStatus } from "../../lib/telemetry/mod.ts";

const CAN_CHROOT = Deno.uid() === 0 && exists("/usr/bin/dpkg") && exists("/usr/bin/unshare");
const HAS_BTF = exists("/sys/kernel/btf/vmlinux");

Deno.test({
  name: "in a read-only root with libc only the packed agent runs from a run directory (root)",
  ignore: !CAN_CHROOT,
  fn: async (t) => {
    using root = temporaryFolder();
    await makeMinimalRoot(root.path);
    await pack(root.path, { answers: await packedAnswers("test"), commit: "test", say: () => {} });
    const path = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

    await t.step("without a folder to unpack into it tells which were tried", async () => {
      const args = inMinimalRoot(root.path, ["/hostkit", "rezolus", "agent"], { runDir: false });
      const { code, out, err } = await runProgram("unshare", args, path);
      deepStrictEqual([code, out], [1, ""]);
      match(
        err,
        /^hostkit: cannot unpack the runtime: no folder to keep it in, set HOSTKIT_CACHE_DIR; tried:\n/,
      );
      match(err, /^ {2}\/run\/hostkit: Read-only file system$/m);
      match(
        err,
        /^ {2}\/var\/tmp\/hostkit-0: No such file or directory$|^ {2}\/var\/tmp\/hostkit-0: Read-only/m,
      );
    });

    await t.step("with one every BPF program attaches and values arrive", async () => {
      const words = ["/hostkit", "rezolus", "agent", "--listen", "", "--socket", "/run/agent.sock"];
      const child = new Deno.Command("unshare", {
        args: inMinimalRoot(root.path, words, { runDir: true }),
        env: path,
        clearEnv: true,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      let status: AgentStatus;
      let log = "";
      try {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
          log += text;
          if (log.includes("listening")) break;
        }
        ok(log.includes("listening"), log);
        using client = new AgentClient({ kind: "unix", path: `/proc/${child.pid}/root/run/agent.sock` });
        status = JSON.parse(new TextDecoder().decode(await client.get("/status")));
        ok((await client.get("/metrics/binary")).length > 1000);
      } finally {
        child.kill("SIGTERM");
        await child.status;
      }
      strictEqual(status.version, "0.1.0");
      const withPrograms = status.samplers.filter(({ programs }) => programs.length > 0);
      if (HAS_BTF) {
        ok(withPrograms.length >= 5);
        deepStrictEqual(withPrograms.filter(({ state }) => state !== "ok"), []);
      }
      deepStrictEqual([...Deno.readDirSync(`${root.path}/run`)], []);
    });
  },
});
