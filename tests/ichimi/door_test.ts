/** What the daemon serves on loopback: to whom it opens, and two surfaces over the same processes. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { until } from "../keeper/_log.ts";
import { runPackage } from "../mcp/outside_tools.ts";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { consolePage, Doorway } from "../../lib/ichimi/mod.ts";
import { freePort } from "../free_port.ts";
import { Home } from "./_front.ts";
import { World } from "./_world.ts";

interface Door {
  readonly url: string;
  readonly port: number;
  readonly token: string;
}

async function openDoor(home: Home): Promise<Door> {
  const { code, out, err } = await home.run("console", "--json");
  strictEqual(code, 0, err);
  return JSON.parse(out);
}

/** The client's own child is its business. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

test("nobody gets past the door without the token, or from another site", async () => {
  await using home = new Home();
  const { url, token, port } = await openDoor(home);
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { headers, redirect: "manual" });
    await response.body?.cancel();
    return response.status;
  };
  const shown = { authorization: `Bearer ${token}` };
  for (
    const path of ["/", "/mcp", "/bpm/mcp", "/api/status", "/../etc/passwd", "/?token=", "/?token=wrong"]
  ) {
    strictEqual(await status(path), 401, path);
  }
  for (const wrong of ["", token.slice(1), `${token}0`, token.toUpperCase()]) {
    if (wrong === token) continue;
    strictEqual(await status("/mcp", { authorization: `Bearer ${wrong}` }), 401);
  }
  strictEqual(await status("/nothing", shown), 404);
  for (const path of ["/", "/ichimi.js", "/api/status", "/mcp"]) {
    const { status, headers, body } = await fetch(url + path, { method: "OPTIONS", headers: shown });
    await body?.cancel();
    deepStrictEqual([status, headers.get("allow")?.split(", ")[0]], [405, "GET"], path);
  }
  strictEqual(await status("/mcp", { ...shown, origin: "http://evil.example" }), 403);
  using raw = await Deno.connect({ port, hostname: "127.0.0.1" });
  await raw.write(new TextEncoder().encode(
    `GET /mcp HTTP/1.1\r\nHost: evil.example:${port}\r\n` +
      `Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
  ));
  match(await new Response(raw.readable).text(), /^HTTP\/1\.1 421 /);
});

test("a browser that has come with the token once has a cookie, which stays the same over daemons", async () => {
  await using home = new Home();
  const { url, token } = await openDoor(home);
  const first = await fetch(`${url}/?token=${token}`, { redirect: "manual" });
  deepStrictEqual([first.status, first.headers.get("location")], [302, "/"]);
  const cookie = first.headers.get("set-cookie")!;
  match(cookie, /; HttpOnly; SameSite=Strict$/);
  const again = await fetch(`${url}/nothing`, { headers: { cookie: cookie.split(";")[0]! } });
  deepStrictEqual([again.status, await again.text()], [404, "not found\n"]);
  await home.end();
  strictEqual((await openDoor(home)).token, token);
  const { mode } = await Deno.stat(`${home.state}/token`);
  strictEqual(mode! & 0o777, 0o600);
});

test("a port that somebody has is passed over", async () => {
  await using home = new Home();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  home.configure(`[web]\nport = ${Math.min(port, 65_000)}\nalways = true\n`);
  const door = await openDoor(home);
  ok(door.port > port && door.port < port + 100, `${door.port} for ${port}`);
});

Deno.test("a door whose port cannot be noted is closed again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ichimi-" });
  const port = freePort();
  const files = { tokenFile: `${folder}/token`, portFile: `${folder}/none/door` };
  await using doorway = new Doorway({ host: "127.0.0.1", port, ...files, mounts: {} });
  await rejects(doorway.open(), /none\/door/);
  Deno.listen({ hostname: "127.0.0.1", port }).close();
  await Deno.mkdir(`${folder}/none`);
  strictEqual((await doorway.open()).port, port);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("files of a folder stand for the console's own, as they are at each request", async () => {
  await using world = new World();
  const assetsDir = `${world.folder}/assets`;
  const { fetch } = consolePage({ host: world.host, version: "9.9.9", assetsDir });
  const style = async () => await (await fetch(new Request("http://localhost/ichimi.css"))).text();
  const own = await style();
  await Deno.mkdir(`${assetsDir}/web`, { recursive: true });
  for (const text of ["body { color: red }", "body { color: blue }"]) {
    await Deno.writeTextFile(`${assetsDir}/web/ichimi.css`, text);
    strictEqual(await style(), text);
  }
  ok(own.length > 1_000);
});

test("a daemon that follows another one opens the same door, one that was asked to end closes it", async () => {
  await using home = new Home();
  // One that nobody else's daemon takes while this one has none.
  home.configure(`[web]\nport = ${freePort()}\n`);
  await using assistant = await home.assistant();
  const { url, token } = await openDoor(home);
  const isOpen = () =>
    fetch(`${url}/nothing`, { headers: { authorization: `Bearer ${token}` } }).then(
      async (response) => (await response.text()) === "not found\n",
      () => false,
    );
  for (const signal of ["SIGKILL", "SIGHUP"] as const) {
    Deno.kill(home.pid, signal);
    await until("no door", async () => !await isOpen());
    await until("the door", isOpen);
  }
  strictEqual(await assistant.call("ping"), "pong");
  await home.end();
  await until("no door", async () => !await isOpen());
  strictEqual(await assistant.call("ping"), "pong");
  strictEqual(await isOpen(), false);
});

test("a process started in one surface is seen, waited for and stopped in the other, by clients of others", async () => {
  await using home = new Home();
  await using assistant = await home.assistant();
  const { url, token } = await openDoor(home);
  const headers = { authorization: `Bearer ${token}` };
  const bpm = new Client({ name: "tester", version: "9" });
  await bpm.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/bpm/mcp`), { requestInit: { headers } }),
  );
  const call = async (name: string, args: Record<string, unknown>) => {
    const { content } = await bpm.callTool({ name, arguments: args });
    return (content as { text: string }[])[0]!.text;
  };
  const inspect = async (...args: string[]) => {
    const target = [`${url}/bpm/mcp`, "--transport", "http", "--header", `Authorization: Bearer ${token}`];
    return (await runPackage("inspector", ["--cli", ...target, ...args], { cwd: home.folder })).stdout;
  };
  await assistant.run("web", "echo listening; exec sleep 100");
  match(await call("get_status", {}), /^Mode: Release\n.*\n\nProcesses:\n {2}web: running$/m);
  const waits = call("wait", { process: "web", exit: true });
  match(await inspect("--method", "tools/call", "--tool-name", "get_status"), /web: running/);
  match(
    await inspect("--method", "tools/call", "--tool-name", "search_logs", "--tool-arg", "process=web"),
    /listening/,
  );
  match(
    await inspect("--method", "tools/call", "--tool-name", "stop", "--tool-arg", "process=web"),
    /stopped/,
  );
  match(await waits, /^Process 'web' /);
  await until("its end", async () => await assistant.state("web") === "Stopped");
  match(await call("start", { process: "web" }), /Process 'web' started/);
  strictEqual(await assistant.state("web"), "Running");
  await bpm.close();
});

test("upstream's flags open the console, at the port that is asked for", async () => {
  await using home = new Home();
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const [program, ...args] = toolCommand("ichimi-server");
  const child = new Deno.Command(program, {
    args: [...args, "--web-only", "--web-port", `${port}`, "--no-open"],
    cwd: home.folder,
    env: home.env,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  let said = "";
  while (!said.includes("\n")) said += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  const [, address] = /^Web console: (http:\/\/127\.0\.0\.1:(?:\d+)\/\?token=[0-9a-f]+)\n/.exec(said) ?? [];
  ok(address !== undefined, said);
  strictEqual(new URL(address).port, `${port}`);
  const page = await fetch(address, { redirect: "manual" });
  strictEqual(page.status, 302);
  await page.body?.cancel();
  child.kill("SIGTERM");
  strictEqual((await child.status).code, 0);
});
