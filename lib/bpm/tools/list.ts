/** `list`: all that is known of each process, as data. @module */
import { array, boolean, defineTool, integer, nullable, object, string } from "../../mcp/mod.ts";
import type { Service } from "../../supervisor/mod.ts";
import type { Manager } from "../manager.ts";
import type { ToolMaker } from "./tool.ts";

const SERVICE = object({
  name: string(),
  state: string({
    description: "idle, building, starting, running, replacing, backoff, stopping, failing or finished",
  }),
  ready: boolean(),
  pid: nullable(integer()),
  uptimeMs: nullable(integer()),
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
  exit: nullable(string({ description: "How it ended last: a code, a signal, or unknown" })),
  dependsOn: array(object({ name: string(), condition: string() })),
  instances: integer({ description: "Kept logs of runs" }),
  builds: integer({ description: "Kept logs of builds" }),
});

export const list: ToolMaker = (manager) =>
  defineTool({
    name: "list",
    description: "Lists all processes with state, pid, uptime, restarts and dependencies",
    annotations: { readOnlyHint: true, openWorldHint: false },
    output: object({ mode: string(), services: array(SERVICE) }),
    run() {
      const services = describeAll(manager);
      const text = services.map(({ name, state, pid }) =>
        `${name}: ${state}${pid === null ? "" : ` (pid ${pid})`}`
      );
      return { text: text.join("\n"), structured: { mode: manager.mode, services } };
    },
  });

function describeAll(manager: Manager) {
  return [...manager.supervisor.services.values()].map((service) => {
    const { spec, state, restarts, current, ledger } = service;
    const status = current?.status();
    const { startedMs } = manager.status(service);
    const outcome = "outcome" in state ? state.outcome : undefined;
    return {
      name: spec.name,
      state: state.kind,
      ready: service.is("running", "replacing"),
      pid: status?.kind === "running" ? status.pid : null,
      uptimeMs: startedMs === undefined ? null : Math.max(0, Math.round(Date.now() - startedMs)),
      restarts,
      swap: swapOf(service),
      url: manager.urlOf(spec.name) ?? null,
      failures: "failures" in state ? state.failures : 0,
      exit: outcome === undefined
        ? null
        : outcome.kind === "lost"
        ? "unknown"
        : outcome.signal ?? `${outcome.code}`,
      dependsOn: (spec.dependsOn ?? []).map(({ name, condition }) => ({ name, condition })),
      instances: ledger.places("run").length,
      builds: ledger.places("build").length,
    };
  });
}

function swapOf({ front }: Service) {
  if (front === undefined) return null;
  const { rung: { kind: way, reason }, stats } = front;
  if (stats === undefined) return { way, reason, proxied: null };
  const { requests, retried, refused, cut } = stats;
  return { way, reason, proxied: { requests, retried, refused, cut } };
}
