/** Several hosts in one view: daemons that follow others over HTTP, and through ssh. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { type HostUpdate, Monitor, parseRemote } from "../../lib/nix_btm/mod.ts";
import { RemoteHost, type RemoteOptions } from "../../lib/nix_btm/remote.ts";
import type { RemoteAddress } from "../../lib/nix_btm/remote_address.ts";
import { readRemoteMessage } from "../../lib/nix_btm/remote_message.ts";
import { snapshotOf } from "../../lib/nix_btm/world.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";
import { scenario } from "../nix/_scenarios.ts";
import { DaemonProcess, Follower } from "./_daemon.ts";

function textOf(name: string): string {
  return new TextDecoder().decode(scenario(name).bytes);
}

function buildsOf({ client }: Follower, host: string): string[] {
  return [...client.worlds.get(host)?.jobs.values() ?? []].filter(({ kind }) => kind === "build")
    .map(({ name, state }) => `${name} ${state.kind}`).sort();
}

Deno.test("a daemon shows another host's builds beside its own, also after that one was killed and came back", async () => {
  const port = freePort();
  await using far = new DaemonProcess();
  const token = `${far.folder}/token`;
  await Deno.writeTextFile(token, "s3cret\n");
  const serve = () => far.start("--http", `127.0.0.1:${port}`, "--token-file", token);
  await serve();
  await using near = await new DaemonProcess().start(
    "--host",
    `far=http://127.0.0.1:${port}`,
    "--host-token-file",
    token,
  );
  await using client = new Follower(near.control, near.folder);
  {
    using feed = await far.connect();
    await feed.write(textOf("01-single"));
  }
  {
    using feed = await near.connect();
    await feed.write(textOf("09-multi-output"));
  }
  await client.until("both", () => buildsOf(client, "far").length === 1 && buildsOf(client, "").length === 2);
  deepStrictEqual(buildsOf(client, "far"), ["single-1.0 succeeded"]);
  await far.stop("SIGKILL");
  await client.until("the loss", () => client.client.worlds.get("far")!.note !== "");
  await client.until(
    "that nobody listens",
    () => /^tcp connect error: Connection refused/.test(client.client.worlds.get("far")!.note),
  );
  match(
    (await near.run("status")).out,
    /^far: tcp connect error: Connection refused.*; what was known is shown\n#1 /m,
  );
  deepStrictEqual(buildsOf(client, "far"), ["single-1.0 succeeded"], "what was known stays");
  await serve();
  await client.until("the new one", () => client.client.worlds.get("far")!.note === "");
  await client.until("its world", () => buildsOf(client, "far").length === 0);
  match((await near.run("status")).out, /^far\nnothing is built$/m);
});

Deno.test("without its token a host tells nothing, and to pages of other sites neither", async () => {
  const port = freePort();
  await using far = new DaemonProcess();
  await Deno.writeTextFile(`${far.folder}/token`, "s3cret");
  await far.start("--http", `127.0.0.1:${port}`, "--token-file", `${far.folder}/token`);
  const status = async (headers: Record<string, string>) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/status`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  deepStrictEqual(
    [
      await status({}),
      await status({ authorization: "Bearer wrong" }),
      await status({ authorization: "Bearer s3cret" }),
      await status({ authorization: "Bearer s3cret", origin: "http://evil.example" }),
    ],
    [401, 401, 200, 403],
  );
  const { code, err } = await far.run("daemon", "--http", "0.0.0.0:0");
  strictEqual(code, 2);
  match(err, /other hosts reach it, and there is no --token-file/);
});

Deno.test("through ssh (a stand-in that runs the command here) a host is followed as well", async () => {
  await using far = await new DaemonProcess().start();
  const bin = `${far.folder}/bin`;
  await Deno.mkdir(bin);
  const script = (name: string, text: string) =>
    Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  // As sshd does: the words behind the host's name, with that host's environment.
  await script(
    "ssh",
    `while [ "$1" != builder1 ]; do shift; done; shift\nRUNTIME_DIRECTORY=${far.folder}/run exec "$@"`,
  );
  await script("nix-btm", `exec ${toolCommand("nix-btm").join(" ")} "$@"`);
  await using near = new DaemonProcess();
  Object.assign(near.env, { PATH: `${bin}:${Deno.env.get("PATH")}` });
  await near.start("--host", "ssh:builder1");
  await using client = new Follower(near.control, near.folder);
  using feed = await far.connect();
  await feed.write(textOf("03-diamond"));
  await client.until(
    "its builds",
    () => buildsOf(client, "builder1").filter((text) => / succeeded$/.test(text)).length === 4,
  );
  strictEqual(client.client.worlds.get("builder1")!.commands.size, 1);
});

const ADDRESSES: [text: string, name: string, kind: string][] = [
  ["ssh:me@builder1", "builder1", "command"],
  ["b=ssh:builder1", "b", "command"],
  ["https://nix.example:9119", "nix.example", "http"],
  ["x=http://127.0.0.1:9119/", "x", "http"],
];
for (const [text, name, kind] of ADDRESSES) {
  Deno.test(`parseRemote(): ${text}`, () => {
    const remote = parseRemote(text, "t");
    deepStrictEqual([remote.name, remote.address.kind], [name, kind]);
  });
}

Deno.test("what is no host, or would be an option of ssh, is refused", () => {
  for (const text of ["", "builder1", "ssh:", "ssh:-oProxyCommand=x", "ftp://x", "a=b=c"]) {
    throws(() => parseRemote(text), /^SyntaxError: Cannot read host ".*": expected \[NAME=\]ssh:/);
  }
});

/** What is told of a host, a command's or one that is asked over HTTP, until `isEnough`. */
async function toldBy(
  from: string | RemoteAddress,
  isEnough: (told: readonly HostUpdate[]) => boolean,
  options: Pick<RemoteOptions, "silentMs"> = {},
): Promise<HostUpdate[]> {
  const over = new AbortController();
  const told: HostUpdate[] = [];
  const host = new RemoteHost({
    ...options,
    name: "far",
    address: typeof from === "string" ? { kind: "command", words: ["sh", "-c", from] } : from,
    signal: over.signal,
    tell: (message) => {
      told.push(message);
      if (isEnough(told)) over.abort();
    },
  });
  await host.follow();
  return told;
}

