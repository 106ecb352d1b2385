/** What a service says of itself, and what is asked of it while others come and go. */
import { match, strictEqual } from "node:assert/strict";
import { type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";
import { Folder, isState, until } from "./_scene.ts";

const never = new AbortController().signal;
const POLICY = { backoff: { firstMs: 1, factor: 1, maxMs: 1 } };

/** Starts one service, and returns what it is told to be unwell of. */
async function unwellOf(spec: Omit<ServiceSpec, "name" | "policy">): Promise<string> {
  using folder = new Folder();
  await using supervisor = Supervisor.open([{ name: "it", policy: POLICY, ...spec }], folder.path);
  const unwell = until(supervisor, (notice) => notice.kind === "event");
  const failing = until(supervisor, isState("failing"));
  await supervisor.start(never);
  await failing;
  const notice = await unwell;
  return notice.kind === "event" ? notice.text : "";
}

Deno.test("a watchdog is told its period, is fed by WATCHDOG=1 and bites when that stays away", async () => {
  // It says so three times, in a period that its environment names.
  const script = `import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
say = lambda what: s.sendto(what, os.environ["NOTIFY_SOCKET"])
period = int(os.environ["WATCHDOG_USEC"]) / 1e6
say(b"READY=1")
for _ in range(3):
  time.sleep(period / 2)
  say(b"WATCHDOG=1")
print("fed", period, flush=True)
time.sleep(60)`;
  using folder = new Folder();
  await using supervisor = Supervisor.open([{
    name: "fed",
    command: { argv: ["/usr/bin/python3", "-c", script] },
    readiness: { kind: "notify" },
    liveness: { kind: "notify", everyMs: 200 },
    policy: POLICY,
  }], folder.path);
  const said: string[] = [];
  supervisor.listen((notice) => {
    if (notice.kind === "line") said.push(notice.line.text);
    if (notice.kind === "event") said.push(notice.text);
  });
  const failing = until(supervisor, isState("failing"));
  await supervisor.start(never);
  await failing;
  strictEqual(said[0], "fed 0.2");
  match(said[1]!, /did not say for 200 ms that it is well: notify/);
});

Deno.test("a service that has to say that it is well, and does not, is ended", async () => {
  const spec = { command: { argv: ["/bin/sh", "-c", "echo tick; exec sleep 60"] as const } };
  match(
    await unwellOf({ ...spec, liveness: { kind: "log", pattern: /^tick$/, everyMs: 20 } }),
    /did not say for 20 ms that it is well: log/,
  );
});

Deno.test("an old instance that runs on, since the new one did not come, is asked on how it is", async () => {
  using folder = new Folder();
  const { path } = folder;
  await using supervisor = Supervisor.open([{
    name: "it",
    command: {
      argv: [
        "/bin/sh",
        "-c",
        `test -e ${path}/up && exit 1; touch ${path}/up ${path}/well; echo ready; exec sleep 60`,
      ],
    },
    readiness: { kind: "log", pattern: /^ready$/ },
    liveness: {
      kind: "exec",
      command: { argv: ["test", "-e", `${path}/well`] },
      everyMs: 5,
      failures: 1,
    },
    policy: { ...POLICY, overlap: true },
  }], path);
  await supervisor.start(never);
  const service = supervisor.services.get("it")!;
  const [before, refused] = [service.current?.place.number, until(supervisor, isState("replacing"))];
  service.request("restart");
  await refused;
  await supervisor.until(service, (each) => each.is("running"));
  strictEqual(service.current?.place.number, before);
  const failing = until(supervisor, isState("failing"));
  Deno.removeSync(`${path}/well`);
  await failing;
});
