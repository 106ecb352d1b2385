/**
 * What a tool tells of itself with `--version`: version, commit, and the numbers of the formats that outlive a process.
 * @module
 */
import type { ToolInfo } from "../cli/mod.ts";
import project from "../../deno.json" with { type: "json" };

/** Version of all tools. */
export const VERSION: string = project.version;

/** Numbers of the formats that outlive a process; each folder's own constant must agree (a test compares them). */
export const FORMATS = { ring: 1, ledger: 1, journal: 3, history: 1, ichimi: 1 } as const;

/** Replaced by the commit when an executable is made. */
const COMMIT = "HOSTKIT_COMMIT";

/** What a tool built from this commit tells. */
export function toolInfo(commit: string): ToolInfo {
  return {
    version: VERSION,
    details: [
      `commit ${commit}`,
      `formats ${Object.entries(FORMATS).map(([name, number]) => `${name} ${number}`).join(", ")}`,
    ],
  };
}

/** What this tool tells. */
export const TOOL_INFO: ToolInfo = toolInfo(COMMIT.startsWith("HOSTKIT") ? "unknown (from source)" : COMMIT);
