/** What must not be shown of a project's environments, for those that read its logs without a manager. @module */
import type { BpmConfig } from "./config.ts";
import { Environment } from "./environment.ts";
import { maskerOf } from "../services/mod.ts";

/** Keeps what comes from environment files and commands out of a text. @throws {Error} When one of them cannot be had. */
export async function projectMask(folder: string, config: BpmConfig): Promise<(text: string) => string> {
  const secrets = new Set<string>();
  for (const process of Object.values(config.process)) {
    const environment = new Environment(process, { folder, secrets });
    await environment.ask();
    environment.read();
  }
  return maskerOf([...secrets]);
}
