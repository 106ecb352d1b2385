/** What processes say: the last of it, all that a pattern finds, and as it comes. @module */
import { array, integer, object, oneOf, optional, string, withDefault } from "../../mcp/mod.ts";
import type { Stream } from "../../keeper/mod.ts";
import { compilePattern, isCursor, type LogCursor, type RunPlace } from "../../services/mod.ts";
import { RestError } from "./errors.ts";
import { logStream, shownLine } from "./log_stream.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { LOG_MATCHES } from "./shapes.ts";

const LINES = 100;
const MOST_LINES = 100_000;
const tag = "logs";

const LINES_QUERY = withDefault(
  integer({ description: "The last so many", minimum: 0, maximum: MOST_LINES }),
  LINES,
);
const STREAM = optional(oneOf(["stdout", "stderr", "both"]));

export function logRoutes({ host }: RestContext): Route[] {
  return [
    route({
      method: "get",
      path: "/processes/{id}/logs",
      id: "getLogs",
      tag,
      summary: "The last lines of a process, in order of time",
      query: object({ stream: STREAM, lines: LINES_QUERY }),
      answer: { status: 200, description: "The lines", schema: array(string()) },
      failures: [404],
      run: ({ path, query }) =>
        host.output(path.id!, query.lines, only(query.stream)).map(({ text }) => host.mask(text)),
    }),
    route({
      method: "get",
      path: "/processes/{id}/logs/search",
      id: "searchLogs",
      tag,
      summary: "Lines of the newest run that a regular expression finds",
      query: object({
        pattern: string({ description: "In Rust's syntax, as search_logs has it" }),
        context: optional(integer({ description: "Lines around each", minimum: 0, maximum: 100 })),
        tail: withDefault(
          integer({ description: "The last so many of them", minimum: 1, maximum: MOST_LINES }),
          LINES,
        ),
      }),
      answer: { status: 200, description: "What was found", schema: object({ lines: array(string()) }) },
      failures: [404],
      async run({ path, query: { pattern, context = 0, tail }, signal }) {
        if (host.logs(path.id!, "run").length === 0) return { lines: [] };
        const { lines } = await host.search(
          path.id!,
          "run",
          { pattern, contextLines: context, tail },
          signal,
        );
        return { lines };
      },
    }),
    route({
      method: "get",
      path: "/processes/{id}/logs/matches",
      id: "findInLogs",
      tag,
      summary: "Lines that a regular expression finds before a line of the stream, and how many there are",
      query: object({
        pattern: string({ description: "In Rust's syntax; colours are no part of a line" }),
        before: string({ description: "Place of a line: what comes before it in all runs is searched" }),
        stream: STREAM,
        last: withDefault(
          integer({ description: "The last so many are told", minimum: 1, maximum: MOST_LINES }),
          LINES,
        ),
      }),
      answer: { status: 200, description: "What was found", schema: LOG_MATCHES },
      failures: [404],
      async run({ path, query: { pattern, before, stream, last }, signal }) {
        const { source } = compilePattern(pattern);
        const wanted = only(stream);
        const found = await host.find(path.id!, {
          pattern,
          before: placeOf(before),
          most: last,
          ...wanted === undefined ? {} : { stream: wanted },
        }, signal);
        const lines = found.lines.map(({ line, place, number }) => {
          return { ...shownLine(line, place), number };
        });
        return { matches: found.matches, searched: found.searched, lines, pattern: { source, flags: "" } };
      },
    }),
    route({
      method: "get",
      path: "/processes/{id}/logs/stream",
      id: "streamLogs",
      tag,
      summary:
        "Lines as they come: `lines` (an array of LogLine), `run` and `lost`, first `tail`, and `removed` at the end; " +
        "who comes back with Last-Event-ID goes on there",
      query: object({ stream: STREAM, lines: LINES_QUERY }),
      answer: { status: 200, description: "Server-sent events", type: "text/event-stream" },
      failures: [404],
      run: ({ path, query: { stream, lines }, request }) =>
        logStream(host, path.id!, { stream: only(stream), lines, from: cursorOf(request) }),
    }),
  ];
}

function only(stream: "stdout" | "stderr" | "both" | undefined): Stream | undefined {
  return stream === "both" ? undefined : stream;
}

/** Of who lost the connection: what this daemon, or one before, has sent last. */
function cursorOf({ headers }: Request): LogCursor | undefined {
  const id = headers.get("last-event-id");
  return id !== null && isCursor(id) ? id : undefined;
}

function placeOf(text: string): RunPlace {
  const [, run, end, nth] = /^(\d+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
  if (run === undefined) throw new RestError(400, `before: expected the place of a line, got ${text}`);
  return { run: Number(run), end: Number(end), nth: Number(nth) };
}
