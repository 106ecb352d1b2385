/**
 * Asking an agent: where it is (`address.ts`), an HTTP client with named limits on connections that are kept
 * (`client.ts`), when to ask (`ticks.ts`), and what processes of this host used by its count (`usage.ts`). The recorder, the
 * live viewer and `status` ask through it; what another answer means is left to them. Telling it of a tool's own metrics and
 * events: `push.ts`.
 * @module
 */
export { AGENT_PORT, type AgentAddress, formatAgentAddress, parseAgentAddress } from "./address.ts";
export { AgentClient, type ClientLimits, explained, StatusError } from "./client.ts";
export { AGENT_PUSH_SOCKET, AgentPush, type AgentPushOptions, type PushedRow, tellAgent } from "./push.ts";
export { checkInterval, MIN_INTERVAL_MS, nextTickMs, sleepUntil, untilNextTick } from "./ticks.ts";
export {
  AgentUsage,
  countedRatio,
  type CountedUsage,
  isOfThisHost,
  type KernelView,
  kernelView,
} from "./usage.ts";
