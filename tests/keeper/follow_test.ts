/** Instances that are followed: lines as they come, and how it ends. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { type Heard, InstanceFollower, KeeperControl, startInstance } from "../../lib/keeper/mod.ts";
import { Doorbell } from "../../lib/ring/mod.ts";
import { Folder, until } from "./_log.ts";

const never = new AbortController().signal;

function collect(): { readonly texts: string[]; readonly tell: (entry: Heard) => void } {
  const texts: string[] = [];
  const tell = (entry: Heard) => {
    if (entry.kind === "part") return;
    texts.push(
      entry.kind === "line" ? entry.line.text : entry.kind === "event" ? entry.text : "notification",
    );
  };
  return { texts, tell };
}

Deno.test("lines are told as they come, and the end with its status", async () => {
  using folder = new Folder();
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  const command: [string, ...string[]] = ["sh", "-c", "echo one; read line; echo $line; printf rest; exit 4"];
  const keeper = startInstance({ folder: folder.path, command, stdin: "pipe" });
  await keeper.begun;
  using follower = new InstanceFollower(folder.path, { doorbell, signal: never });
  const status = follower.status();
  ok(status.kind === "running" && status.keeperPid === keeper.pid);
  const { texts, tell } = collect();
  const end = follower.run(tell);
  await until("the first line", () => texts.length === 1);
  using control = await KeeperControl.open(folder.path);
  await control.input(new TextEncoder().encode("two\n"));
  const { kind, exit } = await end as { kind: string; exit?: { code: number } };
  deepStrictEqual([texts, kind, exit?.code], [["one", "two", "rest"], "exited", 4]);
  strictEqual(await keeper.ended, 0);
  using late = new InstanceFollower(folder.path, { doorbell, signal: never, from: "end" });
  const after = collect();
  strictEqual((await late.run(after.tell)).kind, "exited");
  deepStrictEqual(after.texts, []);
});

Deno.test("a killed keeper ends as lost, and a signal ends the following alone", async () => {
  using folder = new Folder();
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  throws(() => new InstanceFollower(folder.path, { doorbell, signal: never }), Deno.errors.NotFound);
  const keeper = startInstance({ folder: folder.path, command: ["sleep", "1000"] });
  await keeper.begun;
  const abort = new AbortController();
  {
    using follower = new InstanceFollower(folder.path, { doorbell, signal: abort.signal });
    const end = follower.run(collect().tell);
    abort.abort(new Error("enough"));
    await rejects(end, /enough/);
  }
  using follower = new InstanceFollower(folder.path, { doorbell, signal: never });
  const end = follower.run(collect().tell);
  Deno.kill(keeper.pid, "SIGKILL");
  strictEqual((await end).kind, "lost");
  await keeper.ended;
});

Deno.test("output that went away before it was read is told as so many bytes", async () => {
  using folder = new Folder();
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  const keeper = startInstance({
    folder: folder.path,
    command: ["sh", "-c", "echo first; read line; seq 100000"],
    stdin: "pipe",
    segmentBytes: 16_384,
    retainBytes: 2 * (16_384 + 8_192),
  });
  await keeper.begun;
  using follower = new InstanceFollower(folder.path, { doorbell, signal: never });
  using control = await KeeperControl.open(folder.path);
  await control.input(new TextEncoder().encode("go\n"));
  strictEqual(await keeper.ended, 0);
  const { texts, tell } = collect();
  strictEqual((await follower.run(tell)).kind, "exited");
  ok(texts.some((text) => /^\d+ bytes of output were overwritten before they were read$/.test(text)));
  match(texts.at(-1)!, /^100000$/);
});

Deno.test("of a line that has not ended it is told that there is more of it", async () => {
  using folder = new Folder();
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  const command: [string, ...string[]] = [
    "sh",
    "-c",
    "printf 'name? '; read x; printf 'age? '; read x; echo end",
  ];
  const keeper = startInstance({ folder: folder.path, command, stdin: "pipe" });
  await keeper.begun;
  using follower = new InstanceFollower(folder.path, { doorbell, signal: never });
  const heard: string[] = [];
  const end = follower.run((each) => heard.push(each.kind === "line" ? each.line.text : each.kind));
  using control = await KeeperControl.open(folder.path);
  await until("the first question", () => heard.length === 1);
  await control.input(new TextEncoder().encode("x\n"));
  await until("the second one", () => heard.length === 2);
  await control.input(new TextEncoder().encode("y\n"));
  await end;
  deepStrictEqual(heard, ["part", "part", "name? age? end"]);
  await keeper.ended;
});
