/** `read_logs`: what some or all processes have said since a cursor, in order of time. @module */
import { array, defineTool, integer, number, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { digest, digestText, type LogLine } from "../digest.ts";
import { readEntries } from "../log_lines.ts";
import type { ServiceHost } from "../host.ts";
import { orToolError, type ToolMaker } from "./tool.ts";

const DEFAULT_TOKENS = 2_000;
const MOST_TOKENS = 100_000;

/** Number of the run and position in its log, by process. */
type Cursor = Record<string, readonly [run: number, position: string]>;

export const readLogs: ToolMaker = (host) =>
  defineTool({
    name: "read_logs",
    description:
      "Reads what processes have said since a cursor, merged by time, repeats folded; lines that tell of " +
      "trouble come first when there is little room. Without a cursor: the newest instance of each.",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({
      processes: optional(array(string(), { description: "Names; all by default" })),
      cursor: optional(string({ description: "What the last answer gave, to read on from there" })),
      max_tokens: optional(
        integer({ description: "Room for the answer, by default 2000", minimum: 50, maximum: MOST_TOKENS }),
      ),
    }),
    output: object({
      cursor: string(),
      omitted: integer(),
      lines: array(object({
        process: string(),
        timeMs: number(),
        stream: string({ description: "stdout, stderr, or the tool's name for its own words" }),
        text: string(),
        repeated: integer(),
      })),
    }),
    async run({ processes, cursor, max_tokens: maxTokens = DEFAULT_TOKENS }) {
      const names = processes ?? [...host.supervisor.services.keys()];
      const from = readCursor(cursor);
      const found = await orToolError(() => collect(host, names, from));
      const told = digest(found.lines, maxTokens);
      const next = btoa(JSON.stringify({ ...from, ...found.cursor }));
      return {
        text: `${digestText(told)}\ncursor: ${next}`,
        structured: { cursor: next, omitted: told.omitted, lines: [...told.lines] },
      };
    },
  });

function collect(
  host: ServiceHost,
  names: readonly string[],
  from: Cursor,
): { lines: LogLine[]; cursor: Cursor } {
  const lines: LogLine[] = [];
  const cursor: Cursor = {};
  const { mask } = host;
  for (const process of names) {
    const places = host.logs(process, "run");
    const [seenRun, seenPosition] = from[process] ?? [places.at(-1)?.number ?? 0, undefined];
    for (const { number: run, folder } of places.filter((place) => place.number >= seenRun)) {
      const start = run === seenRun && seenPosition !== undefined ? BigInt(seenPosition) : "oldest";
      const end = readEntries(folder, (entry) => {
        if (entry.kind === "line") {
          lines.push({ process, ...entry.line, text: mask(entry.line.text) });
        } else if (entry.kind === "event") {
          lines.push({ process, timeMs: entry.timeMs, stream: host.name, text: mask(entry.text) });
        }
      }, start);
      cursor[process] = [run, String(end)];
    }
  }
  return { lines, cursor };
}

function readCursor(text: string | undefined): Cursor {
  if (text === undefined) return {};
  try {
    const value = JSON.parse(atob(text));
    const isCursor = typeof value === "object" && value !== null && Object.values(value).every((each) => {
      return Array.isArray(each) && Number.isInteger(each[0]) && /^\d{1,19}$/.test(String(each[1]));
    });
    if (isCursor) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof DOMException)) throw error;
  }
  throw new ToolError(`Cannot read on: "${text}" is no cursor of read_logs`);
}
