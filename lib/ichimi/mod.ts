/**
 * Processes for assistants: described, started, watched and stopped over MCP by any number of clients of one user, and
 * ended with a client, with the last one of its project, or never.
 *
 * Reading order: `record.ts`, `policy.ts` and `allow.ts` (what may be run), `state.ts`, `standing.ts` and `list_filter.ts` (what became of it),
 * `template.ts`, `shelf.ts` and `habits.ts` (what is kept beside), `specs.ts` (what it is to the supervisor), `snapshots/`
 * and `exchange.ts` (what goes into files and comes back), `store.ts` (what is kept), `catalogue.ts` (what there is),
 * `host.ts` (all of them), `client.ts` and `connection.ts` (who asks, and how they reach the daemon),
 * `lifetimes.ts` and `absences.ts` (what ends with whom, and is forgotten), `tools/` (what assistants can do),
 * `daemon.ts` (what is served on the user's socket) with `idle.ts` (until nobody needs it), `ground.ts` (whether that is still there), `door.ts` and `doorway.ts` (and on
 * loopback, with a token), `timeline.ts` and `usage_history.ts` (what is looked back at),
 * `rest/` and `console.ts` (what programs and people of this user are served there). Logs and the
 * tools that read them are those of `lib/services`; supervision, keepers and the protocol belong to others.
 * @module
 */
export type { Client } from "./client.ts";
export { type Allowed, type AllowRule, lineOf, verdict } from "./allow.ts";
export { AllowList, NotAllowed, type Startable } from "./allow_list.ts";
export { allowRulesOf, ICHIMI_CONFIG, type IchimiConfig, policyOf } from "./config.ts";
export { CI_URI, type CiChange, ciResources, CiWatch, type CiWatchOptions } from "./ci_watch.ts";
export { Daemon, type DaemonOptions, ichimiRoutes } from "./daemon.ts";
export { door, type DoorOptions, type Mounted } from "./door.ts";
export { Ground, type Loss } from "./ground.ts";
export { consolePage } from "./console.ts";
export { type RestContext, restRoutes } from "./rest/mod.ts";
export { Timeline, type TimelineEvent } from "./timeline.ts";
export { UsageHistory, type UsagePoint } from "./usage_history.ts";
export { Doorway, type DoorwayOptions, type OpenDoor } from "./doorway.ts";
export { snapshotOf, snapshotPath, type Taken, type TakeOptions, takeSnapshot } from "./exchange.ts";
export * from "./snapshots/mod.ts";
export { type Hello, parseHello } from "./hello.ts";
export { type HostOptions, IchimiHost, type StartOptions } from "./host.ts";
export type { NewProcess } from "./catalogue.ts";
export { type LifetimeLimits, Lifetimes } from "./lifetimes.ts";
export { type ListFilter } from "./list_filter.ts";
export { namePattern } from "./pattern.ts";
export { type Found, LOADER_VARIABLES, type Policy, refusal, SYSTEM_FOLDERS } from "./policy.ts";
export { idProblem, type Lifetime, type ProcessRecord, type RecordChanges } from "./record.ts";
export { type Clip, Shelf } from "./shelf.ts";
export { filled, type Template, TemplateError } from "./template.ts";
export { type Suggestion, suggestionsAfter, suggestionsText } from "./habits.ts";
export { type Outcome, type ProcessState, type Standing } from "./state.ts";
export { Store, STORE_FORMAT } from "./store.ts";
export { DEFAULT_TOOLSETS, ichimiTools, TOOLSET_NAMES } from "./tools/mod.ts";
export { ichimiService, ichimiSocket, type IchimiUnitOptions, isIchimiUnit } from "./unit.ts";
