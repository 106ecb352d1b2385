/** `ichimi-server mcp`: the same as without a command; and its entry in the files of clients. @module */
import { ownCommand } from "../../lib/build/own_command.ts";
import { type Command, option } from "../../lib/cli/mod.ts";
import { optionalText } from "../../lib/config/mod.ts";
import { mcpCommand } from "../../lib/mcp/command.ts";

export const TOOLSETS = option(
  optionalText({ help: "Sets of tools, parted by commas.", example: "processes,assist,config" }),
  { value: "SETS" },
);

export const mcp: Command = mcpCommand({
  name: "ichimi-server",
  url: "http://127.0.0.1:12700/mcp",
  tokenCommand: "ichimi-server console --json",
  options: { toolsets: TOOLSETS },
  get command() {
    return [...ownCommand("ichimi-server"), "mcp"] as const;
  },
  async check({ toolsets }) {
    if (toolsets === undefined) return;
    const { toolsetNames } = await import("./stdio.ts");
    await toolsetNames(toolsets);
  },
  async serve(signal, { toolsets }) {
    const { stdio } = await import("./stdio.ts");
    return await stdio(signal, toolsets);
  },
});
