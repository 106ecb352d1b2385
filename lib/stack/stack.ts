/** The services of this machine's stack: what runs under `deno task up`, in which order, and when each is ready. @module */
import type { ServiceSpec } from "../supervisor/mod.ts";

/** A service with the place to look at it. */
export interface StackService extends ServiceSpec {
  readonly url: string;
}

/** Where the stack listens and keeps its sockets. */
export interface StackOptions {
  readonly agentAddress: string;
  readonly viewerAddress: string;
  /** A folder of our own for sockets. */
  readonly runDir: string;
  /** How a tool is started: program and arguments before the tool's own. */
  readonly tool: (name: string) => readonly [string, ...string[]];
}

/** A probe that takes longer counts as not ready. */
const PROBE_LIMIT_MS = 2_000;

/** Describes the services. */
export function stackServices(options: StackOptions): StackService[] {
  const socket = `${options.runDir}/agent.sock`;
  const agentUrl = `http://${options.agentAddress}`;
  const viewerUrl = `http://${options.viewerAddress}`;
  const env = { HOSTKIT_SUPERVISED: "1" };
  return [
    {
      name: "agent",
      url: agentUrl,
      command: [...options.tool("rezolus"), "agent", "--listen", options.agentAddress, "--socket", socket],
      env,
      // Not its URL alone: there the agent of another stack may answer while ours cannot listen.
      probe: async (signal) => await exists(socket) && await answers(`${agentUrl}/status`, signal),
    },
    {
      name: "viewer",
      url: viewerUrl,
      command: [...options.tool("rezolus"), "view", socket, options.viewerAddress],
      env,
      dependsOn: ["agent"],
      probe: (signal) => answers(`${viewerUrl}/api/v1/status/buildinfo`, signal),
    },
  ];
}

/** Whether something stands at a path. */
function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false); // Absent or denied: not ready either way.
}

/** Whether a URL answers with success. */
async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    // Not ready yet: nobody listens, or it is too slow. Only the supervisor's own abort is passed on.
    if (signal.aborted) throw error;
    return false;
  }
}
