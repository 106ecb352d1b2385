/** `agent.toml`: upstream's keys, with this agent's defaults. @module */
import {
  type ConfigOf,
  duration,
  type Entries,
  integer,
  optionalText,
  optionalToggle,
  type Table,
  table,
  text,
  toggle,
  words,
} from "../config/mod.ts";
import { AGENT_PUSH_SOCKET } from "../agent_client/mod.ts";
import { EVENT_LIMITS } from "../events/mod.ts";
import { VARIANTS } from "./bpf/variants.ts";
import type { Sampler } from "./sampler.ts";
import { SAMPLERS } from "./samplers/mod.ts";

/** Samplers of the original that this agent does not have: their sections are passed over with a warning. */
const FOREIGN_SAMPLERS = [
  "cpu_bandwidth",
  "cpu_branch",
  "cpu_dtlb",
  "cpu_frequency",
  "cpu_l3",
  "cpu_perf",
  "cpu_power",
  "cpu_tlb_flush",
  "drivehealth",
  "gpu_amd_pmu",
  "gpu_amd_smi",
  "gpu_apple",
  "gpu_nvidia",
  "network_ethtool",
  "network_interfaces",
  "tcp_receive",
  "tcp_retransmit",
];

function samplerTable({ name, summary, settings }: Sampler): Table {
  const entries: Entries = {
    enabled: optionalToggle({
      help: `Whether "${name}" samples; without this key [defaults] decides.`,
      example: true,
    }),
    ...settings,
  };
  return table(entries, { help: summary });
}

const HOUR_MS = 3_600_000;

export const AGENT_CONFIG = table({
  general: table({
    listen: text({
      help: "TCP address of the HTTP endpoints.",
      fallback: "127.0.0.1:4241",
    }),
    socket: optionalText({
      help: "Path of a unix socket that serves the same endpoints.",
      example: "/run/rezolus/agent.sock",
    }),
    ttl: duration({
      help: "Scrapes that come closer together than this get the same snapshot.",
      fallback: "10ms",
      minMs: 0,
      maxMs: HOUR_MS,
    }),
    btf_path: optionalText({
      help: "BTF of the running kernel, for kernels without /sys/kernel/btf/vmlinux.",
      example: "/usr/lib/btf/vmlinux.btf",
    }),
    avoid_hooks: words({
      help:
        "Ways of hooking the kernel's events that are passed over, for a kernel on which one misbehaves; /status shows those in use.",
      oneOf: VARIANTS,
    }),
    snapshot_format: text({
      help: "Format of /metrics/binary: v3 groups values that were read together, v2 is flat.",
      fallback: "v3",
      oneOf: ["v2", "v3"],
    }),
  }, { help: "The agent as a whole." }),
  scheduler: table({
    policy: text({
      help: "Scheduling policy of the agent; the real-time ones need privileges and are skipped without.",
      fallback: "round_robin",
      oneOf: ["normal", "round_robin", "fifo"],
    }),
    priority: integer({ help: "Priority under a real-time policy.", fallback: 15, min: 1, max: 99 }),
    niceness: integer({ help: "Niceness under the normal policy.", fallback: 0, min: -20, max: 19 }),
  }, { help: "How the kernel schedules the agent." }),
  log: table({
    level: text({
      help: "Least important level that is logged.",
      fallback: "info",
      oneOf: ["error", "warn", "info", "debug", "trace"],
    }),
  }, { help: "Log lines on standard error." }),
  external_metrics: table({
    enabled: toggle({ help: "Whether other programs may push metrics over a unix socket.", fallback: false }),
    socket_path: text({ help: "Path of that socket.", fallback: AGENT_PUSH_SOCKET }),
    protocol: text({
      help: "Which protocol connections speak; auto tells by the first bytes.",
      fallback: "auto",
      oneOf: ["auto", "binary", "line"],
    }),
    metric_ttl: duration({
      help: "A metric that is not pushed for so long is forgotten.",
      fallback: "60s",
      minMs: 1_000,
      maxMs: 24 * HOUR_MS,
    }),
    max_connections: integer({
      help: "Connections beyond are refused.",
      fallback: 1_000,
      min: 1,
      max: 100_000,
    }),
    max_metrics: integer({
      help: "Metrics of all connections together.",
      fallback: 100_000,
      min: 1,
      max: 10_000_000,
    }),
    max_metrics_per_connection: integer({
      help: "Metrics of one connection.",
      fallback: 10_000,
      min: 1,
      max: 10_000_000,
    }),
    max_events: integer({
      help: "Events of all connections together; the oldest goes for one more.",
      fallback: EVENT_LIMITS.events,
      min: 1,
      max: 100_000,
    }),
    event_ttl: duration({
      help: "An event is forgotten after so long.",
      fallback: "1h",
      minMs: 1_000,
      maxMs: 24 * HOUR_MS,
    }),
    socket_group: optionalText({
      help: "Group that owns the socket, by name or number.",
      example: "rezolus",
    }),
    socket_mode: integer({
      help: "Permission bits of the socket.",
      fallback: 0o770,
      min: 0,
      max: 0o777,
      octal: true,
    }),
  }, { help: "Metrics and events that other programs push." }),
  defaults: table({
    enabled: toggle({ help: "Whether samplers without a section of their own are on.", fallback: true }),
  }, { help: "What holds for samplers that do not say otherwise.", foreign: ["interval"] }),
  samplers: table(
    Object.fromEntries(SAMPLERS.map((sampler) => [sampler.name, samplerTable(sampler)])),
    { help: "One section per sampler.", foreign: FOREIGN_SAMPLERS },
  ),
}, { help: "Configuration of the Rezolus agent." });

export type AgentConfig = ConfigOf<typeof AGENT_CONFIG>;

/** Names of the samplers that a configuration switches on. */
export function enabledSamplers(config: AgentConfig): Set<string> {
  const sections = config.samplers as Readonly<Record<string, { readonly enabled: boolean | undefined }>>;
  return new Set(
    SAMPLERS.map(({ name }) => name).filter((name) => sections[name]?.enabled ?? config.defaults.enabled),
  );
}
