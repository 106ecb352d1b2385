/** What the tables of a process are to the supervisor. Pure. @module */
import { compilePattern, type Mode } from "../services/mod.ts";
import type {
  Limits,
  ListenSpec,
  Policy,
  Probe,
  Schedule,
  ServiceSpec,
  WatchSpec,
} from "../supervisor/mod.ts";
import type { BpmConfig, ProcessConfig } from "./config.ts";
import { hostAndPort, rlimitOf } from "./values.ts";

/** Upstream's factor between waits, which it rounds down to whole seconds. */
const BACKOFF = { factor: 1.5, stepMs: 1_000 };
/** Upstream never forgets a crash but by a restart that is asked for; a day later nobody would wait 300 s for it. */
const HEALTHY_AFTER_MS = 600_000;
const SEGMENT_BYTES = 256 * 1024;
const TERMINAL = { rows: 24, columns: 80 };

/** Whether it runs by the clock, and rests in between. */
export function isJob({ schedule: { cron, every } }: ProcessConfig): boolean {
  return cron !== undefined || every !== undefined;
}

/** How it is treated, by the project's settings and mode at the time of a decision. */
export function policyOf(
  config: ProcessConfig,
  { project, mode }: { readonly project: BpmConfig; readonly mode: Mode },
): Partial<Policy> {
  const { first, factor, max, jitter } = config.backoff;
  const isOwn = first !== undefined || factor !== undefined || max !== undefined;
  return {
    restart: (config.restart ?? (isJob(config) ? "never" : "always")) as Policy["restart"],
    backoff: {
      ...(isOwn ? { factor: factor ?? 2 } : BACKOFF),
      firstMs: first ?? project.release_crash_backoff_initial_seconds * 1_000,
      maxMs: max ?? project.release_crash_backoff_max_seconds * 1_000,
      ...(mode === "dev" && !isOwn ? { onceMs: project.dev_crash_wait_seconds * 1_000 } : {}),
      ...(jitter === undefined ? {} : { jitterRatio: jitter }),
    },
    healthyAfterMs: config.healthy_after ?? HEALTHY_AFTER_MS,
    ...(config.overlap === undefined ? {} : { overlap: config.overlap }),
    ...(config.max_failures === undefined ? {} : { maxFailures: config.max_failures }),
    ...(config.grace === undefined ? {} : { graceMs: config.grace }),
    ...(config.ready_within === undefined ? {} : { readyWithinMs: config.ready_within }),
  };
}

/** Where it listens. Replicas have one port after the other; `at` is which of them it is, from 0. */
export function listenOf(config: ProcessConfig, at: number): ListenSpec | undefined {
  if (config.listen === undefined) return undefined;
  const { protocol, swap, takes_sockets: takesSockets, takes_port: takesPort, drain: drainMs } = config;
  const wanted = swap === "auto" ? {} : { wanted: swap };
  const { host, port } = hostAndPort(config.listen)!;
  return { host, port: port + at, protocol, takesSockets, takesPort, drainMs, ...wanted };
}

/** Limits of its cgroups. */
export function limitsOf({ memory, cpus, processes }: ProcessConfig["limits"]): Limits {
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(processes === undefined ? {} : { processes }),
  };
}

/** When the clock starts it. */
export function scheduleOf(
  { cron, every, time_zone: timeZone, overlap }: ProcessConfig["schedule"],
): Schedule | undefined {
  if (every !== undefined) return { kind: "interval", everyMs: every, overlap };
  if (cron === undefined) return undefined;
  return { kind: "cron", expression: cron, overlap, ...timeZone === undefined ? {} : { timeZone } };
}

/** Which files restart it; paths begin at `folder`. */
export function watchOf(
  { paths, ignore, debounce, cascade }: ProcessConfig["watch"],
  folder: string,
): WatchSpec | undefined {
  if (paths.length === 0) return undefined;
  return { folder, globs: paths, ignore, cascade, ...debounce === undefined ? {} : { debounceMs: debounce } };
}

/** How it is asked whether it is ready, or well; programs that ask run where it does. */
export function probeOf(
  config: ProcessConfig["ready"],
  { cwd, env }: { readonly cwd: string; readonly env: () => Record<string, string> },
): Probe | undefined {
  const { http, tcp, log, exec, notify, every, within, failures } = config;
  const more = {
    ...(every === undefined ? {} : { everyMs: every }),
    ...(within === undefined ? {} : { withinMs: within }),
    ...(failures === undefined ? {} : { failures }),
  };
  if (http !== undefined) return { kind: "http", url: http, ...more };
  if (tcp !== undefined) return { kind: "tcp", ...hostAndPort(tcp)!, ...more };
  if (log !== undefined) return { kind: "log", pattern: compilePattern(log), ...more };
  const [program, ...args] = exec;
  if (program !== undefined) {
    return { kind: "exec", command: { cwd, env: env(), argv: [program, ...args] }, ...more };
  }
  return notify ? { kind: "notify", ...more } : undefined;
}

/** What its keeper does for it. */
export function keeperOf(config: ProcessConfig): NonNullable<ServiceSpec["keeper"]> {
  const { tty, stdin, when_full, rlimits, umask, nice } = config;
  return {
    stdin: tty ? TERMINAL : stdin ? "pipe" : "null",
    overflow: when_full,
    segmentBytes: SEGMENT_BYTES,
    rlimits: Object.fromEntries(Object.entries(rlimits).map(([key, text]) => [key, rlimitOf(text)!])),
    ...(umask === undefined ? {} : { umask: parseInt(umask, 8) }),
    ...(nice === undefined ? {} : { nice }),
  };
}

/** The same without what is undefined. */
export function given<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
