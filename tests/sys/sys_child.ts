/** A process that changes its own properties and prints what became of them. @module */
import {
  affinity,
  niceness,
  scheduling,
  sendErrorsTo,
  setAffinity,
  setNiceness,
  setParentDeathSignal,
  setScheduling,
  setThreadName,
  setUmask,
} from "../../ffi/sys/mod.ts";

const [mode] = Deno.args;
if (mode === "orphan") {
  setParentDeathSignal("SIGKILL");
  console.log(Deno.pid);
  setInterval(() => undefined, 60_000); // lives until it is killed
} else if (mode === "realtime") {
  const policies = (["fifo", "round_robin"] as const).map((policy, index) => {
    setScheduling({ policy, priority: index + 3 });
    return scheduling();
  });
  console.log(JSON.stringify(policies));
} else {
  const first = affinity()[0]!;
  setAffinity([first]);
  setNiceness(7);
  setScheduling({ policy: "normal", priority: 0 });
  setThreadName("hostkit-longname");
  setUmask(0o27);
  const path = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${path}/file`, "");
  const fileMode = Deno.statSync(`${path}/file`).mode! & 0o777;
  Deno.writeTextFileSync(`${path}/errors`, "before\n");
  sendErrorsTo(`${path}/errors`);
  console.error("after");
  const errors = Deno.readTextFileSync(`${path}/errors`);
  Deno.removeSync(path, { recursive: true });
  const thread = "/proc/thread-self";
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(Deno.readTextFileSync(`${thread}/status`))?.[1];
  console.log(JSON.stringify({
    nice: niceness(),
    policy: scheduling(),
    affinity: affinity(),
    kernelAffinity: allowed,
    name: Deno.readTextFileSync(`${thread}/comm`).trim(),
    umask: setUmask(0o22),
    mode: fileMode,
    errors,
  }));
}
