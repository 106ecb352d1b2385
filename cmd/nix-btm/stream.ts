/** `nix-btm stream`: the daemon's messages on standard output, one JSON object a line: what another host's daemon reads. @module */
import { request } from "node:http";
import { Readable } from "node:stream";
import { explained } from "../../lib/agent_client/mod.ts";
import { command } from "../../lib/cli/mod.ts";
import { readEvents } from "../../lib/mcp/mod.ts";
import { MESSAGE_MAX_BYTES } from "../../lib/nix_btm/remote_stream.ts";
import { plainJson } from "../../lib/tui/mod.ts";
import { CONTROL_SOCKET_OPTION, controlPath } from "./paths.ts";

export const stream = command({
  name: "stream",
  summary: "print what the daemon knows and what changes, as lines of JSON",
  description:
    "The first line is a snapshot of everything, each further one what changed; every ten seconds one comes in which " +
    "nothing has, so that whoever reads knows a daemon that lives. Daemons of other hosts read it through ssh: " +
    "nix-btm daemon --host ssh:HOST.",
  options: { daemonSocketPath: CONTROL_SOCKET_OPTION },
  examples: [["nix-btm stream | jq -c '.update.jobs[]?.name'", "Names of jobs as they change"]],
  async run({ options, signal }) {
    const socketPath = controlPath(options.daemonSocketPath);
    const encoder = new TextEncoder();
    for await (const data of readEvents(await eventsOf(socketPath, signal), MESSAGE_MAX_BYTES)) {
      const bytes = encoder.encode(`${plainJson(data)}\n`);
      try {
        for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) return 0; // Whoever read it has seen enough.
        throw error;
      }
    }
    signal.throwIfAborted();
    console.error("nix-btm: the daemon has ended");
    return 1;
  },
});

function eventsOf(socketPath: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadableStream<Uint8Array<ArrayBuffer>>>();
  const sent = request({ socketPath, path: "/api/v1/events", signal }, (response) => {
    resolve(Readable.toWeb(response) as ReadableStream<Uint8Array<ArrayBuffer>>);
  });
  sent.on("error", (cause) => {
    reject(
      new Error(
        `Cannot ask the daemon at ${socketPath}: ${explained(cause).message}; start one with nix-btm daemon`,
        {
          cause,
        },
      ),
    );
  });
  sent.end();
  return promise;
}
