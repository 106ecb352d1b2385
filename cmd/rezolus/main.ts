/** `rezolus`: telemetry of a host. @module */
import { command, runTool } from "../../lib/cli/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { agent } from "./agent.ts";

export const rezolus = command({
  name: "rezolus",
  summary: "high-resolution telemetry of this host",
  commands: [agent],
});

if (import.meta.main) Deno.exit(await runTool(rezolus, { version: VERSION, details: [] }, Deno.args));
