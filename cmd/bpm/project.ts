/** Which project is meant, and what its file says. @module */
import { existsSync } from "node:fs";
import { CONFIG_NAME, loadBpmConfig, stateFolder } from "../../lib/bpm/mod.ts";
import { optionalText } from "../../lib/config/mod.ts";
import { option } from "../../lib/cli/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";

/** The project that is meant, as a word of the command line. */
export const DIR = {
  name: "DIR",
  help: "the project; this folder by default",
  optional: true,
  complete: "directory",
} as const;

export const CONFIG_OPTION = option(
  optionalText({ help: `File instead of DIR/${CONFIG_NAME}.`, example: "config/up.mcp-run" }),
  { value: "FILE", complete: "file" },
);

/** Its absolute path. @throws {Error} When it is not there. */
export async function projectFolder(dir: string): Promise<string> {
  try {
    return await Deno.realPath(dir);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(`Cannot open project ${dir}: there is no such folder`, { cause });
  }
}

/** @throws {Error} When the folder or its file is not there or makes no sense. */
export async function openProject(dir: string, file: string | undefined) {
  const folder = await projectFolder(dir);
  const path = file ?? `${folder}/${CONFIG_NAME}`;
  if (file === undefined && !existsSync(path)) {
    throw new Error(`Cannot open project ${folder}: it has no ${CONFIG_NAME}; bpm init writes one`);
  }
  const { config, warnings } = loadBpmConfig(path);
  const { HOME, XDG_STATE_HOME } = Deno.env.toObject();
  const state = await stateFolder(file === undefined ? folder : await Deno.realPath(file), {
    HOME,
    XDG_STATE_HOME,
    uid: Deno.uid(),
  });
  return { folder, config, warnings, state, load: () => loadBpmConfig(path).config };
}

/** Where MCP of a project is served. */
export function urlOf(
  { host, mcp_port: port }: { readonly host: string; readonly mcp_port: number },
): string {
  return `${formatAddress({ kind: "tcp", host, port })}/mcp`;
}
