/** `rezolus agent`: samples this host and answers over HTTP. @module */
import { defaults, loadConfig } from "../../lib/config/mod.ts";
import { command, option } from "../../lib/cli/mod.ts";
import { SystemError } from "../../ffi/errno.ts";
import { setNiceness, setScheduling } from "../../ffi/sys/mod.ts";
import { LEVELS, type Log, processLog } from "../../lib/log/mod.ts";
import { optionalText, text, toggle } from "../../lib/config/mod.ts";
import {
  Agent,
  AGENT_CONFIG,
  type AgentConfig,
  agentRoutes,
  ExternalServer,
  ExternalStore,
  probeKernel,
  Procfs,
  SAMPLERS,
  systemInfo,
} from "../../lib/telemetry/mod.ts";
import { VERSION } from "../../lib/version/mod.ts";
import {
  type Address,
  formatAddress,
  isLoopbackName,
  listen,
  parseAddress,
  type Server,
} from "../../lib/web/mod.ts";

export const agent = command({
  name: "agent",
  summary: "sample this host and serve the metrics",
  description:
    "Attaches BPF programs and reads kernel files as far as the kernel and its privileges allow; " +
    "/status says per program what works and why the rest does not. Without CONFIG the defaults hold.",
  positionals: [{
    name: "CONFIG",
    help: "agent.toml; upstream's file is read as it is",
    optional: true,
    complete: "file",
  }],
  options: {
    listen: option(
      optionalText({ help: "TCP address instead of [general] listen.", example: "127.0.0.1:4241" }),
      {
        value: "ADDRESS",
      },
    ),
    socket: option(
      optionalText({ help: "Unix socket instead of [general] socket.", example: "/run/rezolus.sock" }),
      {
        value: "PATH",
        complete: "file",
      },
    ),
    push: option(
      optionalText({
        help:
          "Takes pushed metrics and events on this unix socket, as [external_metrics] says with socket_path.",
        example: "/run/rezolus/external.sock",
      }),
      { value: "PATH", complete: "file" },
    ),
    logLevel: option(
      text({ help: "Least important level that is logged.", fallback: "", oneOf: ["", ...LEVELS] }),
      {
        value: "LEVEL",
        complete: LEVELS,
      },
    ),
    logJson: option(toggle({ help: "Logs JSON lines.", fallback: false })),
  },
  examples: [
    ["rezolus agent", "Sample with the defaults on 127.0.0.1:4241"],
    ["rezolus agent config/agent.toml", "With a configuration"],
  ],
  async run({ args: [file], options, signal }) {
    const { config, warnings } = file === undefined
      ? { config: defaults(AGENT_CONFIG), warnings: [] }
      : loadConfig(AGENT_CONFIG, file);
    const pushed = pushedConfig(config, options.push);
    const level = options.logLevel || config.log.level;
    const log = processLog({ level, json: options.logJson });
    for (const warning of warnings) log.warn(warning);

    schedule(config, log);
    const procfs = new Procfs();
    const { btf_path: btfPath, avoid_hooks: avoided } = config.general;
    const kernel = probeKernel(procfs, { avoided, ...btfPath === undefined ? {} : { btfPath } });
    await using stack = new AsyncDisposableStack();
    const external = externalStore(pushed);
    const groups = external === undefined ? {} : { external };
    using sampling = new Agent({ config, version: VERSION, procfs, kernel, log, ...groups });
    if (external !== undefined) stack.use(await startExternal(pushed, external, log));
    const wanted = addresses(config, options);
    const isOpen = (address: Address) => address.kind === "tcp" && !isLoopbackName(address.host);
    const routes = agentRoutes({
      agent: sampling,
      format: config.general.snapshot_format,
      systemInfo: () => systemInfo(procfs, Deno.build.arch),
      events: external?.events,
      guarded: !wanted.some(isOpen),
    });

    const running: Server[] = [];
    for (const address of wanted) {
      if (isOpen(address)) {
        log.warn("the endpoints can be read from other hosts: they have no token", {
          listen: formatAddress(address),
        });
      }
      const server = stack.use(await listen(address, routes.fetch, { signal }));
      running.push(server);
      log.info("listening", { address: formatAddress(server.address) });
    }
    await Promise.all(running.map((server) => server.finished));
    return 0;
  },
});

/** Pushed metrics must not take the names of our own. */
function externalStore(external: PushedConfig): ExternalStore | undefined {
  if (!external.enabled) return undefined;
  const reserved = new Set(SAMPLERS.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
  const events = { events: external.max_events, keepMs: external.event_ttl };
  return new ExternalStore(
    { maxMetrics: external.max_metrics, ttlMs: external.metric_ttl, reserved, events },
    Date.now(),
  );
}

type PushedConfig = Omit<AgentConfig["external_metrics"], "socket_path"> & { readonly socket_path: string };

/** What is taken of others, with the path that was given beside the configuration. */
function pushedConfig({ external_metrics: external }: AgentConfig, path: string | undefined): PushedConfig {
  return path === undefined ? external : { ...external, enabled: true, socket_path: path };
}

async function startExternal(
  external: PushedConfig,
  store: ExternalStore,
  log: Log,
): Promise<ExternalServer> {
  const gid = external.socket_group === undefined ? {} : { gid: groupId(external.socket_group) };
  const path = external.socket_path;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")) || ".", { recursive: true });
  const server = await ExternalServer.start({
    path,
    protocol: external.protocol,
    maxConnections: external.max_connections,
    maxMetricsPerConnection: external.max_metrics_per_connection,
    mode: external.socket_mode,
    store,
    log,
    now: () => performance.now(),
    ...gid,
  });
  log.info("taking pushed metrics", { socket: path });
  return server;
}

/** A group's number, from its number or its name in /etc/group. */
function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = Deno.readTextFileSync("/etc/group").split("\n").find((each) => each.startsWith(`${group}:`));
  if (line === undefined) {
    throw new Error(`Cannot set [external_metrics] socket_group: there is no group "${group}"`);
  }
  return Number(line.split(":")[2]);
}

/** Sampling in time matters more than the policy: without the right to it the agent goes on as it is. */
function schedule({ scheduler }: AgentConfig, log: Log): void {
  try {
    if (scheduler.policy === "normal") setNiceness(scheduler.niceness);
    else setScheduling({ policy: scheduler.policy, priority: scheduler.priority });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    log.warn(`scheduling stays as it is: ${error.message}`);
  }
}

function addresses(
  config: AgentConfig,
  options: { listen: string | undefined; socket: string | undefined },
): Address[] {
  const socket = options.socket ?? config.general.socket;
  const tcp = options.listen ?? config.general.listen;
  return [
    ...(tcp === "" ? [] : [parseAddress(tcp)]),
    ...(socket === undefined ? [] : [{ kind: "unix", path: socket } as const]),
  ];
}
