/**
 * Services for those that look at them and steer them, whoever describes them: their logs, what is known of them, and
 * the tools and resources of assistants.
 *
 * Reading order: `host.ts` (what runs them, which a surface extends), `facts.ts` (what is known of one),
 * `log_reader.ts`, `log_lines.ts`, `log_follower.ts`, `log_search.ts`, `log_find.ts`, `searcher.ts` and `digest.ts` (what
 * they say), `secrets.ts` (what of it is not shown), `usage.ts` (what they use), `service_marks.ts` (what happens to
 * them, for charts),
 * `resources.ts` and `tools/` (the MCP surface). How they are run is `lib/supervisor`'s; where their descriptions come
 * from belongs to `lib/bpm` and others.
 * @module
 */
export { tellEvents } from "./agent_events.ts";
export { type Digest, digest, type DigestLine, digestText, isTrouble, type LogLine } from "./digest.ts";
export { dependencyOf, dependencyText } from "./dependency.ts";
export {
  begunMsOf,
  factsText,
  type ProcessFacts,
  processFacts,
  startedMsOf,
  type SwapFacts,
} from "./facts.ts";
export { HostError, type HostProblem, type Mode, ServiceHost } from "./host.ts";
export { type FindQuery, type Found, type FoundLine, LineFind } from "./log_find.ts";
export {
  isCursor,
  type LogCursor,
  LogFollower,
  type PlacedLine,
  type RunPlace,
  type Told,
} from "./log_follower.ts";
export { firstEntry, lastLines, readEntries, shownLine } from "./log_lines.ts";
export type { LogPlace } from "./log_reader.ts";
export {
  compilePattern,
  instanceAt,
  InstanceError,
  type LogQuery,
  PatternError,
  searchLog,
  type Selection,
  selectionText,
} from "./log_search.ts";
export { serviceResources } from "./resources.ts";
export { Searcher } from "./searcher.ts";
export { maskerOf, parseEnvFile } from "./secrets.ts";
export { type ServiceMark, ServiceMarks } from "./service_marks.ts";
export { becomeNewer, listenForUpgrade, type Upgrade } from "./upgrade.ts";
export { type TreeUsage, treeUsage } from "../procfs/mod.ts";
export { ownCgroup, UsageRates } from "./usage.ts";
export * from "./tools/mod.ts";
