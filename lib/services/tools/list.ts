/** `list`: all that is known of each process, as data. @module */
import { array, boolean, defineTool, integer, nullable, object, string } from "../../mcp/mod.ts";
import { factsText, processFacts } from "../facts.ts";
import type { ToolMaker } from "./tool.ts";

const SERVICE = object({
  name: string(),
  state: string({
    description: "idle, building, starting, running, replacing, backoff, stopping, failing or finished",
  }),
  ready: boolean(),
  pid: nullable(integer()),
  uptimeMs: nullable(integer()),
  startsInMs: nullable(integer({ description: "Until its next start, after a crash or by its schedule" })),
  restarts: integer({ description: "How often it was started again after it had ended by itself" }),
  failures: integer({ description: "Ends in a row" }),
  url: nullable(string()),
  swap: nullable(object({
    way: string({ description: "How it is replaced: inherited, interposer, proxy, or restart" }),
    reason: string(),
    proxied: nullable(object({
      requests: integer(),
      retried: integer({
        description: "Sent once more, since a server closed the connection without an answer",
      }),
      refused: integer({ description: "Answered by the proxy itself, since no server came" }),
      cut: integer({ description: "Answers that broke off" }),
    })),
  })),
  tty: boolean({ description: "Its input is a terminal" }),
  exit: nullable(string({ description: "How it ended last: a code, a signal, or unknown" })),
  dependsOn: array(object({ name: string(), condition: string() })),
  instances: integer({ description: "Kept logs of runs" }),
  builds: integer({ description: "Kept logs of builds" }),
});

export const list: ToolMaker = (host) =>
  defineTool({
    name: "list",
    description:
      "Lists all processes: state, pid, last exit, next start, address, and as data also uptime, restarts, dependencies " +
      "and how restarts lose no request",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({ mode: string(), services: array(SERVICE) }),
    run() {
      const nowMs = Date.now();
      const all = [...host.supervisor.services.values()].map((each) => processFacts(host, each, nowMs));
      const text = all.map((each) => `${each.name}: ${factsText(each)}`);
      const services = all.map(({ dependsOn, ...facts }) => ({ ...facts, dependsOn: [...dependsOn] }));
      return { text: text.join("\n"), structured: { mode: host.mode, services } };
    },
  });
