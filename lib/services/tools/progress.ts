/** How far a call is that waits for a process: its phases, and what its build and it say meanwhile. @module */
import type { ToolContext } from "../../mcp/mod.ts";
import type { Notice } from "../../supervisor/mod.ts";
import type { ServiceHost } from "../host.ts";

/** Lines are told so far apart; of those between, none. Phases are always told. */
const LINE_EVERY_MS = 100;
/** A line's beginning, for a client that shows one. */
const LINE_CHARS = 200;

/** Tells the client of the call how far the process is, until disposed. Which step it is counts up; no end is known. */
export function tellProgress(
  host: ServiceHost,
  process: string,
  context: Pick<ToolContext, "progress">,
): Disposable {
  let step = 0;
  let lineMs = -Infinity;
  const { mask } = host;
  const names = new Set([process, ...host.namesOf(process)]);
  const stop = host.supervisor.listen((notice) => {
    if (!names.has(notice.service) || isUntold(notice)) return;
    if (notice.kind !== "state") {
      const nowMs = performance.now();
      if (nowMs - lineMs < LINE_EVERY_MS) return;
      lineMs = nowMs;
    }
    context.progress(++step, undefined, mask(messageOf(notice)));
  });
  return { [Symbol.dispose]: stop };
}

type Untold = Extract<Notice, { kind: "came" | "went" | "part" }>;

function isUntold(notice: Notice): notice is Untold {
  return notice.kind === "came" || notice.kind === "went" || notice.kind === "part";
}

function messageOf(notice: Exclude<Notice, Untold>): string {
  if (notice.kind !== "state") {
    const text = notice.kind === "line" ? notice.line.text : notice.text;
    return `${notice.of === "build" ? "[build]" : `[${notice.service}]`} ${text.slice(0, LINE_CHARS)}`;
  }
  const { state } = notice;
  return `${notice.service}: ${
    state.kind === "replacing" ? `${state.phase}, the one before still serves` : state.kind
  }`;
}
