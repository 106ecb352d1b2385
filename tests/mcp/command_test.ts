/** `TOOL mcp` on the command line, as a process: that is what clients and people see. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";
import { denoDir } from "./outside_tools.ts";

const PROGRAM = `
import { optionalText } from "${ROOT}lib/config/mod.ts";
import { command, option, runTool } from "${ROOT}lib/cli/mod.ts";
import { createRegistry, mcpCommand, serveStdio } from "${ROOT}lib/mcp/mod.ts";
const mcp = mcpCommand({
  name: "sample",
  command: ["/opt/sample", "mcp"],
  options: { ofWhat: option(optionalText({ help: "Of what.", example: "x" }), { short: "o", value: "X" }) },
  serve: async (signal, { ofWhat }) => {
    if (ofWhat !== undefined) throw new Error("of " + ofWhat);
    await serveStdio(createRegistry({}), { name: "sample", version: "1" }, { signal });
    return 0;
  },
});
const tool = command({ name: "sample", summary: "a sample", commands: [mcp] });
Deno.exit(await runTool(tool, { version: "1", details: [] }, Deno.args));
`;

Deno.test("TOOL mcp enters itself in a client, takes itself out, prints, and serves over stdio", async () => {
  const root = await Deno.makeTempDir({ prefix: "hostkit-mcp-" });
  await Deno.writeTextFile(`${root}/tool.ts`, PROGRAM);
  const run = async (args: string[], options: { home?: string; input?: string } = {}) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--quiet",
        "--no-check",
        `--config=${ROOT}deno.json`,
        `${root}/tool.ts`,
        ...args,
      ],
      cwd: root,
      env: { HOME: options.home ?? root, DENO_DIR: denoDir(), NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.input ?? ""));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    return { code, said: new TextDecoder().decode(stdout), complained: new TextDecoder().decode(stderr) };
  };
  try {
    const file = `${root}/.claude.json`;
    const entry = { type: "stdio", command: "/opt/sample", args: ["mcp"] };
    deepStrictEqual(await run(["mcp", "install"]), { code: 0, said: `entered in ${file}\n`, complained: "" });
    deepStrictEqual(JSON.parse(await Deno.readTextFile(file)), { mcpServers: { sample: entry } });
    strictEqual((await run(["mcp", "install"])).said, `nothing to change in ${file}\n`);
    const remote = ["--url", "http://localhost:1/mcp", "--token", "t"];
    strictEqual((await run(["mcp", "install", ...remote])).said, `entered anew in ${file}\n`);
    strictEqual((await run(["mcp", "uninstall"])).said, `taken out of ${file}\n`);
    const project = await run(["mcp", "install", "-c", "vscode", "--name", "mine", "--project", "."]);
    strictEqual(project.said, `entered in ${await Deno.realPath(root)}/.vscode/mcp.json\n`);
    const printed = await run(["mcp", "print", "--client", "cursor", ...remote]);
    deepStrictEqual(JSON.parse(printed.said), {
      mcpServers: { sample: { url: "http://localhost:1/mcp", headers: { Authorization: "Bearer t" } } },
    });
    const own = await run(["mcp", "print", "-o", "x"]);
    deepStrictEqual(JSON.parse(own.said).mcpServers.sample.args, ["mcp", "--of-what", "x"]);
    strictEqual((await run(["mcp", "--of-what", "x"])).complained, "sample: of x\n");
    ok(!(await run(["mcp", "--help"])).said.includes("--url"), "it has no server that runs by itself");
    const wrong: [string[], RegExp][] = [
      [["mcp", "print", "--client", "nope"], /nope/],
      [["mcp", "print", "--token", "t"], /give its --url/],
      [["mcp", "print", "--url", "ftp://x"], /"ftp:\/\/x" is no HTTP address/],
    ];
    for (const [args, says] of wrong) {
      const { code, complained } = await run(args);
      deepStrictEqual([code, says.test(complained)], [2, true], complained);
    }
    ok((await run(["mcp", "install"], { home: "" })).complained.includes("HOME is not set"));
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';
    deepStrictEqual(JSON.parse((await run(["mcp"], { input: ping })).said), {
      jsonrpc: "2.0",
      id: 1,
      result: {},
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
