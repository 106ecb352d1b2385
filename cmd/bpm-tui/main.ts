/** `bpm-tui`: the processes of a project, in a terminal. @module */
import { command, option, runTool, UsageError } from "../../lib/cli/mod.ts";
import { optionalText } from "../../lib/config/mod.ts";
import { TOOL_INFO } from "../../lib/version/mod.ts";

/** As upstream's. */
const DEFAULT_URL = "http://localhost:3001/mcp";

export const bpmTui = command({
  name: "bpm-tui",
  summary: "look at the processes of a project and steer them, in a terminal",
  description:
    "Shows state, logs and builds of the processes that a bpm at URL manages, restarts them, and with our bpm also " +
    "starts, stops, attaches and shows what depends on what. It works with every server that speaks as the original " +
    "does; what a server cannot do is not offered." +
    "\n\nKeys: j and k select, Enter goes to the log, r restarts, b shows the build, / searches, f follows, c clears, q " +
    "and Esc quit. ? shows all of them, : finds one by its name." +
    "\n\nA server that wants a token is told $BPM_TOKEN. NO_COLOR and COLORTERM are heeded.",
  positionals: [{ name: "URL", help: `where the manager listens [default: ${DEFAULT_URL}]`, optional: true }],
  options: {
    project: option(
      optionalText({ help: "One more manager to look at.", example: "http://localhost:3002/mcp" }),
      { short: "p", value: "URL", multiple: true },
    ),
  },
  examples: [
    ["bpm-tui", "The project of this machine"],
    ["bpm-tui http://localhost:3000/mcp", "One that listens elsewhere"],
    ["bpm-tui -p http://localhost:3002/mcp", "Two projects; { and } change between them"],
    ["NO_COLOR=1 bpm-tui", "Without colours"],
  ],
  async run({ args: [url = DEFAULT_URL], options, signal }) {
    const urls = [url, ...options.project].map(checkUrl);
    const { Terminal } = await import("../../lib/tui/mod.ts");
    const { runTui } = await import("../../lib/bpm_tui/mod.ts");
    using screen = Terminal.open(Deno.env.toObject());
    await runTui({ urls, token: Deno.env.get("BPM_TOKEN"), screen, signal });
    signal.throwIfAborted();
    return 0;
  },
});

/** @throws {UsageError} When it is no address of HTTP. */
function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new UsageError(`"${text}" is no URL of a manager, expected one such as ${DEFAULT_URL}`);
}

/** Runs the tool on the words of the command line. */
export function main(words: readonly string[]): Promise<number> {
  return runTool(bpmTui, TOOL_INFO, words);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
