/**
 * What a tool tells of itself with `--version`: version, commit, and the numbers of the formats that outlive a process.
 * @module
 */
import project from "../../deno.json" with { type: "json" };

/** Version of all tools. */
export const VERSION: string = project.version;
