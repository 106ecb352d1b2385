/** What a client's connection does when its daemon ends, becomes another one or refuses it; without a process. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { sleep } from "../../lib/async/mod.ts";
import { Connection } from "../../lib/ichimi/connection.ts";
import { LOOKS_HEADER, REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { Daemon } from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

const HELLO = { pid: 1, folder: "/", env: {} };
const REPEATABLE = { headers: { [REPEATABLE_HEADER]: "1" } };
const NOBODY = new TypeError("error sending request", {
  cause: new Error("Connection refused (os error 111)"),
});
const CUT = new TypeError("connection closed before message completed");

/** What a daemon does with a question: answers, or breaks. */
type Turn = (daemon: Played) => Response | Error;

/** A daemon that is played: each question has the next turn, the last one all that come then. */
class Played implements AsyncDisposable {
  /** What it was asked, in order: `join`, `start` or a path below the client's. */
  readonly asked: string[] = [];
  isClosed = false;
  /** What is answered to who comes; a lease when left out. */
  joins: Turn[] = [];
  readonly connection: Connection;
  readonly #turns: Turn[];
  #lease: ReadableStreamDefaultController<Uint8Array> | undefined;
  #joined = () => {};

  constructor(...turns: Turn[]) {
    this.#turns = turns;
    this.connection = new Connection(HELLO, {
      fetch: (path, init) => Promise.try(() => this.#answer(path, init)),
      start: () => {
        this.asked.push("start");
        return Promise.resolve();
      },
      close: () => this.isClosed = true,
      // What is waited for is over at once, after all that goes on already.
      sleep: (_ms, options) => sleep(0, options),
    });
  }

  fetch(init: RequestInit = {}): Promise<Response> {
    return this.connection.fetch("/mcp", init);
  }

  /** Ends the connection of the client. @param word What it is told before. */
  end(word = ""): void {
    this.#lease!.enqueue(new TextEncoder().encode(word));
    this.#lease!.close();
  }

  /** Resolves when the client comes the next time. */
  async comes(): Promise<void> {
    await new Promise<void>((resolve) => this.#joined = resolve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }

  #answer(path: string, init: RequestInit): Response {
    const below = path.split("/").slice(3).join("/");
    this.asked.push(below === "" ? "join" : below);
    const turn = below === ""
      ? this.joins.shift() ?? lease
      : this.#turns.length > 1
      ? this.#turns.shift()!
      : this.#turns[0]!;
    init.signal?.throwIfAborted();
    const answer = turn(this);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /** Lets the client come. */
  lease(): Response {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#lease = controller) });
    this.#joined();
    return new Response(body, { headers: { [LOOKS_HEADER]: "echo ping" } });
  }
}

const lease: Turn = (daemon) => daemon.lease();
const answer: Turn = () => new Response("done");
const says = (status: number): Turn => () => new Response("", { status });
const breaks = (error: Error, word?: string): Turn => (daemon) => {
  if (word !== undefined) daemon.end(word);
  return error;
};

const AGAIN: [string, Turn, RequestInit][] = [
  ["by a daemon that does not know the client yet", says(410), {}],
  ["by a daemon that ends", says(503), {}],
  ["by nobody", breaks(NOBODY), {}],
  ["by a daemon that had answered all and said that it leaves", breaks(CUT, "leaving\n"), {}],
  ["in the midst of it, and only looks", says(499), REPEATABLE],
];
for (const [name, turn, init] of AGAIN) {
  Deno.test(`asked again is what was not taken: ${name}`, async () => {
    await using daemon = new Played(turn, answer);
    strictEqual(await (await daemon.fetch(init)).text(), "done");
    deepStrictEqual(daemon.asked.filter((each) => each === "mcp"), ["mcp", "mcp"]);
  });
}

Deno.test("what a daemon may have done is not asked again: its caller is told", async () => {
  await using cutOff = new Played(says(499), answer);
  strictEqual((await cutOff.fetch()).status, 499);
  // The daemon lives, as far as one knows, or has gone without a word.
  for (const turn of [breaks(CUT), breaks(CUT, "")]) {
    await using daemon = new Played(turn, answer);
    await rejects(daemon.fetch(), CUT);
    deepStrictEqual(daemon.asked.filter((each) => each === "mcp"), ["mcp"]);
  }
});

Deno.test("a request that is given up is not asked again", async () => {
  await using daemon = new Played(says(503));
  const given = new AbortController();
  given.abort(new Error("given up"));
  await rejects(daemon.fetch({ signal: given.signal }), /given up/);
});

Deno.test("a client comes back whenever its daemon ends, until it goes itself", async () => {
  const daemon = new Played(answer);
  await daemon.fetch();
  for (const word of ["leaving\n", "\n"]) {
    const back = daemon.comes();
    daemon.end(word);
    await back;
  }
  await daemon.fetch();
  await daemon[Symbol.asyncDispose]();
  deepStrictEqual(
    [daemon.asked.join(" "), daemon.isClosed],
    ["start join mcp start join start join mcp", true],
  );
});

Deno.test("questions wait for one and the same arrival, at a daemon that stays", async () => {
  await using daemon = new Played(answer);
  daemon.joins = [says(503), () => CUT, lease];
  const answers = await Promise.all([daemon.fetch(), daemon.fetch(), daemon.fetch()]);
  for (const each of answers) strictEqual(await each.text(), "done");
  deepStrictEqual(daemon.asked.join(" "), "start join start join start join mcp mcp mcp");
  deepStrictEqual([...daemon.connection.looks], ["echo", "ping"]);
});

Deno.test("a refusal is told to who asks, and the next one comes anew", async () => {
  await using daemon = new Played(answer);
  daemon.joins = [() => new Response("process 1 is not there\n", { status: 400 })];
  await rejects(daemon.fetch(), { message: "The daemon refuses this client: process 1 is not there" });
  strictEqual(await (await daemon.fetch()).text(), "done");
});

Deno.test("a daemon tells its clients which tools only look", async () => {
  await using world = new World();
  const { host, lifetimes, doorway, ci } = world;
  await using daemon = new Daemon({ host, lifetimes, doorway, ci, info: { name: "test", version: "1" } });
  const { pid, folder, env } = world.client();
  await using connection = new Connection({ pid, folder, env }, {
    fetch: (path, init) => daemon.fetch(new Request(`http://localhost${path}`, init)),
    start: () => Promise.resolve(),
  });
  await (await connection.fetch("/mcp", { method: "POST" })).body?.cancel();
  const looks = world.assistant().tools.filter(({ annotations }) => annotations?.readOnlyHint === true);
  deepStrictEqual(connection.looks, new Set(looks.map(({ name }) => name)));
  deepStrictEqual(
    ["wait", "get_template", "start_process"].map((name) => connection.looks.has(name)),
    [true, true, false],
  );
});
