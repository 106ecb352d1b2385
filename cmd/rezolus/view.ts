/** `rezolus view`: charts of a recording or of a live agent. @module */
import { command, option, UsageError } from "../../lib/cli/mod.ts";
import type { AgentAddress } from "../../lib/agent_client/mod.ts";
import { duration, optionalText } from "../../lib/config/mod.ts";

const DEFAULT_LISTEN = "127.0.0.1:4242";

export const view = command({
  name: "view",
  summary: "show a recording or a live agent in the browser",
  description:
    "SOURCE is a recording (.parquet, .rez, raw), the URL of an agent or the path of its socket. The same " +
    "port answers Prometheus' HTTP API, so that Grafana can read a recording.",
  positionals: [
    { name: "SOURCE", help: "recording, agent URL (http://…) or socket path", complete: "file" },
    { name: "ADDRESS", help: `where to listen [default: ${DEFAULT_LISTEN}]`, optional: true },
  ],
  options: {
    listen: option(optionalText({ help: "Where to listen, instead of ADDRESS.", example: DEFAULT_LISTEN }), {
      value: "ADDRESS",
    }),
    interval: option(duration({ help: "How often a live agent is asked.", fallback: "1s" }), {
      value: "DURATION",
      short: "i",
    }),
    assets: option(
      optionalText({ help: "Serves page files from here first and reads them anew.", example: "web" }),
      {
        value: "DIR",
        complete: "directory",
      },
    ),
  },
  examples: [
    ["rezolus view load.rez", "A recording on http://127.0.0.1:4242"],
    ["rezolus view http://127.0.0.1:4241", "This host, live"],
  ],
  async run({ args: [source, address], options, signal }) {
    if (address !== undefined && options.listen !== undefined) {
      throw new UsageError("the address is given twice");
    }
    const { startViewer, recordingSource } = await import("../../lib/viewer/mod.ts");
    const { formatAddress, parseAddress } = await import("../../lib/web/mod.ts");
    const listen = parseAddress(address ?? options.listen ?? DEFAULT_LISTEN);
    const assets = options.assets === undefined ? {} : { assetsDir: options.assets };
    const log = (line: string) => console.error(`rezolus: ${line}`);

    using stack = new DisposableStack();
    const live = await liveAddress(source!);
    let show: Parameters<typeof startViewer>[0]["show"];
    if (live === undefined) {
      const { openRecording } = await import("../../lib/recording/mod.ts");
      const recording = stack.use(openRecording(source!));
      for (const note of recording.notes) log(`${source}: ${note}`);
      if (!recording.complete) log(`${source} was cut off or is still being written: what there is is shown`);
      show = recordingSource(recording.series, source!.slice(source!.lastIndexOf("/") + 1));
    } else show = { agent: live, intervalMs: options.interval, log };

    await using server = await startViewer({ show, listen, signal, ...assets });
    console.error(`rezolus: showing ${source} on ${formatAddress(server.address)}`);
    await server.finished;
    return 0;
  },
});

/** An agent's address, when the source is one: a URL, or a path at which a socket stands. */
async function liveAddress(source: string): Promise<AgentAddress | undefined> {
  const { parseAgentAddress } = await import("../../lib/agent_client/mod.ts");
  if (/^(https?:\/\/|unix:)/.test(source)) return parseAgentAddress(source);
  try {
    return (await Deno.stat(source)).isSocket ? { kind: "unix", path: source } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // Opening it as a recording says so.
    throw error;
  }
}
