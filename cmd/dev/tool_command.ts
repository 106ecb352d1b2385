/** How a tool is run from source: with the runtime in use and exactly the tool's own permissions. @module */
import { ROOT } from "../../lib/build/paths.ts";
import { RUNTIME_FLAGS, toolPermissions } from "../../lib/build/tools.ts";

/** Program and arguments before the tool's own. */
export function toolCommand(tool: string): [string, ...string[]] {
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...toolPermissions(tool),
    ...RUNTIME_FLAGS,
    `${ROOT}cmd/${tool}/main.ts`,
  ];
}
