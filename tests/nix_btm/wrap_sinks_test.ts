import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { fileSink, socketSink } from "../../lib/nix_btm/wrap/mod.ts";
import { OPEN_LIMIT, OpenActivities } from "../../lib/nix_btm/wrap/_open.ts";
import { until } from "../keeper/_log.ts";

const encode = new TextEncoder();

/** A monitor on a socket of its own. */
class Monitor implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "sink-" });
  readonly path = `${this.folder}/nix.sock`;
  #listener: Deno.UnixListener | undefined;

  listen(): void {
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
  }

  accept(): Promise<Deno.UnixConn> {
    return this.#listener!.accept();
  }

  [Symbol.dispose](): void {
    this.#listener?.close();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Reads until as many lines are there, or until the end. */
async function readLines(connection: Deno.Conn, count = Infinity): Promise<string[]> {
  const decoder = new TextDecoder();
  const scratch = new Uint8Array(65_536);
  for (let text = "";;) {
    const lines = text.split("\n").slice(0, -1);
    if (lines.length >= count) return lines;
    const size = await connection.read(scratch);
    if (size === null) return lines;
    text += decoder.decode(scratch.subarray(0, size), { stream: true });
  }
}

const start = (id: number) => `{"action":"start","id":${id},"level":3,"type":105}`;
const stop = (id: number) => `{"action":"stop","id":${id}}`;
const phase = (id: number, name: string) => `{"action":"result","fields":["${name}"],"id":${id},"type":104}`;
const line = (id: number, text: string) => `{"action":"result","fields":["${text}"],"id":${id},"type":101}`;
const said = (...records: string[]) => encode.encode(records.map((record) => `@nix ${record}\n`).join(""));

Deno.test("socketSink(): records come without their mark, each on its line, and text does not come", async () => {
  using monitor = new Monitor();
  monitor.listen();
  const accepted = monitor.accept();
  const sink = socketSink(monitor.path);
  sink.take(encode.encode(`warning: dirty\n@nix ${start(1)}\nSure? @nix ${stop(1)}\n`));
  using connection = await accepted;
  const reading = readLines(connection);
  await sink[Symbol.asyncDispose]();
  deepStrictEqual(await reading, [start(1), stop(1)]);
  deepStrictEqual(sink.counts(), { sent: 2, dropped: 0, connections: 1, failure: undefined });
});

Deno.test("socketSink(): a monitor that comes late hears all from the beginning", async () => {
  using monitor = new Monitor();
  await using sink = socketSink(monitor.path);
  sink.take(said(start(1), phase(1, "a"), stop(1)));
  await until("a failure", () => sink.counts().failure !== undefined);
  match(sink.counts().failure!, /No such file/);
  strictEqual(await sink.reached, false);
  monitor.listen();
  using connection = await monitor.accept();
  deepStrictEqual(await readLines(connection, 3), [start(1), phase(1, "a"), stop(1)]);
  strictEqual(sink.counts().connections, 1);
});

Deno.test("socketSink(): another monitor hears first what is under way", async () => {
  using monitor = new Monitor();
  monitor.listen();
  await using sink = socketSink(monitor.path);
  strictEqual(await sink.reached, true);
  sink.take(said(start(1), start(2), phase(2, "unpack"), phase(2, "build"), line(2, "x"), stop(1)));
  const first = await monitor.accept();
  strictEqual((await readLines(first, 6)).length, 6);
  first.close();
  using second = await monitor.accept();
  deepStrictEqual(await readLines(second, 2), [start(2), phase(2, "build")]);
  sink.take(said(stop(2)));
  deepStrictEqual(await readLines(second, 1), [stop(2)]);
  deepStrictEqual([sink.counts().sent, sink.counts().connections], [7, 2]);
});

Deno.test("socketSink(): a monitor that does not read loses log lines and messages first, and holds nobody", async () => {
  using monitor = new Monitor();
  monitor.listen();
  const sink = socketSink(monitor.path, { queueBytes: 64 * 1024 });
  using connection = await monitor.accept();
  const flood = said(...Array.from({ length: 200 }, (_, at) => line(1, `${at} ${"x".repeat(100)}`)));
  sink.take(said(start(1)));
  // More than the kernel holds for a socket; each call returns at once.
  for (let round = 0; round < 100; round++) {
    sink.take(flood);
    await new Promise((resolve) => setTimeout(resolve));
  }
  sink.take(said(phase(1, "last"), stop(1)));
  ok(sink.counts().dropped > 1_000, `${sink.counts().dropped} were dropped`);
  const [lines] = await Promise.all([readLines(connection), sink[Symbol.asyncDispose]()]);
  deepStrictEqual([lines[0], ...lines.slice(-2)], [start(1), phase(1, "last"), stop(1)]);
  const { sent, dropped } = sink.counts();
  deepStrictEqual([sent + dropped, lines.length], [20_003, sent]);
});

Deno.test("socketSink(): beyond the limit everything is dropped, and the end comes all the same", async () => {
  using monitor = new Monitor();
  monitor.listen();
  const sink = socketSink(monitor.path, { queueBytes: 1_000 });
  using _stalled = await monitor.accept();
  const many = said(...Array.from({ length: 20_000 }, (_, at) => start(at)));
  sink.take(many);
  ok(sink.counts().dropped > 19_000);
  // So much that the kernel takes no more of it: what is left is given up after CLOSE_MS.
  const end = performance.now() + 20_000;
  for (let sent = -1; sent !== sink.counts().sent && performance.now() < end;) {
    sent = sink.counts().sent;
    for (let round = 0; round < 50; round++) {
      sink.take(many.subarray(0, 1_000));
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  await sink[Symbol.asyncDispose]();
  ok(sink.counts().failure !== undefined);
});

Deno.test("socketSink(): where nobody listens a run ends without waiting", async () => {
  using monitor = new Monitor();
  const sink = socketSink(monitor.path);
  sink.take(said(start(1), stop(1)));
  await until("a failure", () => sink.counts().failure !== undefined);
  await sink[Symbol.asyncDispose]();
  deepStrictEqual([sink.counts().sent, sink.counts().dropped, sink.counts().connections], [0, 2, 0]);
});

Deno.test("OpenActivities: of what is open the start and the last states are kept, in order", () => {
  const open = new OpenActivities();
  const expected = (type: number, value: number) =>
    `{"action":"result","fields":[${type},${value}],"id":9007199254740993,"type":106}`;
  const big = start(1).replace('"id":1', '"id":9007199254740993');
  const near = start(1).replace('"id":1', '"id":9007199254740992');
  for (
    const record of [
      big,
      near,
      phase(2, "of none that is known"),
      expected(100, 1),
      expected(101, 5),
      expected(100, 2),
      `{"action":"msg","level":3,"msg":"\\"id\\":9007199254740993"}`,
      stop(1).replace('"id":1', '"id":9007199254740992'),
    ]
  ) open.take(record);
  deepStrictEqual(open.records(), [big, expected(100, 2), expected(101, 5)]);
});

Deno.test("OpenActivities: beyond the limit the oldest is forgotten", () => {
  const open = new OpenActivities();
  for (let id = 0; id <= OPEN_LIMIT; id++) open.take(start(id));
  const records = open.records();
  deepStrictEqual([records.length, records[0]], [OPEN_LIMIT, start(1)]);
});

Deno.test("fileSink(): saves what comes, and tells by name what it cannot", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "sink-" });
  try {
    {
      using sink = fileSink(`${folder}/log`);
      await sink.take(encode.encode("one\n"));
      await sink.take(encode.encode("two\n"));
    }
    strictEqual(Deno.readTextFileSync(`${folder}/log`), "one\ntwo\n");
    throws(() => fileSink(`${folder}/none/log`), /Cannot save the log to .*none\/log: No such file/);
    using full = fileSink("/dev/full");
    await rejects(
      async () => await full.take(encode.encode("x")),
      /Cannot save the log to \/dev\/full: No space/,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
