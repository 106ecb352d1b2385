/** All that is known of a process now, as plain data: what `list` tells, and what its resource holds. @module */
import type { Place, Service } from "../supervisor/mod.ts";
import { dependencyText } from "./dependency.ts";
import type { ServiceHost } from "./host.ts";
import { durationText } from "../tui/format.ts";

/** One process. What is not known, or makes no sense in its state, is `null`. */
export interface ProcessFacts {
  readonly name: string;
  readonly state: Service["state"]["kind"];
  readonly ready: boolean;
  readonly pid: number | null;
  readonly uptimeMs: number | null;
  /** Until it is started next, after a crash or by its schedule. */
  readonly startsInMs: number | null;
  /** How often it was started again after it had ended by itself. */
  readonly restarts: number;
  /** Ends in a row. */
  readonly failures: number;
  readonly url: string | null;
  readonly swap: SwapFacts | null;
  /** Its input is a terminal. */
  readonly tty: boolean;
  /** How it ended last: a code, the number of a signal, or `unknown`. */
  readonly exit: string | null;
  readonly dependsOn: readonly { readonly name: string; readonly condition: string }[];
  /** Kept logs. */
  readonly instances: number;
  readonly builds: number;
}

/** How its socket is handed on from one instance to the next. */
export interface SwapFacts {
  /** `inherited`, `interposer`, `proxy` or `restart`. */
  readonly way: string;
  readonly reason: string;
  /** What the proxy has done, where there is one. */
  readonly proxied: {
    readonly requests: number;
    readonly retried: number;
    readonly refused: number;
    readonly cut: number;
  } | null;
}

/** @param nowMs Unix milliseconds. */
export function processFacts(host: ServiceHost, service: Service, nowMs: number): ProcessFacts {
  const { spec, state, restarts, current, ledger } = service;
  const { name, dependsOn = [], keeper } = spec;
  const status = current?.status();
  const startedMs = startedMsOf(service);
  const nextMs = host.supervisor.nextStartMs(name);
  return {
    name,
    state: state.kind,
    ready: service.is("running", "replacing"),
    pid: status?.kind === "running" ? status.pid : null,
    uptimeMs: startedMs === undefined ? null : Math.max(0, Math.round(nowMs - startedMs)),
    startsInMs: nextMs === undefined ? null : Math.max(0, Math.round(nextMs - nowMs)),
    restarts,
    failures: "failures" in state ? state.failures : 0,
    url: host.urlOf(name) ?? null,
    swap: swapOf(service),
    tty: typeof keeper?.stdin === "object",
    exit: exitOf(state),
    dependsOn: dependsOn.map((each) => ({ name: each.name, condition: dependencyText(each) })),
    instances: ledger.places("run").length,
    builds: ledger.places("build").length,
  };
}

/** Since when its process runs, Unix milliseconds; undefined when none does. */
export function startedMsOf({ current }: Service): number | undefined {
  return current === undefined ? undefined : begunMsOf(current.place);
}

/** When an instance was begun: its folder is made then. Unix milliseconds. */
export function begunMsOf({ folder }: Place): number {
  const { birthtime, mtime } = Deno.statSync(folder);
  return (birthtime ?? mtime ?? new Date(0)).getTime();
}

/** What there is to say of a process in a few words: `backoff (exit 3, starts in 23s)`. */
export function factsText({ state, pid, exit, startsInMs, url, swap }: ProcessFacts): string {
  const parts = [
    pid === null ? "" : `pid ${pid}`,
    exit === null ? "" : `exit ${exit}`,
    startsInMs === null ? "" : `starts in ${durationText(startsInMs)}`,
    url ?? "",
    swap === null ? "" : `swap by ${swap.way}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? state : `${state} (${parts.join(", ")})`;
}

function exitOf(state: Service["state"]): string | null {
  if (!("outcome" in state)) return null;
  const { outcome } = state;
  return outcome.kind === "lost" ? "unknown" : `${outcome.signal ?? outcome.code}`;
}

function swapOf({ front }: Service): SwapFacts | null {
  if (front === undefined) return null;
  const { rung: { kind: way, reason }, stats } = front;
  if (stats === undefined) return { way, reason, proxied: null };
  const { requests, retried, refused, cut } = stats;
  return { way, reason, proxied: { requests, retried, refused, cut } };
}
