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
      command: {
        argv: [...options.tool("rezolus"), "agent", "--listen", options.agentAddress, "--socket", socket],
        env,
      },
      // Its own word, not its URL: there the agent of another stack may answer while ours cannot listen.
      readiness: { kind: "log", pattern: /\blistening\b.*agent\.sock/ },
    },
    {
      name: "viewer",
      url: viewerUrl,
      command: { argv: [...options.tool("rezolus"), "view", socket, options.viewerAddress], env },
      dependsOn: [{ name: "agent", condition: "ready" }],
      readiness: { kind: "http", url: `${viewerUrl}/api/v1/status/buildinfo` },
    },
  ];
}
