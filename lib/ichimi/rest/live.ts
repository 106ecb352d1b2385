/** Changes of processes, happenings and usage as they come, for all who watch. @module */
import { array, integer, object, optional, string, withDefault } from "../../mcp/mod.ts";
import type { TimelineEvent } from "../timeline.ts";
import { EVENTS_KEPT } from "../timeline.ts";
import type { UsagePoint } from "../usage_history.ts";
import { eventStream } from "./event_stream.ts";
import { liveProcess } from "./processes.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { EVENT, USAGE } from "./shapes.ts";

/** Changes that come close together go out together, each process once. */
const GATHER_MS = 150;

export function liveRoutes(context: RestContext): Route[] {
  const { timeline, usage } = context;
  return [
    route({
      method: "get",
      path: "/events",
      id: "streamEvents",
      tag: "events",
      summary:
        "As it comes: `processes` (all of them, first), `change` ({changed, removed, events}) and `usage` of those that run",
      answer: { status: 200, description: "Server-sent events", type: "text/event-stream" },
      run: () => stream(context),
    }),
    route({
      method: "get",
      path: "/timeline",
      id: "getTimeline",
      tag: "events",
      summary: "What has happened lately, also under daemons before this one, newest first",
      query: object({
        limit: withDefault(integer({ minimum: 1, maximum: EVENTS_KEPT }), 200),
        process: optional(string({ description: "Only what has happened to this one" })),
      }),
      answer: { status: 200, description: "Newest first", schema: array(EVENT) },
      run: ({ query: { limit, process } }) =>
        timeline.events({ limit, ...process === undefined ? {} : { process } }),
    }),
    route({
      method: "get",
      path: "/usage",
      id: "getUsage",
      tag: "events",
      summary: "CPU and memory of the last minutes",
      answer: { status: 200, description: "Columns over the same times", schema: USAGE },
      run: () => usageColumns(usage.points),
    }),
  ];
}

/** One list for each process, over the same times. */
function usageColumns(points: readonly UsagePoint[]) {
  const ids = new Set(points.flatMap(({ processes }) => [...processes.keys()]));
  const column = (id: string, what: "cpu" | "memory") =>
    points.map(({ processes }) => processes.get(id)?.[what] ?? null);
  return {
    times: points.map(({ timeMs }) => timeMs),
    machine: {
      cpu: points.map(({ machine }) => machine.cpu),
      memory: points.map(({ machine }) => machine.memory),
    },
    processes: Object.fromEntries(
      [...ids].map((id) => [id, { cpu: column(id, "cpu"), memory: column(id, "memory") }]),
    ),
  };
}

function stream({ host, lifetimes, timeline, usage }: RestContext): Response {
  return eventStream((sink) => {
    const changed = new Set<string>();
    let happened: TimelineEvent[] = [];
    let newest: UsagePoint | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      // Until the reader has taken what there was it is gathered.
      if (!sink.isReady) return;
      if (changed.size > 0 || happened.length > 0) {
        const [there, removed] = [[], []] as [string[], string[]];
        const known = new Set(host.records.map(({ id }) => id));
        for (const id of changed) (known.has(id) ? there : removed).push(id);
        sink.send("change", { changed: there.map((id) => liveProcess(host, id)), removed, events: happened });
        changed.clear();
        happened = [];
      }
      if (newest !== undefined) {
        const { timeMs, machine, processes } = newest;
        sink.send("usage", {
          time: timeMs,
          machine,
          processes: Object.fromEntries([...processes].map(([id, { cpu, memory }]) => [id, [cpu, memory]])),
          manager_memory: Deno.memoryUsage().rss,
          assistants: lifetimes.present.size,
        });
        newest = undefined;
      }
    };
    const soon = () => timer ??= setTimeout(flush, GATHER_MS);
    using stack = new DisposableStack();
    stack.defer(() => clearTimeout(timer));
    stack.defer(host.supervisor.listen((notice) => {
      if (notice.kind === "line" || notice.kind === "part") return;
      changed.add(notice.service);
      soon();
    }));
    stack.defer(host.listenForChanges((id) => {
      changed.add(id);
      soon();
    }));
    stack.defer(timeline.listen((event) => {
      happened.push(event);
      if (happened.length > EVENTS_KEPT) happened.shift();
      soon();
    }));
    stack.defer(usage.watch((point) => {
      newest = point;
      soon();
    }));
    sink.send("processes", {
      processes: host.records.map(({ id }) => liveProcess(host, id)),
      uptime_seconds: host.uptimeSeconds,
    });
    const owned = stack.move();
    return {
      more: () => {
        if (changed.size > 0 || happened.length > 0 || newest !== undefined) soon();
      },
      [Symbol.dispose]: () => owned.dispose(),
    };
  });
}
