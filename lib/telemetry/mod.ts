/**
 * Telemetry: what the agent samples, and how it answers.
 *
 * Reading order: `sampler.ts` (what a sampler is), `samplers/` (each subject), `columns.ts` (values under
 * construction), `bpf/` (objects, variants, readers of mapped arrays), `agent.ts`, `routes.ts`, `config.ts`,
 * `external/` (metrics and events that others push). Storing is `lib/recording`'s, asking `lib/promql`'s.
 * @module
 */
export { Agent, type AgentOptions, type AgentStatus, type SamplerStatus } from "./agent.ts";
export { AGENT_CONFIG, type AgentConfig, enabledSamplers } from "./config.ts";
export { ExternalServer, type ExternalServerOptions, type Protocol, Session } from "./external/server.ts";
export { ExternalStore, type StoreCounts, type StoreLimits } from "./external/store.ts";
export { type Message, parseMessage } from "./external/binary.ts";
export { parseLine } from "./external/line.ts";
export type { Pushed, PushedItem, PushedValue } from "./external/pushed.ts";
export { type Kernel, probeKernel } from "./kernel.ts";
export { Procfs } from "./procfs.ts";
export { agentRoutes, type AgentRoutesOptions } from "./routes.ts";
export { type Sampler, type SamplerEnv, type Sampling, type Unavailable, unavailable } from "./sampler.ts";
export { SAMPLERS } from "./samplers/mod.ts";
export { type SystemInfo, systemInfo } from "./systeminfo.ts";
