/** The daemon of a user. @module */
import { existsSync, rmSync } from "node:fs";
import { sendErrorsTo } from "../../ffi/sys/mod.ts";
import { addressText, type Listener, openListener } from "../../ffi/sockets/mod.ts";
import { AgentUsage, parseAgentAddress } from "../../lib/agent_client/mod.ts";
import { processStart } from "../../ffi/ring/mod.ts";
import { BPM_UPSTREAM, hostTools } from "../../lib/bpm/mod.ts";
import {
  allowRulesOf,
  CiWatch,
  consolePage,
  Daemon,
  Doorway,
  Ground,
  type IchimiConfig,
  IchimiHost,
  ichimiRoutes,
  type LifetimeLimits,
  Lifetimes,
  type Loss,
  type Mounted,
  policyOf,
  restRoutes,
  Timeline,
  UsageHistory,
} from "../../lib/ichimi/mod.ts";
import { makeFolder } from "../../lib/cli/make_folder.ts";
import { type Log, processLog } from "../../lib/log/mod.ts";
import { createRegistry, mcpRoutes } from "../../lib/mcp/mod.ts";
import { becomeNewer, listenForUpgrade, serviceResources, tellEvents } from "../../lib/services/mod.ts";
import { ServiceManager } from "../../lib/systemd/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import { isLoopbackName, listenOn } from "../../lib/web/mod.ts";
import { folders } from "./paths.ts";
import { readConfig } from "./settings.ts";

/** Serves until it is asked to end, has nothing to do, or becomes a newer one. Returns the exit code. */
export async function serve(
  { background, config: file, assets }: {
    readonly background: boolean;
    readonly config: string | undefined;
    readonly assets: string | undefined;
  },
  signal: AbortSignal,
): Promise<number> {
  const { config, warnings } = readConfig(file);
  const { state, socket, log: logFile, upgrading, token, door } = folders();
  makeFolder(state, { of: "processes", mode: 0o700 });
  const log = processLog({ file: background ? logFile : undefined });
  for (const warning of warnings) log.warn(warning);
  if (!isLoopbackName(config.web.host)) {
    log.warn("web.host is not of loopback: the console's token goes over the network unencrypted", {
      host: config.web.host,
    });
  }
  using services = new ServiceManager();
  await using stack = new AsyncDisposableStack();
  const { log_mib: logMib, idle_exit: idleMs } = config.processes;
  const host = stack.use(IchimiHost.open({
    stateFolder: state,
    policy: policyOf(config),
    allow: allowRulesOf(config, Deno.env.get("HOME")),
    logMib,
    trouble: (text) => log.warn(text),
  }));
  const lifetimes = stack.use(new Lifetimes(host, limitsOf(config), (text) => log.warn(text)));
  const { address, push } = config.agent;
  if (push !== "off") stack.use(tellEvents(host.supervisor, { path: push, source: "ichimi-server" }));
  const agent = address === "off" ? undefined : stack.use(new AgentUsage(parseAgentAddress(address)));
  const info = { name: "ichimi-server", version: VERSION };
  const mounts: Record<string, Mounted> = {};
  const doorway = stack.use(
    new Doorway({ host: config.web.host, port: config.web.port, tokenFile: token, portFile: door, mounts }),
  );
  const ci = stack.use(
    new CiWatch({
      tell: (text) => log.info(text),
      isWanted: (of) =>
        of === undefined || [...lifetimes.present.values()].some(({ folder }) => folder === of),
    }),
  );
  mounts["/mcp"] = stack.use(ichimiRoutes({ host, agent, doorway, ci, info }));
  const timeline = stack.use(new Timeline(host));
  const usage = stack.use(new UsageHistory(host));
  const rest = { host, lifetimes, timeline, usage, version: VERSION };
  const api = mounts["/api"] = restRoutes(rest, (text) => log.error(text));
  mounts["/"] = consolePage({ host, version: VERSION, ...assets === undefined ? {} : { assetsDir: assets } });
  const bpm = createRegistry({ tools: hostTools(host, { agent }), resources: [serviceResources(host)] });
  mounts["/bpm/mcp"] = stack.use(
    mcpRoutes(bpm, { ...BPM_UPSTREAM, version: VERSION }, { plainInfo: BPM_UPSTREAM }),
  );
  const daemon = stack.use(
    new Daemon({ host, agent, lifetimes, doorway, ci, info, usage, rest: api }),
  );
  const isOwn = services.listeners[0] === undefined;
  const ground = new Ground(state, isOwn ? socket : undefined, (text) => log.warn(text));
  const listener = services.listeners[0] ?? ownSocket(socket, stack, ground);
  stack.use(await listenOn(listener, daemon.fetch, { signal }));
  const more = stack.use(new AsyncDisposableStack());
  // It ends first of all: what the daemon itself removes is not missed.
  stack.use(ground).watch(async () => {
    const again = more.use(openListener({ path: socket }));
    more.use(await listenOn(again, daemon.fetch, { signal }));
  });
  rmSync(upgrading, { force: true });
  // Whoever has started it stops listening to its standard error now: what a runtime says there must find somebody.
  if (background) sendErrorsTo(logFile);
  log.info("serving assistants", { socket: addressText(listener.address), processes: host.records.length });
  services.ready(`serving assistants on ${addressText(listener.address)}`);
  signal.addEventListener("abort", () => services.stopping("stopping the processes"), { once: true });
  using upgrade = listenForUpgrade();
  const idle = background ? daemon.untilIdle(idleMs, { signal }) : new AbortController().signal;
  const ended = AbortSignal.any([signal, upgrade.signal, idle, ground.lost]);
  await host.start(ended);
  lifetimes.begin();
  // Whoever looks at it goes on looking when the daemon is another one.
  if (config.web.always || existsSync(door)) {
    log.info("serving the console", { url: (await doorway.open()).url });
  }
  await new Promise<void>((resolve) => {
    if (ended.aborted) resolve();
    ended.addEventListener("abort", () => resolve(), { once: true });
  });
  if (ground.lost.aborted && !signal.aborted) return await leaveGround(ground, { host, daemon, log });
  if (!upgrade.signal.aborted || signal.aborted) {
    if (idle.aborted) log.info("nothing to do: ending");
    rmSync(door, { force: true });
    return 0;
  }
  log.info("becoming a newer daemon", { pid: Deno.pid });
  await daemon.leave();
  noteUpgrade(upgrading, log);
  return await becomeNewer(host, stack, { signal, services });
}

