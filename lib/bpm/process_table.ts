/** Processes as a table for people. Pure. @module */
import type { ProcessFacts } from "../services/mod.ts";
import { durationText, sizeText } from "../tui/format.ts";

/** A process with what it uses, where that is known. */
export type ProcessRow =
  & Pick<
    ProcessFacts,
    "name" | "state" | "ready" | "pid" | "uptimeMs" | "startsInMs" | "restarts" | "url" | "exit" | "swap"
  >
  & {
    /** Of one core. */
    readonly cpuRatio?: number | null | undefined;
    readonly memoryBytes?: number | undefined;
  };

const HEAD = ["NAME", "STATE", "PID", "CPU", "MEMORY", "UPTIME", "RESTARTS", "SWAP", "URL"];
/** Columns of numbers. */
const RIGHT = new Set([2, 3, 4, 5, 6]);
/** Only where a process has a socket that is handed on. */
const SWAP = HEAD.indexOf("SWAP");
const NONE = "-";

/** Its lines, the head first. */
export function processTable(rows: readonly ProcessRow[]): string[] {
  const hasSwap = rows.some(({ swap }) => swap !== null);
  const cells = [HEAD, ...rows.map(cellsOf)].map((row) => hasSwap ? row : row.toSpliced(SWAP, 1));
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  return cells.map((row) =>
    row.map((text, at) => RIGHT.has(at) ? text.padStart(widths[at]!) : text.padEnd(widths[at]!)).join("  ")
      .trimEnd()
  );
}

function cellsOf(row: ProcessRow): string[] {
  const { name, state, ready, pid, cpuRatio, memoryBytes, uptimeMs, startsInMs, restarts, url, exit, swap } =
    row;
  const how = exit === null ? "" : ` (exit ${exit})`;
  const next = startsInMs === null ? "" : `, in ${durationText(startsInMs)} again`;
  return [
    name,
    `${state}${state === "running" && !ready ? ", not ready" : ""}${how}${next}`,
    pid === null ? NONE : String(pid),
    cpuRatio === undefined || cpuRatio === null ? NONE : `${(100 * cpuRatio).toFixed(1)}%`,
    memoryBytes === undefined ? NONE : sizeText(memoryBytes),
    uptimeMs === null || pid === null ? NONE : durationText(uptimeMs),
    String(restarts),
    swap === null ? NONE : swap.way,
    url ?? NONE,
  ];
}
