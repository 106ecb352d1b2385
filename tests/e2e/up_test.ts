/** `deno task up`: a stack that comes up, heals, and leaves nothing behind. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { deadline } from "../../lib/async/mod.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { Board, boardLines, type Row } from "../../lib/bpm/mod.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";
import { toolPermissions } from "../../lib/build/tools.ts";

/** Whoever else runs on this machine keeps its ports. */
const PORTS = { agent: `127.0.0.1:${freePort()}`, view: `127.0.0.1:${freePort()}` };
/** Far more than a start takes: what has not come by then does not come. */
const PATIENCE_MS = 60_000;

const portOf = (address: string) => Number(address.split(":")[1]);

/** The task as a child, with its output as it comes. */
class Up implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #state = Deno.makeTempDirSync({ prefix: "up-" });
  /** Of the sockets of nix-btm. */
  readonly nixFolder = `${this.#state}/nix`;
  output = "";

  constructor() {
    const args = ["run", "--quiet", ...toolPermissions("dev"), `${ROOT}cmd/dev/main.ts`, "up"];
    this.child = new Deno.Command(Deno.execPath(), {
      args: [...args, "--port", "0"],
      env: {
        AGENT: PORTS.agent,
        VIEW: PORTS.view,
        XDG_STATE_HOME: this.#state,
        UP_RUN: `${this.#state}/run`,
        RUNTIME_DIRECTORY: this.nixFolder,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reader = this.child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async until(expected: RegExp): Promise<RegExpExecArray> {
    using late = deadline(PATIENCE_MS);
    // Its pipe's end ends the wait below.
    late.signal.addEventListener("abort", () => this.child.kill("SIGKILL"));
    for (;;) {
      const found = expected.exec(this.output);
      if (found !== null) return found;
      const { value, done } = await this.#reader.read();
      ok(!done, `up ended before it said ${expected}:\n${this.output}`);
      this.output += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGINT");
    for (
      let { value, done } = await this.#reader.read();
      !done;
      { value, done } = await this.#reader.read()
    ) {
      this.output += value;
    }
    await this.child.status;
    await Deno.remove(this.#state, { recursive: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isFree(address: string): Promise<boolean> {
  const [hostname, port] = address.split(":");
  return await Deno.connect({ hostname: hostname!, port: Number(port) }).then(
    (conn) => (conn.close(), false),
    () => true,
  );
}

interface EventPage {
  readonly events: readonly { readonly source: string; readonly name: string; readonly text: string }[];
}

const eventsOfAgent = async (): Promise<EventPage> =>
  await (await fetch(`http://${PORTS.agent}/events`)).json();

Deno.test("up brings agent, viewer and Nix monitor up, restarts what dies, and leaves no process, socket or listener", async () => {
  const pids: number[] = [];
  let nixFolder: string;
  {
    await using up = new Up();
    nixFolder = up.nixFolder;
    await up.until(new RegExp(`all is up: open http://${PORTS.view}`));
    const pidOf = (name: string) =>
      Number([...up.output.matchAll(new RegExp(`^  ${name} +running \\(pid (\\d+)\\)`, "gm"))].at(-1)![1]);
    const mcp = (await up.until(/MCP on (\S+)/))[1]!;
    const listed = await fetch(mcp, {
      method: "POST",
      headers: { accept: "application/json" },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_status","arguments":{}}}',
    });
    match(
      (await listed.json()).result.content[0].text,
      /^ {2}agent: running\n[^]*^ {2}nix-btm: running\n[^]*^ {2}viewer: running/m,
    );
    pids.push(pidOf("agent"), pidOf("viewer"), pidOf("nix-btm"));
    const answer = await fetch(`http://${PORTS.view}/api/v1/status/buildinfo`);
    strictEqual((await answer.json()).status, "success");

    // A log of Nix is taken, and the agent hears of it from the monitor.
    await Deno.connect({ transport: "unix", path: `${nixFolder}/nix.sock` }).then((log) => log.close());
    const pushed = async () => await (await fetch(`http://${PORTS.agent}/metrics/json`)).text();
    await until("the monitor's metrics", async () => (await pushed()).includes("nix_btm_log_connections"));

    up.output = "";
    Deno.kill(pids[0]!, "SIGKILL");
    await up.until(/agent +running \(pid \d+\) .* restarted 1×/);
    pids.push(pidOf("agent"));
    const status = await fetch(`http://${PORTS.agent}/status`);
    ok((await status.json()).samplers.length > 10);
    await until(
      "what became of the agent",
      async () =>
        (await eventsOfAgent()).events.some(({ source, name, text }) =>
          source === "bpm" && name === "crash" && text.startsWith("agent ended (SIGKILL)")
        ),
    );
  }
  strictEqual(new Set(pids).size, 4);
  deepStrictEqual(pids.map(isAlive), [false, false, false, false]);
  deepStrictEqual([await isFree(PORTS.agent), await isFree(PORTS.view)], [true, true]);
});

Deno.test("an occupied port is told on the board, and Ctrl-C still ends everything", async () => {
  using _busy = Deno.listen({ hostname: "127.0.0.1", port: portOf(PORTS.view) });
  await using up = new Up();
  await up.until(
    new RegExp(`viewer +waiting to restart .*Cannot listen on http://${PORTS.view}: the port is occupied`),
  );
});

Deno.test("an agent is not ready because another one answers at its address", async () => {
  await using _other = Deno.serve(
    { hostname: "127.0.0.1", port: portOf(PORTS.agent), onListen: () => {} },
    () => new Response("{}"),
  );
  await using up = new Up();
  await up.until(new RegExp(`agent +waiting to restart .*Cannot listen on http://${PORTS.agent}`));
  ok(!/agent +running/.test(up.output), up.output);
});

const ROWS: Row[] = [
  {
    name: "agent",
    state: { kind: "running", failures: 0, sinceMs: 0 },
    pid: 7,
    restarts: 2,
    url: "http://a",
    lastLine: "ok",
  },
  {
    name: "viewer",
    state: { kind: "backoff", failures: 1, outcome: { kind: "exited", code: 1 } },
    restarts: 0,
    url: "http://b:1",
    lastLine: "port is occupied",
  },
];

Deno.test("the board shows states in columns, and why something does not run", () => {
  deepStrictEqual(boardLines(ROWS), [
    "  agent   running (pid 7)              http://a    restarted 2×",
    "  viewer  waiting to restart (exit 1)  http://b:1  port is occupied",
  ]);
  const states: [Row["state"], RegExp][] = [
    [{ kind: "idle" }, /stopped/],
    [{ kind: "starting", failures: 0 }, /starting \(pid 7\)/],
    [{ kind: "stopping", then: "idle" }, /stopping \(pid 7\)/],
    [
      { kind: "finished", outcome: { kind: "exited", code: 143, signal: "SIGTERM" } },
      /ended \(exit SIGTERM\)/,
    ],
    [{ kind: "finished", outcome: { kind: "lost" } }, /ended \(exit unknown\)/],
  ];
  for (const [state, expected] of states) {
    const line = boardLines([{ ...ROWS[0]!, state }])[0]!;
    match(line, expected);
    strictEqual(/ ok$/.test(line), state.kind === "finished", "who was asked to stop needs no reason");
  }
});

Deno.test("a last line that is long or means to move the terminal stays one line of the board", () => {
  const lastLine = `\x1b[2J\x1b]0;title\x07\x9b31mno\r ${"x".repeat(10_000)}`;
  for (const columns of [40, 120]) {
    const lines = boardLines(ROWS.map((row) => ({ ...row, lastLine })), columns);
    deepStrictEqual(lines.map(({ length }) => length <= columns), [true, true]);
    // deno-lint-ignore no-control-regex
    ok(!/[\x00-\x1f\x7f-\x9f]/.test(lines.join("")), JSON.stringify(lines));
  }
  let text = "";
  const write = (part: string) => void (text += part);
  const board = new Board({ terminal: true, columns: () => 20, write });
  board.show(ROWS);
  ok(text.split("\n").every((line) => line.length <= 20), text);
});

Deno.test("the board is drawn in place on a terminal, and only when it changes elsewhere", () => {
  for (const terminal of [true, false]) {
    let text = "";
    const board = new Board({ terminal, write: (part) => void (text += part) });
    board.show(ROWS);
    board.show(ROWS);
    board.line("[agent] \x1b[2Jhello");
    const drawn = text.split("  agent ").length - 1;
    deepStrictEqual([drawn, text.includes("\x1b[2A\x1b[J")], terminal ? [2, true] : [1, false]);
    ok(text.includes("[agent] [2Jhello\n"), "control characters of a service do not reach the terminal");
  }
});
