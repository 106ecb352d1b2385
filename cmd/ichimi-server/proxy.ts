/** `ichimi-server proxy`: keeps the session of an assistant while the MCP server behind it is replaced. @module */
import { command, option, UsageError } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";

export const proxy = command({
  name: "proxy",
  summary: "keep the session of an assistant while its MCP server crashes, hangs or is rebuilt",
  description:
    "Stands between an assistant and one MCP server. When the server ends, it is started again and told what the " +
    "session was; requests that do no harm are asked again, others are answered with an error that says what happened.",
  options: {
    build: option(
      optionalText({
        help: "Shell command that makes the server, before each start.",
        example: "npm run build",
      }),
      { value: "COMMAND" },
    ),
    watch: option(
      optionalText({
        help: "Files whose change makes a new server; may be repeated.",
        example: "src/**/*.ts",
      }),
      { value: "GLOB", multiple: true },
    ),
    tools: option(
      toggle({
        help: "Shows proxy_status, proxy_restart and proxy_logs beside the server's tools.",
        fallback: false,
      }),
    ),
  },
  rest: "COMMAND",
  examples: [
    ["ichimi-server proxy -- node server.js", "A server that is a program"],
    [
      "ichimi-server proxy --watch 'src/**' --build 'npm run build' -- node dist/server.js",
      "One that changes",
    ],
  ],
  async run({ options, rest, signal }) {
    const [program, ...args] = rest;
    if (program === undefined) throw new UsageError("say what to run: ichimi-server proxy -- COMMAND");
    const { runProxy } = await import("../../lib/mcp_proxy/mod.ts");
    const { build, watch, tools: ownTools } = options;
    await runProxy({ kind: "stdio", command: { argv: [program, ...args] } }, {
      build,
      watch,
      ownTools,
      signal,
      tell: (text, from) => {
        Deno.stderr.writeSync(new TextEncoder().encode(from === "server" ? text : `proxy: ${text}\n`));
      },
    });
    return 0;
  },
});
