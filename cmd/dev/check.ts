/** `deno task check`: types of everything; pages in a call of their own. @module */
import { runAll, typeCommands } from "../../lib/build/checks.ts";

export function run(): Promise<number> {
  return runAll(typeCommands());
}
