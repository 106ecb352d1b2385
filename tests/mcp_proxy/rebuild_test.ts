/** A server that is built, and whose files change. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ProxyOptions } from "../../lib/mcp_proxy/mod.ts";
import { until } from "../keeper/_log.ts";
import { Behind, fragile, INITIALIZE, type Json } from "./behind.ts";

/** A folder with the source of a server's settings, which a build copies to where the server reads them. */
class Project implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mcp-proxy-" });
  readonly options: ProxyOptions = {
    build: "echo building >&2; grep -q wrong source.json && exit 4; cp source.json made.json",
    watch: ["source.json"],
    watchFolder: this.folder,
  };
  readonly spec = { kind: "stdio", command: { argv: fragile(`${this.folder}/made.json`) } } as const;

  constructor(text: string) {
    this.write(text);
  }

  write(text: string): void {
    Deno.writeTextFileSync(`${this.folder}/source.json`, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("proxy: what changes is built and replaces the server, which finishes what it has", async () => {
  using project = new Project('{"version":"one"}');
  await using client = new Behind(project.options, project.spec);
  strictEqual((await client.begin()).result.serverInfo.version, "one");
  const pid = await client.serverPid();
  const slow = await client.call("count");
  strictEqual((await client.receive()).id, slow);
  const late = await client.call("wait", { ms: 1_000 });
  project.write('{"tools":["lines","wait","other"]}');
  // Told while the old server still works on the call.
  strictEqual((await client.receive()).method, "notifications/tools/list_changed");
  ok(await client.serverPid() !== pid);
  const answer: Json = await client.receive();
  deepStrictEqual([answer.id, answer.result.content[0].text], [late, "waited, cancelled: false"]);
  ok(client.told.includes("source.json changed"), client.told.join("\n"));
});

Deno.test("proxy: a build that fails leaves the server running, and is told; the next one replaces it", async () => {
  using project = new Project("{}");
  await using client = new Behind({ ...project.options, ownTools: true }, project.spec);
  await client.begin();
  const pid = await client.serverPid();
  project.write("wrong");
  const { method, params } = await client.receive();
  deepStrictEqual([method, params.level], ["notifications/message", "error"]);
  match(params.data, /could not be built: its build exited with code 4\nbuilding$/);
  strictEqual(client.told.at(-1), "the build exited with code 4; the server goes on");
  strictEqual(await client.serverPid(), pid);
  match(await client.text("proxy_status"), /last build: exited with code 4$/);
  project.write('{"version":"two"}');
  await until("the new server", async () => await client.serverPid() !== pid);
});

Deno.test("proxy: a new server that does not come up leaves the old one running", async () => {
  using project = new Project("{}");
  await using client = new Behind(project.options, project.spec);
  await client.begin();
  const pid = await client.serverPid();
  project.write('{"broken":true}');
  await until(
    "the end of the new one",
    () => client.told.some((line) => line.endsWith("exited with code 9")),
  );
  strictEqual(await client.serverPid(), pid);
  project.write('{"slowMs":200}');
  await until("the new server", async () => await client.serverPid() !== pid);
});

Deno.test("proxy: who waits for a server that cannot be built is told why", async () => {
  using project = new Project("wrong");
  await using client = new Behind({ ...project.options, limits: { waitMs: 300 } }, project.spec);
  await client.send(INITIALIZE);
  match(
    (await client.receive()).error.message,
    /^initialize waited .* which is not there: it could not be built: its build exited with code 4\. Its last lines:\nbuilding$/,
  );
  project.write("{}");
  await until("the server", async () => (await client.begin()).result !== undefined);
});

Deno.test("proxy: a build that is overtaken by another change is ended, and so is one that runs at the end", async () => {
  using project = new Project("{}");
  const pidFile = `${project.folder}/pid`;
  const build = `echo $$ > pid; grep -q slow source.json && exec sleep 1000; cp source.json made.json`;
  await using client = new Behind({ ...project.options, build }, project.spec);
  await client.begin();
  const pid = await client.serverPid();
  const builds = async (what: string) => {
    const before = Deno.readTextFileSync(pidFile);
    project.write(what);
    await until("the build", () => ![before, ""].includes(Deno.readTextFileSync(pidFile)));
    return Number(Deno.readTextFileSync(pidFile));
  };
  const overtaken = await builds('{"slow":1}');
  project.write("{}");
  await until("the new server", async () => await client.serverPid() !== pid);
  const last = await builds('{"slow":2}');
  client.stop();
  await client.ended;
  deepStrictEqual([overtaken, last].map((build) => exists(`/proc/${build}`)), [false, false]);
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
