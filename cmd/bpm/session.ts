/** A project that is served: its manager, with MCP on its port. @module */
import { BPM_UPSTREAM, bpmTools, Manager } from "../../lib/bpm/mod.ts";
import { serviceResources, tellEvents } from "../../lib/services/mod.ts";
import {
  AGENT_PORT,
  AGENT_PUSH_SOCKET,
  type AgentAddress,
  AgentUsage,
  parseAgentAddress,
} from "../../lib/agent_client/mod.ts";
import { lookup } from "node:dns/promises";
import type { Listener } from "../../ffi/sockets/mod.ts";
import { option } from "../../lib/cli/mod.ts";
import { optionalInteger } from "../../lib/config/mod.ts";
import { createRegistry, mcpRoutes } from "../../lib/mcp/mod.ts";
import { openPort } from "../../lib/swap/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { formatAddress, isLoopbackName, listenOn, type Server } from "../../lib/web/mod.ts";
import type { openProject } from "./project.ts";

const INSTRUCTIONS =
  "Runs this project's processes. Look with list, find out why one fails with explain, read output " +
  "with search_logs, search_build_log and, of all together, read_logs; wait for a state, a line or a port with wait " +
  "instead of asking again and again. After a change of the code call restart: it builds, and replaces the process " +
  "once the new one is ready.";

export const PORT_OPTION = option(
  optionalInteger({ help: "Port of MCP instead of mcp_port.", example: "3001", min: 0, max: 65_535 }),
  { value: "PORT" },
);

export interface Session extends AsyncDisposable {
  readonly manager: Manager;
  readonly server: Server;
  /** Of MCP. */
  readonly url: string;
}

/** Where the telemetry agent of this host listens, which counts what processes use; `off` asks none. */
const AGENT_VARIABLE = "BPM_AGENT";

function agentAddress(text: string | undefined): AgentAddress | undefined {
  return text === "off" ? undefined : parseAgentAddress(text ?? `127.0.0.1:${AGENT_PORT}`);
}

/** Socket on which that agent takes events; `off` tells none. */
const PUSH_VARIABLE = "BPM_AGENT_PUSH";

/** Takes the project over and serves it; nothing is started yet. @throws {Error} When it cannot be had, or served. */
export async function openSession(
  { folder, config, state, load }: Awaited<ReturnType<typeof openProject>>,
  { port, socket, signal }: {
    readonly port: number | undefined;
    /** Listens already, and takes the place of host and port. */
    readonly socket?: Listener | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Session> {
  const token = config.token_file === undefined
    ? undefined
    : (await Deno.readTextFile(config.token_file)).trim();
  const host = socket === undefined
    ? config.host
    : "host" in socket.address
    ? socket.address.host
    : "localhost";
  if (!isLoopbackName(host) && token === undefined) {
    throw new Error(`Cannot listen on ${host}: other hosts reach it, and no "token_file" is set`);
  }
  await using stack = new AsyncDisposableStack();
  const manager = stack.use(Manager.open({ folder, config, stateFolder: state, load }));
  const info = { name: BPM_UPSTREAM.name, version: VERSION, title: "bpm", instructions: INSTRUCTIONS };
  const pushPath = Deno.env.get(PUSH_VARIABLE) ?? AGENT_PUSH_SOCKET;
  if (pushPath !== "off") stack.use(tellEvents(manager.supervisor, { path: pushPath, source: "bpm" }));
  const agent = agentAddress(Deno.env.get(AGENT_VARIABLE));
  const counted = agent === undefined ? {} : { agent: stack.use(new AgentUsage(agent)) };
  const registry = createRegistry({
    tools: bpmTools(manager, counted),
    resources: [serviceResources(manager)],
  });
  const routes = stack.use(mcpRoutes(registry, info, {
    plainInfo: BPM_UPSTREAM,
    ...(token === undefined ? {} : { token }),
  }));
  const listener = socket ??
    stack.use(openPort({ host: await numeric(host), port: port ?? config.mcp_port }));
  const server = stack.use(await listenOn(listener, (request) => routes.fetch(request), { signal }));
  const owned = stack.move();
  return {
    manager,
    server,
    url: `${formatAddress(server.address)}/mcp`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The address of a host's name; what is one already stays as it is. @throws {Error} When nobody knows the name. */
async function numeric(host: string): Promise<string> {
  return host === "localhost" ? host : (await lookup(host)).address;
}
