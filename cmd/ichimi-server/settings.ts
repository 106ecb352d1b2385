/** What the user has said in a file. @module */
import { existsSync } from "node:fs";
import { defaults, loadConfig } from "../../lib/config/mod.ts";
import { ICHIMI_CONFIG, type IchimiConfig } from "../../lib/ichimi/mod.ts";

/** Where it is looked for. */
function configFile(): string | undefined {
  const { XDG_CONFIG_HOME, HOME } = Deno.env.toObject();
  const folder = XDG_CONFIG_HOME || (HOME && `${HOME}/.config`);
  return folder && `${folder}/hostkit/ichimi.toml`;
}

/** The defaults where there is no such file. @throws {ConfigError} When it makes no sense, or a file that was named is not there. */
export function readConfig(named: string | undefined): { config: IchimiConfig; warnings: readonly string[] } {
  const file = named ?? configFile();
  if (file === undefined || (named === undefined && !existsSync(file))) {
    return { config: defaults(ICHIMI_CONFIG), warnings: [] };
  }
  return loadConfig(ICHIMI_CONFIG, file);
}
