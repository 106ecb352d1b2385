/** What must not be shown of a project's environment files, for those that read its logs without a manager. @module */
import type { BpmConfig } from "./config.ts";
import { processOf } from "./processes.ts";
import { maskerOf } from "./secrets.ts";

/** Keeps the values of environment files out of a text. @throws {SyntaxError} When one of them cannot be read. */
export function projectMask(folder: string, config: BpmConfig): (text: string) => string {
  const project = { folder, config, direnv: false, mode: () => "release" as const };
  return maskerOf(Object.keys(config.process).flatMap((name) => processOf(name, project).secrets));
}
