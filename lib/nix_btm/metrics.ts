/** The daemon's own metrics, and what all of them mean: for Prometheus and for the telemetry agent. Pure. @module */
import type { PushedRow } from "../agent_client/mod.ts";
import { isOver } from "../nix/mod.ts";
import type { World } from "./world.ts";

/** Caches that are told; the first ones that gave something. */
const CACHES_TOLD = 32;

/** What each metric means, by name. */
export const NIX_METRICS_HELP: Readonly<Record<string, string>> = {
  nix_btm_commands: "Nix commands under way",
  nix_btm_builds_running: "Builds that run",
  nix_btm_builds_waiting: "Builds that are planned or wait",
  nix_btm_builds_ended: "Builds that are over, by how they ended",
  nix_btm_log_connections: "Logs of Nix that came in",
  nix_btm_log_refused: "Logs of Nix that were refused",
  nix_btm_log_bytes: "Bytes of Nix' logs",
  nix_btm_rows_dropped: "Rows that clients of the ring did not get, since one alone was too large for it",
  nix_btm_cache_bytes: "Bytes that a cache or store has given",
  nix_btm_cache_paths: "Store paths that a cache or store has given",
  nix_build_cpu_usage: "CPU time of a running build in nanoseconds",
  nix_build_memory: "Memory of a running build in bytes",
  nix_build_io_bytes: "Bytes that a running build moved from and to storage",
};

/** What a world's commands do now. */
export interface UnderWay {
  readonly commands: number;
  /** That run, and those that are planned or wait. */
  readonly builds: number;
  readonly waiting: number;
}

/** Counts it. */
export function underWay({ commands, jobs }: Pick<World, "commands" | "jobs">): UnderWay {
  const builds = [...jobs.values()].filter((job) => job.kind === "build" && !isOver(job));
  const running = builds.filter(({ state }) => state.kind === "running").length;
  return {
    commands: [...commands.values()].filter(({ state }) => state === "running").length,
    builds: running,
    waiting: builds.length - running,
  };
}

/** Counts of a daemon. */
export interface DaemonCounts extends UnderWay {
  /** By the kind of their last state. */
  readonly ended: ReadonlyMap<string, number>;
  readonly connections: number;
  readonly refused: number;
  readonly bytes: number;
  /** Rows that the ring could not take. */
  readonly dropped: number;
}

/** Values of the daemon and of the caches that it knows. */
export function daemonRows(counts: DaemonCounts, { caches }: Pick<World, "caches">): PushedRow[] {
  const row = (name: string, type: PushedRow["type"], value: number, labels?: PushedRow["labels"]) => ({
    name: `nix_btm_${name}`,
    type,
    value,
    ...(labels === undefined ? {} : { labels }),
  });
  return [
    row("commands", "gauge", counts.commands),
    row("builds_running", "gauge", counts.builds),
    row("builds_waiting", "gauge", counts.waiting),
    ...[...counts.ended].map(([outcome, count]) => row("builds_ended", "counter", count, { outcome })),
    row("log_connections", "counter", counts.connections),
    row("log_refused", "counter", counts.refused),
    row("log_bytes", "counter", counts.bytes),
    row("rows_dropped", "counter", counts.dropped),
    ...[...caches.values()].slice(0, CACHES_TOLD).flatMap(({ store, paths, bytes }) => [
      row("cache_paths", "counter", paths, { cache: store }),
      row("cache_bytes", "counter", bytes, { cache: store }),
    ]),
  ];
}

/** In the format of Prometheus; rows of one name stand together. */
export function prometheusText(rows: readonly PushedRow[], help: Readonly<Record<string, string>>): string {
  const names = new Map<string, PushedRow[]>();
  for (const row of rows) names.set(row.name, [...names.get(row.name) ?? [], row]);
  return [...names].map(([name, own]) => {
    const lines = own.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${Math.trunc(value)}\n`);
    return `# HELP ${name} ${help[name] ?? ""}\n# TYPE ${name} ${own[0]!.type}\n${lines.join("")}`;
  }).join("");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
  );
  return texts.length === 0 ? "" : `{${texts.join(",")}}`;
}