/** Clients that come meanwhile wait; on a full disk they find out by themselves. */
function noteUpgrade(file: string, log: Log): void {
  try {
    Deno.writeTextFileSync(file, `${Deno.pid} ${processStart(Deno.pid)}\n`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    log.warn(`Cannot write ${file}: ${error.message}`);
  }
}

/** Its state is not its own any more: processes that the next daemon cannot know end, all of them; others wait for it. */
async function leaveGround(
  { lost }: Ground,
  { host, daemon, log }: { readonly host: IchimiHost; readonly daemon: Daemon; readonly log: Log },
): Promise<number> {
  const { what, text } = lost.reason as Loss;
  log.error(`${text}: ending`);
  await daemon.leave();
  await (what === "state" ? host.supervisor.stop({ persistent: true }) : host.release());
  return 1;
}

function limitsOf({ processes }: IchimiConfig): LifetimeLimits {
  const { session_grace: sessionGraceMs, project_grace: projectGraceMs, keep: keepMs } = processes;
  return { sessionGraceMs, projectGraceMs, keepMs };
}

/** `sun_path` of unix(7), without its NUL. */
const SOCKET_PATH_BYTES = 107;

/** Nobody else has it: the state is this daemon's alone. */
function ownSocket(path: string, stack: AsyncDisposableStack, { lost }: Ground): Listener {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > SOCKET_PATH_BYTES) {
    throw new Error(
      `Cannot listen on ${path}: the path has ${bytes} bytes, that of a socket at most ${SOCKET_PATH_BYTES}; ` +
        "set XDG_STATE_HOME to a shorter one",
    );
  }
  const listener = stack.use(openListener({ path }));
  // By now it may be that of another daemon.
  stack.defer(() => lost.aborted ? undefined : rmSync(path, { force: true }));
  return listener;
}
