/** Listening sockets: opened, inherited by one child, kept by a keeper over the death of whoever opened them. */
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import {
  addressText,
  adoptListeners,
  Listener,
  openListener,
  type SocketAddress,
  withInherited,
} from "../../ffi/sockets/mod.ts";
import { freePort } from "../free_port.ts";
import { inspectInstance, KeeperControl, startInstance } from "../../lib/keeper/mod.ts";
import { until } from "../swap/_instance.ts";
import { portOf } from "../swap/_restarts.ts";

Deno.test("a listener tells its address, and accepts before anybody accepts on it", async () => {
  using listener = openListener({ host: "localhost", port: 0 });
  const port = portOf(listener);
  deepStrictEqual(listener.address, { host: "127.0.0.1", port });
  (await Deno.connect({ port })).close();
  throws(() => openListener({ host: "127.0.0.1", port }), {
    message: `Cannot listen on 127.0.0.1:${port}: Address already in use (EADDRINUSE)`,
  });
  {
    using copy = listener.duplicate();
    deepStrictEqual(copy.address, listener.address);
    const fd = copy.release();
    throws(() => copy.fd, TypeError);
    new Listener(fd)[Symbol.dispose]();
  }
  listener[Symbol.dispose]();
  listener[Symbol.dispose]();
  throws(() => listener.fd, { message: `Cannot use listener 127.0.0.1:${port}: it is closed` });
  await rejects(Deno.connect({ port }), Deno.errors.ConnectionRefused);
});

Deno.test("what is no address, no port, no socket is refused", () => {
  throws(
    () => openListener({ host: "example.org", port: 1 }),
    /Cannot listen on example\.org:1: Invalid argument/,
  );
  throws(
    () => openListener({ host: "::1", port: 65_536 }),
    /listen on \[::1\]:65536: the port must lie in 0\.\.65535/,
  );
  throws(() => openListener({ path: `/tmp/${"x".repeat(200)}` }), /File name too long/);
  throws(() => new Listener(9_999), /Cannot read the address of descriptor 9999: Bad file descriptor/);
});

Deno.test("a path is listened on, and taken over when nobody does any more", async () => {
  const folder = Deno.makeTempDirSync();
  const address: SocketAddress = { path: `${folder}/socket` };
  for (let round = 0; round < 2; round++) {
    using listener = openListener(address);
    deepStrictEqual(listener.address, address);
    throws(() => openListener(address), /EADDRINUSE/);
    (await Deno.connect({ transport: "unix", path: address.path })).close();
  }
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("addresses read as people write them", () => {
  const texts = [{ host: "127.0.0.1", port: 80 }, { host: "::", port: 80 }, { path: "/run/x" }].map(
    addressText,
  );
  deepStrictEqual(texts, ["127.0.0.1:80", "[::]:80", "/run/x"]);
});

Deno.test("only the child that is started meanwhile inherits a descriptor", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  const look = () => new Deno.Command("test", { args: ["-e", `/proc/self/fd/${listener.fd}`] }).spawn();
  const children = [look(), withInherited([listener.fd], look), look()];
  const statuses = await Promise.all(children.map(({ status }) => status));
  deepStrictEqual(statuses.map(({ success }) => success), [false, true, false]);
  throws(() => withInherited([listener.fd, 9_999], look), /Cannot pass on descriptor 9999/);
  const { success } = await look().status;
  strictEqual(success, false, "a failure leaves nothing inheritable");
});

Deno.test("a manager that was killed and is started again has its sockets back, and nobody was refused", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "sockets-" });
  const manager = `
    import { startInstance } from "${import.meta.resolve("../../lib/keeper/mod.ts")}";
    import { openListener } from "${import.meta.resolve("../../ffi/sockets/mod.ts")}";
    const web = openListener({ host: "127.0.0.1", port: ${freePort()} });
    const admin = openListener({ path: "${folder}/admin" });
    const listeners = [{ fd: web.fd, name: "web" }, { fd: admin.fd, name: "admin", passed: false }];
    // The child closes what it was passed: the keeper's own stays open.
    const command = ["sh", "-c", "exec 3<&-; exec sleep 1000"];
    const keeper = startInstance({ folder: "${folder}", command, listeners });
    await keeper.begun;
    console.log(web.address.port);
    Deno.kill(Deno.pid, "SIGKILL");
  `;
  const args = ["eval", "--no-check", manager];
  const { signal, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  strictEqual(signal, "SIGKILL");
  const port = Number(new TextDecoder().decode(stdout));
  const waiting = await Deno.connect({ port });
  const adopted = await adoptListeners(folder);
  deepStrictEqual(adopted.map(({ name, listener }) => [name, listener.address]), [
    ["web", { host: "127.0.0.1", port }],
    ["admin", { path: `${folder}/admin` }],
  ]);
  {
    using control = await KeeperControl.open(folder);
    await control.stop(0);
  }
  await until("its end", () => {
    const status = inspectInstance(folder);
    return status.kind === "exited" && !status.keeperAlive;
  });
  // The keeper is gone, and the adopted socket still listens.
  (await Deno.connect({ port })).close();
  waiting.close();
  for (const { listener } of adopted) listener[Symbol.dispose]();
  await rejects(Deno.connect({ port }), Deno.errors.ConnectionRefused);
  await rejects(
    adoptListeners(folder),
    /Cannot take over the sockets of the keeper in .*: No such file or directory/,
  );
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a keeper without sockets gives none", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "sockets-" });
  const keeper = startInstance({ folder, command: ["sleep", "1000"] });
  await keeper.begun;
  deepStrictEqual(await adoptListeners(folder), []);
  Deno.kill(keeper.pid, "SIGTERM");
  await until("its end", () => processStart(keeper.pid) === 0n);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a listener tells how many connections wait to be accepted, and a path tells none", async () => {
  using listener = openListener({ host: "127.0.0.1", port: 0 });
  if ("path" in listener.address) throw new TypeError("a port was expected");
  strictEqual(listener.waiting, 0);
  using _first = await Deno.connect({ port: listener.address.port });
  using _second = await Deno.connect({ port: listener.address.port });
  strictEqual(listener.waiting, 2);
  const folder = Deno.makeTempDirSync({ prefix: "sockets-" });
  using path = openListener({ path: `${folder}/socket` });
  strictEqual(path.waiting, 0);
  Deno.removeSync(folder, { recursive: true });
});
