/** `nix-btm mcp`: what the daemon knows over stdio, for clients that start their servers; and its entry in their files. @module */
import { ownCommand } from "../../lib/build/own_command.ts";
import { abortable, deadline } from "../../lib/async/mod.ts";
import type { Command } from "../../lib/cli/mod.ts";
import { createRegistry, mcpCommand, serveStdio, ToolError } from "../../lib/mcp/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { followDaemon } from "./follow.ts";
import { CONTROL_SOCKET_OPTION, controlPath } from "./paths.ts";

const INSTRUCTIONS =
  "Shows what Nix does on this host. list_builds tells what runs and waits; failed_builds why builds failed, with the " +
  "end of their logs; search_log finds lines; why_waiting what holds a build up; expected_end when commands will be " +
  "done; why_rebuilt what changed since something was built last.";

/** Until the daemon has answered, or is known not to be there; nobody is served before, and longer nobody waits. */
const FIRST_ANSWER_MS = 2_000;

export const mcp: Command = mcpCommand({
  name: "nix-btm",
  get command() {
    return [...ownCommand("nix-btm"), "mcp"] as const;
  },
  options: { daemonSocketPath: CONTROL_SOCKET_OPTION },
  async serve(signal, { daemonSocketPath }) {
    const { nixTools, readNamedDerivation } = await import("../../lib/nix_btm/mod.ts");
    const { parseDerivation } = await import("../../lib/nix/mod.ts");
    const answered = Promise.withResolvers<void>();
    await using following = await followDaemon(controlPath(daemonSocketPath), signal, answered.resolve);
    const { client } = following;
    using limit = deadline(FIRST_ANSWER_MS, signal);
    await abortable(answered.promise, limit.signal).catch(() =>
      "Who asks is told that it was not reached yet."
    );
    const asked = <T>(answer: Promise<T>): Promise<T> =>
      answer.catch((cause) => {
        throw new ToolError(`the daemon does not answer: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        });
      });
    const registry = createRegistry({
      tools: nixTools({
        get worlds() {
          const { standing } = client;
          if (standing.kind === "live") return client.worlds;
          const why = standing.kind === "lost" ? standing.why : "it was not reached yet";
          throw new ToolError(`there is no daemon: ${why}; start one with nix-btm daemon`);
        },
        hostname: Deno.hostname(),
        now: Date.now,
        history: (query, signal) => asked(client.history(query, signal)),
        statistics: (limit, signal) => asked(client.statistics(limit, signal)),
        log: (of, signal) => asked(client.log(of, signal)),
        derivation: async (path) => parseDerivation(path, await readNamedDerivation(path)),
      }),
    });
    await serveStdio(registry, {
      name: "nix-btm",
      version: VERSION,
      title: "nix-btm",
      instructions: INSTRUCTIONS,
    }, {
      signal,
    });
    return 0;
  },
});
