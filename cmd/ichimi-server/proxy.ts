/** `ichimi-server proxy`: keeps the session of an assistant while the MCP server behind it is replaced. @module */
import { command, option, UsageError } from "../../lib/cli/mod.ts";
import { optionalDuration, optionalText, toggle } from "../../lib/config/mod.ts";

export const proxy = command({
  name: "proxy",
  summary: "keep the session of an assistant while its MCP server crashes, hangs or is rebuilt",
  description:
    "Stands between an assistant and one MCP server. When the server ends, it is started again and told what the " +
    "session was; requests that do no harm are asked again, others are answered with an error that says what happened. " +
    "When its files change, the next one comes up before the old one ends.\n\n" +
    "The server is a COMMAND, or at a --url, or a table [proxy.NAME] of ~/.config/hostkit/ichimi.toml. A command with a " +
    "--url serves there. All that the server has started ends with it.",
  positionals: [{ name: "NAME", help: "A table of the configuration.", optional: true }],
  rest: "COMMAND",
  options: {
    url: option(
      optionalText({ help: "Where a server over HTTP is.", example: "http://127.0.0.1:3001/mcp" }),
      { value: "URL" },
    ),
    build: option(
      optionalText({ help: "Shell command that makes it, before each start.", example: "npm run build" }),
      { value: "COMMAND" },
    ),
    watch: option(
      optionalText({ help: "Files whose change makes a new one.", example: "src/**/*.ts" }),
      { value: "GLOB", multiple: true },
    ),
    tools: option(
      toggle({
        help: "Shows proxy_status, proxy_restart and proxy_logs beside its tools.",
        fallback: false,
      }),
    ),
    wait: option(
      optionalDuration({ help: "How long a request waits for a server; 30s by default.", example: "30s" }),
      { value: "DURATION" },
    ),
    call_limit: option(
      optionalDuration({ help: "How long a request may take; 1h by default.", example: "1h", minMs: 1 }),
      { value: "DURATION" },
    ),
    config: option(
      optionalText({
        help: "File instead of ~/.config/hostkit/ichimi.toml.",
        example: "config/ichimi.toml",
      }),
      { value: "FILE", complete: "file" },
    ),
  },
  examples: [
    ["ichimi-server proxy -- node server.js", "A server that is a program"],
    [
      "ichimi-server proxy --watch 'src/**' --build 'npm run build' -- node dist/server.js",
      "One that changes",
    ],
    ["ichimi-server proxy --url http://127.0.0.1:3001/mcp", "One that others run"],
    ["ichimi-server proxy shop", "As [proxy.shop] has it"],
  ],
  async run({ options, args: [name], rest, signal }) {
    const { Aside, runProxy } = await import("../../lib/mcp_proxy/mod.ts");
    const { settingsOf } = await import("./proxy_settings.ts");
    const settings = await settingsOf(name, rest, options);
    if (settings === undefined) throw new UsageError("say what to stand in front of: COMMAND, --url or NAME");
    const aside = new Aside(Deno.stderr.writable);
    await runProxy(settings.spec, {
      ...settings.options,
      signal,
      tell: (text, from) => {
        aside.say(from === "server" ? text : `ichimi-server proxy: ${text}\n`);
      },
    });
    await aside.end();
    return 0;
  },
});
