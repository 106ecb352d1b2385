/** `deno task up`: sets up, and runs this machine's stack: `bpm up` on `config/up.mcp-run`. @module */
import { dirname } from "node:path";
import { main } from "../bpm/main.ts";
import { AGENT_PUSH_SOCKET } from "../../lib/agent_client/push.ts";
import { BUILD, ROOT } from "../../lib/build/paths.ts";
import { setUp } from "../../lib/build/setup.ts";
import { toolNames } from "../../lib/build/tools.ts";
import { toolCommand } from "./tool_command.ts";

const TOOLS = `${BUILD}tools`;

/** Folder of the stack's sockets, and the variable that names another one. */
const RUN_VARIABLE = "UP_RUN";

/** Words behind it are those of `bpm up`. */
export async function run(args: string[]): Promise<number> {
  await setUp("up", (line) => console.error(`setup: ${line}`));
  if (Deno.uid() !== 0) {
    console.error("not root: the kernel's events stay closed, /status of the agent says what is missing");
  }
  await linkTools();
  Deno.env.set("PATH", `${TOOLS}:${Deno.env.get("PATH") ?? ""}`);
  const runFolder = Deno.env.get(RUN_VARIABLE) ?? defaultRunFolder(Deno.env.toObject());
  await Deno.mkdir(runFolder, { recursive: true, mode: 0o755 });
  Deno.env.set(RUN_VARIABLE, runFolder);
  Deno.env.set("BPM_AGENT_PUSH", `${runFolder}/external.sock`);
  return await main(["up", ROOT.slice(0, -1), "--config", `${ROOT}config/up.mcp-run`, ...args]);
}

/** Root's is where every tool looks for the agent; not in /tmp, where somebody else could have made it first. */
function defaultRunFolder(
  { XDG_RUNTIME_DIR, XDG_STATE_HOME, HOME }: Readonly<Record<string, string | undefined>>,
): string {
  if (Deno.uid() === 0) return dirname(AGENT_PUSH_SOCKET);
  if (XDG_RUNTIME_DIR !== undefined) return `${XDG_RUNTIME_DIR}/hostkit`;
  return `${XDG_STATE_HOME ?? `${HOME ?? ""}/.local/state`}/hostkit/run`;
}

/** Makes each tool of the checkout a program by its name. */
async function linkTools(): Promise<void> {
  await Deno.mkdir(TOOLS, { recursive: true });
  for (const name of toolNames()) {
    const words = toolCommand(name).map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    await Deno.writeTextFile(`${TOOLS}/${name}`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
}
