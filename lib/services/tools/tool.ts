/** What every tool needs: the host, and its errors as those of a tool. @module */
import { integer, nullable, object, oneOf, string, type Tool, ToolError } from "../../mcp/mod.ts";
import type { CountedUsage } from "../../agent_client/mod.ts";
import { InstanceError, PatternError } from "../log_search.ts";
import { HostError, type ServiceHost } from "../host.ts";

/** What tools use beside the host. */
export interface ToolOptions {
  /** Who counts what tasks use, where there is one. */
  readonly agent?: { read(): Promise<CountedUsage | undefined> } | undefined;
}

/** Makes tools for one host. */
export type ToolMaker = (host: ServiceHost, options: ToolOptions) => Tool;

/** The argument that nearly all of them take. */
export const processName = string({ description: "Name of the process", minLength: 1 });

/** The same where several can be meant at once. */
export const processNames = string({
  description: "Name of a process, of all its replicas, or with @ before it of a group",
  minLength: 1,
});

/** A build, a start or a wait that takes longer becomes a task, for clients that know tasks. */
export const TASK_AFTER_MS = 1_000;

/** What became of a process that was started, stopped or restarted. */
export const OUTCOME = object({
  process: string(),
  state: string({ description: "As in list" }),
  pid: nullable(integer()),
  mode: oneOf(["dev", "release"]),
});

/** The same, of now; of several processes their states, and no pid. */
export function outcomeOf(host: ServiceHost, process: string) {
  const services = host.members(process);
  const status = services.length === 1 ? services[0]!.current?.status() : undefined;
  return {
    process,
    state: [...new Set(services.map(({ state }) => state.kind))].join(", "),
    pid: status?.kind === "running" ? status.pid : null,
    mode: host.mode,
  };
}

/** Passes on what a client can act on as the tool's own failure. */
export async function orToolError<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const isTold = error instanceof HostError || error instanceof InstanceError ||
      error instanceof PatternError;
    if (isTold) throw new ToolError(error.message, { cause: error });
    throw error;
  }
}
