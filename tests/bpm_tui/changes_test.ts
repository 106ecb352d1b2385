/** Servers that tell of changes by themselves. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { ManagerServer } from "../../lib/bpm_tui/server.ts";
import { Project, shell } from "../bpm/_project.ts";
import { ALL_ABILITIES, aProject, Player, UPSTREAM, upstreamProject } from "./player.ts";
import { startUpstream } from "./upstream.ts";

const STATES = ["web", "api", "cache", "db", "mailer", "%E6%BC%A2%E5%AD%97-worker"].map((name) =>
  `bpm://process/${name}`
);

function listens(player: Player): (readonly string[])[] {
  return player.done().flatMap((each) => each.kind === "listen" ? [each.uris] : []);
}

function asked(player: Player): string[] {
  return player.done().map(({ kind }) => kind).filter((kind) => kind === "poll" || kind === "readLog");
}

Deno.test("all states and the log that is seen are listened to, and another log a moment after it is chosen", () => {
  const player = new Player().online(aProject()).logs("a");
  deepStrictEqual(listens(player), [[...STATES, "bpm://process/web/log"]]);
  player.press("j", "j");
  deepStrictEqual(listens(player), []);
  player.pass(500);
  deepStrictEqual(listens(player), [[...STATES, "bpm://process/cache/log"]]);
  player.pass(500).press("b").pass(500);
  deepStrictEqual(listens(player), [[...STATES, "bpm://process/cache/build-log"]]);
  // Nothing is ever said in an instance that is over.
  player.press("[").pass(1_000);
  deepStrictEqual(listens(player), [STATES]);
});

Deno.test("what has changed is asked for at once, and not before its time while nothing has", () => {
  const player = new Player().online(aProject()).logs("a");
  player.done();
  player.news({ kind: "changed", project: 0, uri: "bpm://process/api" }).pass(200);
  deepStrictEqual(asked(player), ["poll"]);
  player.news({ kind: "polled", project: 0, overview: aProject() });
  player.news({ kind: "changed", project: 0, uri: "bpm://process/web/log" }).pass(200);
  // It throws unless the log was asked for.
  player.logs("a", "b").done();
  player.news({ kind: "changed", project: 0, uri: "bpm://process/api/log" }).pass(200);
  player.news({ kind: "changed", project: 0, uri: "bpm://process/web/build-log" }).pass(200);
  deepStrictEqual(asked(player), []);
});

Deno.test("a stream that breaks off is begun anew later, one that is refused never, and only the seen project has one", () => {
  const player = new Player({ urls: ["http://a/mcp", "http://b/mcp"] }).online(aProject());
  player.online(aProject(), ALL_ABILITIES, 1);
  strictEqual(listens(player).length, 1);
  player.news({ kind: "unheard", project: 0, refused: false }).pass(4_000);
  deepStrictEqual(listens(player), []);
  player.pass(2_000);
  strictEqual(listens(player).length, 1);
  player.press("}").pass(1_000);
  deepStrictEqual(listens(player).map((uris) => uris.length), [0, 7]);
  player.news({ kind: "unheard", project: 1, refused: true }).pass(20_000);
  deepStrictEqual(listens(player), []);
  deepStrictEqual(listens(new Player().online(upstreamProject(), UPSTREAM)), []);
});

Deno.test("our manager tells of a restart on a stream that ends when nobody listens any more", async () => {
  await using project = await Project.served(shell("api", "exec sleep 60"));
  const server = new ManagerServer(project.url);
  const { signal } = new AbortController();
  strictEqual((await server.connect(signal)).abilities.listen, true);
  const heard = Promise.withResolvers<string>();
  const stop = new AbortController();
  const listening = server.listen(["bpm://process/api"], heard.resolve, stop.signal);
  // The stream begins a moment after it is asked for: whatever changes then is heard.
  let uri = "";
  while (uri === "") {
    await server.act("restart", "api", signal);
    uri = await Promise.race([heard.promise, Promise.resolve("")]);
  }
  strictEqual(uri, "bpm://process/api");
  stop.abort();
  await rejects(listening, { name: "AbortError" });
});

Deno.test("a server that knows no such stream refuses it", async () => {
  await using upstream = startUpstream();
  const server = new ManagerServer(upstream.url);
  const { signal } = new AbortController();
  strictEqual((await server.connect(signal)).abilities.listen, false);
  strictEqual(await server.listen(["bpm://process/api"], () => {}, signal), "refused");
});
