/** `read_logs`: what some or all processes have said since a cursor, in order of time. @module */
import type { LogEntry } from "../../keeper/mod.ts";
import { array, defineTool, integer, number, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { plainText } from "../../tui/plain_text.ts";
import { digest, digestText, type LogLine } from "../digest.ts";
import { readEntries } from "../log_lines.ts";
import type { ServiceHost } from "../host.ts";
import type { Place } from "../../supervisor/mod.ts";
import { orToolError, type ToolMaker } from "./tool.ts";

const DEFAULT_TOKENS = 2_000;
const MOST_TOKENS = 100_000;

/** What was read of each process: the number of its run, where in its log, and when the run was begun, 0 where nobody knows. */
type Cursor = ReadonlyMap<string, readonly [run: number, position: string, begunMs: number]>;

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
      // Of what is not there any more nobody reads on.
      const kept = [...from].filter(([name]) => host.supervisor.services.has(name));
      const next = cursorText(new Map([...kept, ...found.cursor]));
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
  const cursor = new Map<string, readonly [number, string, number]>();
  const { mask } = host;
  for (const process of names) {
    const tell = (entry: LogEntry) => {
      // Colours cost room, and hide the word behind them from who looks for it.
      if (entry.kind === "line") {
        lines.push({ process, ...entry.line, text: mask(plainText(entry.line.text)) });
      }
      if (entry.kind !== "event") return;
      lines.push({ process, timeMs: entry.timeMs, stream: host.name, text: mask(entry.text) });
    };
    for (const { place, start } of unread(host.logs(process, "run"), from.get(process))) {
      const end = readOn(place.folder, tell, start);
      cursor.set(process, [place.number, String(end), bornMs(place)]);
    }
  }
  return { lines, cursor };
}

/** The runs that are to be read, and from where. Numbers begin anew with a process that was removed and made again. */
function unread(
  places: readonly Place[],
  seen: readonly [number, string, number] | undefined,
): { readonly place: Place; readonly start: bigint | "oldest" }[] {
  if (seen === undefined) return places.slice(-1).map((place) => ({ place, start: "oldest" }));
  const [number, position, begunMs] = seen;
  const last = places.find((place) => place.number === number);
  const isAnother = last === undefined
    ? (places.at(-1)?.number ?? number) < number
    : begunMs !== 0 && begunMs !== bornMs(last);
  if (isAnother) return places.map((place) => ({ place, start: "oldest" }));
  return places.filter((place) => place.number >= number)
    .map((place) => ({ place, start: place === last ? BigInt(position) : "oldest" }));
}

/** From the beginning, too, where the log does not reach to where it was read: it is another one. */
function readOn(folder: string, tell: (entry: LogEntry) => void, start: bigint | "oldest"): bigint {
  try {
    return readEntries(folder, tell, start);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return readEntries(folder, tell);
  }
}

/** Unlike `begunMsOf` always the same of one run; 0 where the file system does not tell it. */
function bornMs({ folder }: Place): number {
  return Deno.statSync(folder).birthtime?.getTime() ?? 0;
}

function cursorText(cursor: Cursor): string {
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(cursor))).toBase64();
}

function readCursor(text: string | undefined): Cursor {
  if (text === undefined) return new Map();
  try {
    const value = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text)));
    if (typeof value === "object" && value !== null && Object.values(value).every(isSeen)) {
      const entries = Object.entries(value as Record<string, [number, string, number?]>);
      return new Map(entries.map(([name, [run, position, begunMs = 0]]) => [name, [run, position, begunMs]]));
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ToolError(`Cannot read on: "${text.slice(0, 200)}" is no cursor of read_logs`);
}

function isSeen(value: unknown): value is [number, string, number?] {
  return Array.isArray(value) && Number.isInteger(value[0]) && /^\d{1,19}$/.test(String(value[1])) &&
    (value[2] === undefined || Number.isFinite(value[2]));
}
