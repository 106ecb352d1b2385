/** What is the microVM driver's own. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { causeOf, qemuCommand } from "../../lib/cluster/drivers/microvm/command.ts";
import {
  openMicrovmDriver,
  QmpClient,
  QmpError,
  type QmpEvent,
  tinyGuest,
  tryAcceleration,
} from "../../lib/cluster/drivers/microvm/mod.ts";
import { QEMU } from "../../lib/build/guest_kernel.ts";
import { Folder } from "../supervisor/_scene.ts";
import { HAS_MICROVM, ownerOf, tickingGuest } from "./_drivers.ts";
import { comesTo, heard } from "./driver_suite.ts";

/** A QEMU that answers what it is told to, line by line, to one client. */
async function speak(path: string, lines: (command: string) => string[], work: () => Promise<void>) {
  using listener = Deno.listen({ transport: "unix", path });
  const served = (async () => {
    using connection = await listener.accept();
    const send = (line: string) => connection.write(new TextEncoder().encode(`${line}\n`));
    await send(`{"QMP": {}}`);
    const buffer = new Uint8Array(4_096);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const { execute, id } = JSON.parse(new TextDecoder().decode(buffer.subarray(0, count)));
      if (execute === "die") return;
      // Not a line at a time, as sockets do.
      const text = lines(execute).map((line) => `${line.replace("ID", id)}\n`).join("");
      for (let at = 0; at < text.length; at += 7) {
        await connection.write(new TextEncoder().encode(text.slice(at, at + 7)));
      }
    }
  })();
  await work();
  await served;
}

Deno.test("QMP: answers come to whoever asked, events between them, refusals with their class", async () => {
  using folder = new Folder();
  const path = `${folder.path}/qmp`;
  const answers = (command: string): string[] => {
    if (command === "bad") return [`{"error": {"class": "GenericError", "desc": "no"}, "id": ID}`];
    return [`{"event": "STOP", "data": {"a": 1}}`, `{"return": {"of": "${command}"}, "id": ID}`];
  };
  await speak(path, answers, async () => {
    const events: QmpEvent[] = [];
    await using client = await QmpClient.open(path, (event) => events.push(event));
    deepStrictEqual(await client.execute("one"), { of: "one" });
    await rejects(client.execute("bad"), (error) => {
      ok(error instanceof QmpError);
      deepStrictEqual([error.errorClass, error.message], ["GenericError", 'QEMU refuses "bad": no']);
      return true;
    });
    deepStrictEqual(events.map(({ event }) => event), ["STOP", "STOP"]);
    await rejects(client.execute("die"), /QEMU has ended/);
    strictEqual(client.isClosed, true);
    await rejects(client.execute("one"), /QEMU has ended/);
  });
});

Deno.test("a machine's names, paths and words cannot become options of QEMU", () => {
  const command = qemuCommand({
    qemu: "qemu",
    acceleration: "tcg",
    resources: { cpuMillis: 1_500, memoryMib: 64 },
    kernel: "/k",
    initrd: "/i",
    cmdline: "-hda /etc/shadow",
    name: "a,debug-threads=on",
    uuid: "u",
    qmp: "/a,b/qmp",
    trace: "/t",
  });
  const after = (option: string) => command[command.indexOf(option) + 1];
  strictEqual(after("-append"), "-hda /etc/shadow");
  strictEqual(after("-name"), "a,,debug-threads=on");
  strictEqual(after("-smp"), "2");
  ok(command.includes("socket,id=qmp,path=/a,,b/qmp,server=on,wait=off"));
  ok(!command.includes("-hda"));
});

Deno.test("QEMU's last word says why it ended, and its silence that the guest was reset", () => {
  const line = (reason: number) => `qemu_system_shutdown_request reason=${reason}\n`;
  deepStrictEqual(causeOf("", ""), { isSuccess: false, reason: "the guest was reset" });
  deepStrictEqual(causeOf(line(6), ""), { isSuccess: true, reason: "the guest was shut down" });
  deepStrictEqual(causeOf(line(8) + line(2), ""), { isSuccess: false, reason: "it was ended by QMP" });
  deepStrictEqual(causeOf(line(99), ""), { isSuccess: false, reason: "QEMU ended it for its reason 99" });
});

Deno.test("an acceleration under which a guest is up and then does not come on is none", async () => {
  using folder = new Folder();
  const qemu = `${folder.path}/qemu`;
  await Deno.writeTextFile(qemu, "#!/bin/sh\necho 'up '\nexec sleep 1000\n", { mode: 0o755 });
  match(String(await tryAcceleration(qemu, "kvm", folder.path)), /it is emulated$/);
  await Deno.writeTextFile(qemu, "#!/bin/sh\necho 'no such thing' >&2\nexit 1\n");
  strictEqual(await tryAcceleration(qemu, "kvm", folder.path), "no such thing");
  deepStrictEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["qemu"]);
});

Deno.test({
  name: "a guest gets its command line, hears its power button, and says why it ended (needs QEMU on x86_64)",
  ignore: !HAS_MICROVM,
  async fn() {
    using folder = new Folder();
    await using driver = await openMicrovmDriver({
      folder: folder.path,
      owner: ownerOf(folder.path),
      image: () => Promise.resolve(tinyGuest()),
      qemu: QEMU,
    });
    const a = { id: "a", epoch: 1 };
    await driver.create(tickingGuest("a", 1));
    await driver.start(a);
    match(await heard(driver, a, /^tick 0$/m), /^up hello a\nready\n/);
    const end = await driver.stop(a, 60_000);
    match(await heard(driver, a, /bye\n$/), /bye\n$/);
    deepStrictEqual([end?.isSuccess, end?.reason], [true, "the guest was shut down"]);
    await driver.start(a);
    await heard(driver, a, /bye[^]*tick 0$/m);
    deepStrictEqual(await driver.stop(a, 0), {
      ...{ isSuccess: false, wasAsked: true, code: null, signal: "SIGKILL" },
      reason: "QEMU was ended by SIGKILL",
    });
    await driver.start(a);
    await heard(driver, a, /bye[^]*tick 0[^]*tick 0$/m);
    const { state } = driver.list()[0]!;
    ok(state.kind === "running" && state.pid !== null);
    const ended = comesTo(driver, "a", "ended");
    Deno.kill(state.pid, "SIGTERM");
    const last = await ended;
    ok(last.kind === "ended");
    deepStrictEqual(last.end, {
      ...{ isSuccess: false, wasAsked: false, code: null, signal: null },
      reason: "QEMU was ended by signal 15",
    });
    await driver.delete(a);
  },
});

Deno.test({
  name: "what keeps QEMU from running is told with its own words (needs QEMU on x86_64)",
  ignore: !HAS_MICROVM,
  async fn() {
    using folder = new Folder();
    await using driver = await openMicrovmDriver({
      folder: folder.path,
      owner: ownerOf(folder.path),
      image: () => Promise.resolve("/dev/null"),
    });
    const a = { id: "a", epoch: 1 };
    await driver.create(tickingGuest("a", 1));
    await rejects(driver.start(a), /Cannot start instance a \("a"\): qemu: could not load/);
    strictEqual(driver.list()[0]?.state.kind, "ended");
    await driver.delete(a);
  },
});
