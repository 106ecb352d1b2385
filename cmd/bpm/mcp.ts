/** `bpm mcp`: the project's manager over stdio, for clients that start their servers; and its entry in their files. @module */
import { ownCommand } from "../../lib/build/own_command.ts";
import type { Command } from "../../lib/cli/mod.ts";
import { bridgeStdio, mcpCommand } from "../../lib/mcp/mod.ts";
import { managerOf } from "../../lib/supervisor/mod.ts";
import { openProject, urlOf } from "./project.ts";

/**
 * Clients share the one manager of the project of the folder that they are started in. Where none runs one is started;
 * it goes on when the client goes.
 */
export const mcp: Command = mcpCommand({
  name: "bpm",
  url: "http://localhost:3001/mcp",
  get command() {
    return [...ownCommand("bpm"), "mcp"] as const;
  },
  async serve(signal) {
    const { folder, config, state } = await openProject(".", undefined);
    if (managerOf(state) === undefined) {
      const [program, ...args] = ownCommand("bpm");
      new Deno.Command(program, {
        args: [...args, "serve", "--quiet", folder],
        stdin: "null",
        stdout: "null",
        stderr: "null",
        detached: true,
      }).spawn().unref();
    }
    const token = config.token_file === undefined
      ? {}
      : { token: (await Deno.readTextFile(config.token_file)).trim() };
    await bridgeStdio(urlOf(config), { signal, ...token });
    return 0;
  },
});
