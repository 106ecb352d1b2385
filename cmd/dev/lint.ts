/** `deno task lint`. @module */
import { lintCommands, runAll } from "../../lib/build/checks.ts";

export function run(): Promise<number> {
  return runAll(lintCommands());
}
