import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { nativeWaits, TaskGroup } from "../../lib/async/mod.ts";
import { Doorbell, RingReader, RingWriter } from "../../lib/ring/mod.ts";
import { exists } from "../../lib/build/step.ts";
import { KIND, payloadOf, Peer, ringFolder, SANITIZED, Tally } from "./peer.ts";

const DATA_BYTES = 4096;
const never = new AbortController().signal;

Deno.test("Doorbell: one native wait serves 1,000 rings, and none is forgotten", async () => {
  const RINGS = 1_000;
  const ROUNDS = 3;
  using folder = ringFolder();
  await using writer = Peer.start(SANITIZED, ["rings", folder.path, `${RINGS}`, `${DATA_BYTES}`]);
  strictEqual(await writer.line(), "ready");
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  using stack = new DisposableStack();
  const tallies = Array.from({ length: RINGS }, () => new Tally());
  let arrived = 0;
  let mostWaits = 0;
  {
    await using group = new TaskGroup();
    const next = async () => {
      if (++arrived % RINGS === 0) await (arrived === RINGS * ROUNDS ? group.abort() : writer.go());
    };
    for (const [index, tally] of tallies.entries()) {
      const reader = stack.use(RingReader.open(`${folder.path}/${index}.ring`));
      group.start(async (signal) => {
        for await (const result of reader.follow(doorbell, signal)) {
          mostWaits = Math.max(mostWaits, nativeWaits.names.length);
          if (result.kind !== "records") throw new Error(`unexpected ${result.kind}`);
          // All that is unread may come at once: records are counted, not wakes.
          const before = tally.seen;
          tally.take(result.records);
          for (let n = before; n < tally.seen; n++) await next();
        }
      });
    }
    strictEqual(doorbell.size, RINGS);
    await writer.go();
  }
  ok(mostWaits <= 1, `${mostWaits} native waits`);
  for (const { seen, torn, gaps } of tallies) deepStrictEqual([seen, torn, gaps], [ROUNDS, 0, 0]);
  deepStrictEqual([doorbell.size, doorbell.polledCount], [0, 0]);
});

Deno.test("Doorbell: ready() is true at once after add, then false at its limit, then true for a ring", async () => {
  using folder = ringFolder();
  using writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  using _added = doorbell.add(reader);
  strictEqual(await doorbell.ready(reader, { signal: never }), true);
  strictEqual(await doorbell.ready(reader, { signal: never, limitMs: 1 }), false);
  const rung = doorbell.ready(reader, { signal: never });
  await rejects(doorbell.ready(reader, { signal: never }), /somebody waits for it already/);
  writer.write(KIND, payloadOf(0));
  writer.flush();
  strictEqual(await rung, true);
});

Deno.test("Doorbell: an abort ends a wait with its reason and leaves no native wait behind", async () => {
  using folder = ringFolder();
  using _writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  const controller = new AbortController();
  {
    await using doorbell = Doorbell.create(`${folder.path}/bell`);
    const following = reader.follow(doorbell, controller.signal).next();
    await Promise.resolve();
    controller.abort(new Error("enough"));
    await rejects(following, /enough/);
    await rejects(reader.follow(doorbell, controller.signal).next(), /enough/);
  }
  deepStrictEqual([nativeWaits.names, exists(`${folder.path}/bell`)], [[], false]);
});

Deno.test("Doorbell: readers are added once and waited for only then", async () => {
  using folder = ringFolder();
  using _writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  await rejects(doorbell.ready(reader, { signal: never }), /it was not added/);
  {
    using _added = doorbell.add(reader);
    throws(() => doorbell.add(reader), /it was added already/);
  }
  using _again = doorbell.add(reader);
  strictEqual(doorbell.size, 1);
});

Deno.test("RingReader: follow() tells that the writer was killed", async () => {
  using folder = ringFolder();
  await using dead = Peer.start(SANITIZED, ["die", `${folder.path}/a`, `${DATA_BYTES}`]);
  strictEqual(await dead.end(), "SIGKILL");
  using reader = RingReader.open(`${folder.path}/a`);
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  const kinds = [];
  for await (const result of reader.follow(doorbell, never)) {
    kinds.push(result.kind === "ended" ? result.how : result.kind);
  }
  deepStrictEqual(kinds, ["records", "dead"]);
});

