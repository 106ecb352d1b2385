/** `get_status`: mode and processes, in upstream's lines. @module */
import {
  array,
  defineTool,
  integer,
  nullable,
  number,
  object,
  oneOf,
  string,
  type Tool,
} from "../../mcp/mod.ts";
import type { ServiceHost } from "../../services/mod.ts";
import { processStatus } from "../process_status.ts";

const EVENT = object({
  kind: oneOf(["started", "crashed", "stopped"]),
  timeMs: number({ description: "Unix milliseconds" }),
  code: nullable(integer({ description: "Exit code, where it ended and that is known" })),
});

/** @param statusText Upstream's lines. */
export const getStatus = (host: ServiceHost, statusText: () => string): Tool =>
  defineTool({
    name: "get_status",
    description: "Tells the mode, and of each process its state, uptime, recent events and crashes",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({
      mode: oneOf(["dev", "release"]),
      note: string({ description: "How long the mode lasts" }),
      processes: array(object({
        name: string(),
        state: oneOf(["running", "idle", "crashed"]),
        startedMs: nullable(number({ description: "Unix milliseconds; of one that runs" })),
        crashes: integer({ description: "In a row" }),
        events: array(EVENT, { description: "Newest first" }),
      })),
    }),
    run() {
      const text = statusText();
      const processes = [...host.supervisor.services.values()].map((service) => {
        const { name, state, startedMs = null, crashes, events } = processStatus(service);
        const told = events.map(({ kind, timeMs, code = null }) => ({ kind, timeMs, code }));
        return { name, state, startedMs, crashes, events: told };
      });
      return { text, structured: { mode: host.mode, note: text.split("\n")[1] ?? "", processes } };
    },
  });
