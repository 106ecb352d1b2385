/** The daemon as a whole, and what the person has chosen in the console. @module */
import { array, integer, nullable, number, object, oneOf, string, type TypeOf } from "../../mcp/mod.ts";
import type { IchimiHost } from "../host.ts";
import { isOfOutcome } from "../list_filter.ts";
import { INFO } from "../tools/schemas.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { EVENT, SETTINGS } from "./shapes.ts";

const RECENT = 20;
const DEFAULTS: TypeOf<typeof SETTINGS> = {
  color_mode: "system",
  language: "system",
  auto_refresh: true,
  refresh_interval: 5_000,
};

const SERVER = object({
  status: oneOf(["running"]),
  version: string(),
  uptime_seconds: integer(),
  current_time: integer({ description: "Unix seconds" }),
});
const STATS = object({
  total: integer(),
  running: integer(),
  stopped: integer({ description: "Those that never ran are among them" }),
  failed: integer(),
  auto_start_enabled: integer(),
});

export function statusRoutes({ host, timeline, usage, version }: RestContext): Route[] {
  return [
    route({
      method: "get",
      path: "/status",
      id: "getStatus",
      tag: "daemon",
      summary: "Whether the daemon is well",
      answer: {
        status: 200,
        description: "It is",
        schema: object({
          status: oneOf(["running"]),
          version: string(),
          uptime_seconds: integer(),
          process_count: integer(),
        }),
      },
      run: () => ({
        status: "running",
        version,
        uptime_seconds: host.uptimeSeconds,
        process_count: host.records.length,
      }),
    }),
    route({
      method: "get",
      path: "/dashboard",
      id: "getDashboard",
      tag: "daemon",
      summary: "Everything at a glance",
      answer: {
        status: 200,
        description: "The state of things",
        schema: object({
          server: SERVER,
          stats: STATS,
          processes: array(INFO),
          recent_events: array(EVENT),
          system_metrics: object({
            cpu_usage: nullable(number({ description: "Percent of all cores" })),
            memory_usage: number({ description: "Percent" }),
            process_manager_memory: integer({ description: "Bytes" }),
          }),
        }),
      },
      run: () => ({
        server: serverOf(host, version),
        stats: statsOf(host),
        processes: host.list(),
        recent_events: timeline.events({ limit: RECENT }),
        system_metrics: {
          cpu_usage: usage.points.at(-1)?.machine.cpu ?? null,
          memory_usage: usage.points.at(-1)?.machine.memory ?? 0,
          process_manager_memory: Deno.memoryUsage().rss,
        },
      }),
    }),
    route({
      method: "get",
      path: "/settings",
      id: "getSettings",
      tag: "settings",
      summary: "What the person has chosen in the console",
      answer: { status: 200, description: "All of it", schema: SETTINGS },
      run: () => settingsOf(host),
    }),
    route({
      method: "put",
      path: "/settings",
      id: "updateSettings",
      tag: "settings",
      summary: "Changes some or all of it",
      body: object(Object.fromEntries(
        Object.entries(SETTINGS.json.properties as Record<string, object>).map((
          [name, json],
        ) => [name, { json: json as Record<string, unknown>, optional: true }]),
      )),
      answer: { status: 200, description: "All of it, as it is now", schema: SETTINGS },
      run({ body }) {
        host.shelf.settings = { ...settingsOf(host), ...body };
        return settingsOf(host);
      },
    }),
  ];
}

/** All settings, those that nobody has chosen at their defaults. */
export function settingsOf(host: IchimiHost): TypeOf<typeof SETTINGS> {
  return { ...DEFAULTS, ...host.shelf.settings };
}

/** The daemon in a few words. */
function serverOf(host: IchimiHost, version: string): TypeOf<typeof SERVER> {
  const currentTime = Math.floor(Date.now() / 1_000);
  return { status: "running", version, uptime_seconds: host.uptimeSeconds, current_time: currentTime };
}

/** How many there are of which. */
function statsOf(host: IchimiHost): TypeOf<typeof STATS> {
  const stats = { total: 0, running: 0, stopped: 0, failed: 0, auto_start_enabled: 0 };
  for (const { id, autoStartOnRestore } of host.records) {
    const standing = host.standing(id);
    stats.total++;
    if (autoStartOnRestore) stats.auto_start_enabled++;
    if (standing.state.kind === "running") stats.running++;
    else if (isOfOutcome(standing, "not_clean")) stats.failed++;
    else stats.stopped++;
  }
  return stats;
}
