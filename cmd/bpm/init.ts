/** `bpm init`: writes `.mcp-run` from what a project has already. @module */
import { existsSync } from "node:fs";
import {
  diskFolder,
  findProcesses,
  merge,
  type Plan,
  SOURCE_FILES,
  writeConfig,
} from "../../lib/bpm/init/mod.ts";
import { CONFIG_NAME, loadBpmConfig } from "../../lib/bpm/mod.ts";
import { command, option, print } from "../../lib/cli/mod.ts";
import { integer, optionalText, toggle } from "../../lib/config/mod.ts";
import { DIR, projectFolder } from "./project.ts";

/** Port of upstream's samples, and of what its client asks by default. */
const MCP_PORT = 3_001;

export const init = command({
  name: "init",
  summary: "write .mcp-run from what a project has already",
  description:
    `Reads ${SOURCE_FILES.join(", ")} of DIR and writes what they run as processes to DIR/${CONFIG_NAME}. ` +
    "Services of a compose file become docker compose up SERVICE each, with its dependencies, health check and restart " +
    "policy. What no key can say is a comment in the file and a warning. A file that is there stays as it is.",
  positionals: [DIR],
  options: {
    from: option(
      optionalText({
        help: "Only this file, by its path from DIR; may be given several times.",
        example: "Procfile",
      }),
      { value: "FILE", complete: "file", multiple: true },
    ),
    port: option(
      integer({ help: "Port of MCP in the file.", fallback: MCP_PORT, min: 1, max: 65_535 }),
      { value: "PORT" },
    ),
    force: option(toggle({ help: `Replaces a ${CONFIG_NAME} that is there.`, fallback: false }), {
      short: "f",
    }),
    print: option(toggle({ help: "Prints the text and writes nothing.", fallback: false }), { short: "p" }),
    json: option(toggle({ help: "Prints what was found as JSON and writes nothing.", fallback: false })),
  },
  examples: [
    ["bpm init", "From all that is known in this folder"],
    ["bpm init --print", "Only look at it"],
    ["bpm init --from compose.yaml --from Procfile --force", "From these files, anew"],
  ],
  async run({ args: [dir = "."], options }) {
    const folder = await projectFolder(dir);
    const path = `${folder}/${CONFIG_NAME}`;
    const writes = !options.print && !options.json;
    if (writes && !options.force && existsSync(path)) {
      throw new Error(
        `Cannot write ${path}: it is there; --force replaces it, --print only shows what would be written`,
      );
    }
    const plan = merge(await findProcesses(diskFolder(folder), options.from));
    for (const each of warnings(plan)) console.error(`bpm: ${each}`);
    if (plan.processes.length === 0) {
      const found = plan.files.length === 0
        ? `none of ${SOURCE_FILES.join(", ")} is there`
        : "nothing in it goes on running";
      throw new Error(`Cannot write ${path}: ${found}`);
    }
    const text = writeConfig(plan, { port: options.port });
    if (options.json) print(`${JSON.stringify({ ...plan, warnings: warnings(plan), text }, null, 2)}\n`);
    else if (options.print) print(text);
    if (!writes) return 0;
    await write(path, text, options.force);
    const names = plan.processes.map(({ name }) => name).join(", ");
    console.error(`bpm: wrote ${path} with ${names}; bpm up runs it`);
    return 0;
  },
});

/** What somebody should know, one line each. */
function warnings({ processes, notes }: Plan): string[] {
  return [...notes, ...processes.flatMap(({ name, notes }) => notes.map((each) => `${name}: ${each}`))];
}

/** Whole or not at all, and only what can be read again. */
async function write(path: string, text: string, force: boolean): Promise<void> {
  const part = `${path}.${Deno.pid}.part`;
  try {
    await Deno.writeTextFile(part, text, { createNew: true });
    loadBpmConfig(part);
    // Unlike a rename, a link does not replace what somebody else wrote meanwhile.
    await (force ? Deno.rename(part, path) : Deno.link(part, path));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    throw new Error(`Cannot write ${path}: it is there`, { cause });
  } finally {
    await Deno.remove(part).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