Deno.test("of what a host says only rows that are ones get further, and none of its own words", async () => {
  const good = { id: 7, path: "/nix/store/x.drv", inputs: [], outputs: {}, system: "x" };
  const garbage = [null, 5, "xx", [], {}, { id: "__proto__" }, {
    id: 1,
    path: 2,
    inputs: [null],
    outputs: [],
  }];
  const kinds = ["commands", "jobs", "lines", "removedJobs", "estimates", "caches", "builders", "notes"];
  const update = {
    ...Object.fromEntries(kinds.map((kind) => [kind, garbage.filter((row) => typeof row === "object")])),
    nodes: [...garbage, good],
    removedNodes: "xx",
    unknown: [1],
  };
  const line = JSON.stringify({ host: "", isNew: true, more: "m", update });
  const [first] = await toldBy(`echo '${line}'; sleep 60`, (told) => told.length === 1);
  const empty = Object.fromEntries(kinds.map((kind) => [kind, []]));
  deepStrictEqual(first, {
    host: "far",
    isNew: true,
    update: { ...empty, nodes: [good], notes: [""] },
  });
});

Deno.test("everything that a daemon tells of its own gets further", () => {
  for (const name of ["03-diamond", "06-fail-chain", "09-multi-output"]) {
    const monitor = new Monitor();
    const log = monitor.open({ source: "replay", command: ["nix", "build"] });
    log.push(scenario(name).bytes);
    log.end();
    monitor.flush();
    const update = snapshotOf(monitor.world);
    ok(update.jobs!.length > 0);
    const text = JSON.stringify({ host: "", isNew: true, update });
    deepStrictEqual(readRemoteMessage(text), { isNew: true, update: JSON.parse(text).update });
  }
});

Deno.test("a host that says no message is lost, with what it said, and what it says of others is not taken", async () => {
  const [lost] = await toldBy("echo 'Welcome to builder1!'; exec sleep 60", (told) => told.length === 1);
  deepStrictEqual(lost, {
    host: "far",
    update: { notes: ['it says what is no message: "Welcome to builder1!"'] },
  });
  strictEqual(readRemoteMessage('{"host":"third","update":{}}'), undefined);
  throws(() => readRemoteMessage("[]"), /^SyntaxError: it says what is no message: "\[\]"$/);
});

Deno.test("a host that goes silent is lost, and asked again: over HTTP, before its answer too, and through ssh", async () => {
  const message = '{"host":"","isNew":true,"update":{}}';
  let [asked, left] = [0, 0];
  const never = Promise.withResolvers<Response>();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    if (++asked === 1) return never.promise;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`data: ${message}\n\n`)),
      cancel: () => void left++,
    });
    return new Response(body);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  /** One that is slow once more is lost once more. */
  const wereTold = (...notes: string[]) => (told: readonly HostUpdate[]) => {
    const seen = told.map(({ update }) => update.notes?.[0]);
    return notes.every((note) => seen.includes(note) && seen.splice(0, seen.indexOf(note) + 1).length > 0);
  };
  const why = "it has said nothing for 0.1 s";
  await toldBy({ kind: "http", url, token: undefined }, wereTold(why, "", why), { silentMs: 100 });
  await until("the answer's end", () => left > 0);
  never.resolve(new Response());
  await toldBy(`echo '${message}'; exec sleep 60`, wereTold("", why, ""), { silentMs: 100 });
});

Deno.test("of megabytes on standard error the end is told; who does not end is made to", async () => {
  const [lost] = await toldBy(
    "head -c 4000000 /dev/zero | tr '\\0' x >&2; printf '\\nno \\033[2Jroute\\n' >&2; exit 3",
    (told) => told.length === 1,
  );
  deepStrictEqual(lost!.update.notes, ["no [2Jroute"]);
  const [, ...more] = await toldBy(
    `trap '' TERM; echo '{"host":"","update":{}}'; while :; do sleep 1; done`,
    (told) => told.length === 1,
  );
  ok(more.length === 0);
});