Deno.test("RingReader: follow() ends when the writer closes", async () => {
  using folder = ringFolder();
  const writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  await using doorbell = Doorbell.create(`${folder.path}/bell`);
  const next = reader.follow(doorbell, never);
  const first = next.next();
  writer[Symbol.dispose]();
  deepStrictEqual((await first).value, { kind: "ended", how: "closed" });
  strictEqual((await next.next()).done, true);
});

Deno.test("Doorbell: at 30 processes a ring is polled, and no record is missed", async () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  using writer = RingWriter.open(path, { dataBytes: DATA_BYTES });
  using stack = new DisposableStack();
  await using bells = new AsyncDisposableStack();
  for (let index = 0; index < 30; index++) {
    const doorbell = bells.use(Doorbell.create(`${folder.path}/${index}`));
    stack.use(doorbell.add(stack.use(RingReader.open(path))));
    strictEqual(doorbell.polledCount, 0);
  }
  using reader = RingReader.open(path);
  await using late = Doorbell.create(`${folder.path}/late`);
  const following = reader.follow(late, never);
  const first = following.next();
  strictEqual(late.polledCount, 1);
  writer.write(KIND, payloadOf(0));
  writer.flush();
  strictEqual((await first).value?.kind, "records");
  await following.return();
  strictEqual(late.polledCount, 0);
});

Deno.test("Doorbell: places and files of processes that died are taken over", async () => {
  using folder = ringFolder();
  const path = `${folder.path}/a`;
  using writer = RingWriter.open(path, { dataBytes: DATA_BYTES });
  await using dead = Peer.start(SANITIZED, ["bells", path, folder.path]);
  strictEqual(await dead.end(), "SIGKILL");
  using reader = RingReader.open(path);
  await using doorbell = Doorbell.create(`${folder.path}/3.bell`);
  const following = reader.follow(doorbell, never);
  const first = following.next();
  strictEqual(doorbell.polledCount, 0);
  writer.write(KIND, payloadOf(0));
  writer.flush();
  strictEqual((await first).value?.kind, "records");
  await following.return();
});

Deno.test("Doorbell: a file that is another's is refused and left alone", async () => {
  using folder = ringFolder();
  await using _doorbell = Doorbell.create(`${folder.path}/bell`);
  throws(() => Doorbell.create(`${folder.path}/bell`), {
    name: "RingError",
    fault: "busy",
    message: new RegExp(`process ${Deno.pid} waits on it`),
  });
  Deno.writeTextFileSync(`${folder.path}/text`, "mine");
  throws(() => Doorbell.create(`${folder.path}/text`), {
    fault: "foreign",
    message: /no doorbell of format 1/,
  });
  strictEqual(Deno.readTextFileSync(`${folder.path}/text`), "mine");
  throws(() => Doorbell.create(`${folder.path}/${"x".repeat(232)}`), (error: Error) => {
    match(error.message, /ENAMETOOLONG.*at most 231 fit/);
    return true;
  });
});

Deno.test("Doorbell: a closed doorbell refuses to be used", async () => {
  using folder = ringFolder();
  using _writer = RingWriter.open(`${folder.path}/a`, { dataBytes: DATA_BYTES });
  using reader = RingReader.open(`${folder.path}/a`);
  const doorbell = Doorbell.create(`${folder.path}/bell`);
  await doorbell[Symbol.asyncDispose]();
  await doorbell[Symbol.asyncDispose]();
  throws(() => doorbell.add(reader), /it is closed/);
});

Deno.test("Doorbell: a program that dies of an error while it waits tells it, and is not killed by a fault", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bell-" });
  const { code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("dying_waiter.ts", import.meta.url).pathname, folder],
  }).output();
  deepStrictEqual([code, signal], [1, null]);
  match(new TextDecoder().decode(stderr), /on purpose/);
  await Deno.remove(folder, { recursive: true });
});
