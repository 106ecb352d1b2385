/** The official Inspector as a client of bpm itself: it lists and calls every tool, over stdio and HTTP. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { denoDir, runPackage } from "../mcp/outside_tools.ts";
import { Served } from "./_served.ts";

const PROCESSES = `
[process.api]
command = ["sh", "-c", "echo ready; exec cat"]
stdin = true
build = ["echo", "compiled"]
[process.web]
command = ["sleep", "1000"]
depends_on = { api = "ready" }
`;

/** Arguments with which each tool is called, and what its answer must contain. */
const CALLS: Readonly<Record<string, readonly [args: readonly string[], contains: RegExp]>> = {
  search_logs: [["process=api", "pattern=read"], /" \* ready"/],
  search_build_log: [["process=api"], /compiled/],
  restart: [["process=api"], /Process 'api' restarted successfully in dev mode/],
  get_status: [[], /"Mode: (Dev|Release)/],
  list: [[], /"services":/],
  start: [["process=web"], /Process 'web' started/],
  stop: [["process=web"], /Process 'web' stopped/],
  send: [["process=api", "text=hello"], /Sent 5 characters to 'api'/],
  wait: [["process=api", "state=running"], /Process 'api' is running/],
  read_logs: [["max_tokens=100"], /cursor: /],
  usage: [[], /"memoryBytes": \d+/],
  graph: [[], /web needs api ready/],
  explain: [["process=api"], /Process 'api' is/],
  reload: [["dry_run=true"], /Nothing has changed/],
};
/** Those that change what the others look at come after them. */
const CHANGES = ["restart", "stop", "start"];

for (const transport of ["stdio", "HTTP"] as const) {
  Deno.test(`the Inspector lists and calls every tool of bpm over ${transport}`, async () => {
    await using project = await new Served(PROCESSES).startAll();
    // Over stdio it is `bpm mcp`, which hands on to the manager that runs.
    const target = transport === "HTTP" ? [project.url, "--transport", "http"] : [
      ...toolCommand("bpm"),
      "mcp",
      ...["-e", `DENO_DIR=${denoDir()}`, "-e", `XDG_STATE_HOME=${project.env.XDG_STATE_HOME}`],
    ];
    const inspect = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await runPackage("inspector", ["--cli", ...target, ...args], {
        cwd: project.folder,
      });
      return stdout + stderr;
    };
    const list = await inspect("--method", "tools/list");
    ok(list.startsWith("{"), `the Inspector did not run: ${list.slice(-1000)}`);
    const { tools }: { tools: { name: string; outputSchema?: unknown }[] } = JSON.parse(list);
    deepStrictEqual(tools.map(({ name }) => name).sort(), Object.keys(CALLS).sort());
    deepStrictEqual(tools.filter(({ outputSchema }) => outputSchema === undefined), []);
    const call = async (name: string) => {
      const [args, contains] = CALLS[name]!;
      const given = args.flatMap((each) => ["--tool-arg", each]);
      match(await inspect("--method", "tools/call", "--tool-name", name, ...given), contains, name);
    };
    await Promise.all(tools.map(({ name }) => name).filter((name) => !CHANGES.includes(name)).map(call));
    for (const name of CHANGES) await call(name);
  });
}
