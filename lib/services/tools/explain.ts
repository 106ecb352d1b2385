/** `explain`: why a process does not run, or ended last. @module */
import { defineTool, nullable, object, string } from "../../mcp/mod.ts";
import { signalName } from "../../../ffi/sys/mod.ts";
import { wasToEnd } from "../../supervisor/mod.ts";
import { inspectInstance } from "../../keeper/mod.ts";
import { lastShownLines } from "../log_lines.ts";
import type { ServiceHost } from "../host.ts";
import { durationText } from "../../tui/format.ts";
import { plainText } from "../../tui/plain_text.ts";
import { orToolError, processName, type ToolMaker } from "./tool.ts";

const LAST_LINES = 20;

export const explain: ToolMaker = (host) =>
  defineTool({
    name: "explain",
    description:
      "Tells how a process failed last: its exit, its last words, and those of its build when that failed",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: object({ process: processName }),
    output: object({ state: string(), failure: nullable(string()), lastWords: string() }),
    async run({ process }) {
      const service = await orToolError(() => host.service(process));
      const state = service.state.kind;
      const failed = lastFailure(host, process);
      const event = host.lastEvent(process);
      // What could not even be started has left nothing but the reason.
      const reason = event === undefined || !service.is("backoff", "finished", "failing")
        ? undefined
        : host.mask(event);
      const failure = failed?.what ?? reason ?? null;
      const nextMs = host.supervisor.nextStartMs(process);
      const next = nextMs === undefined ? "" : `; it starts in ${durationText(nextMs - Date.now())}`;
      const lines = [`Process '${process}' is ${state}${next}`];
      if (failed !== undefined) lines.push(failed.what);
      else if (reason === undefined) lines.push("No failure is kept");
      if (event !== undefined) lines.push(`${host.name}: ${host.mask(event)}`);
      if (failed !== undefined) lines.push("", failed.words || "(it said nothing)");
      return { text: lines.join("\n"), structured: { state, failure, lastWords: failed?.words ?? "" } };
    },
  });

/** The newest run or build that ended by itself and not well. */
function lastFailure(
  host: ServiceHost,
  process: string,
): { readonly what: string; readonly words: string } | undefined {
  const places = [...host.logs(process, "build"), ...host.logs(process, "run")];
  const failures = places.flatMap((place) => {
    const status = inspectInstance(place.folder);
    if (status.kind === "lost") {
      return [{
        place,
        timeMs: Deno.statSync(place.folder).mtime?.getTime() ?? 0,
        how: "exit unknown, its keeper was killed",
      }];
    }
    if (status.kind !== "exited" || wasToEnd(place)) return [];
    const { code, signal, timeMs } = status.exit;
    if (place.kind === "build" && code === 0) return [];
    return [{ place, timeMs, how: signal === undefined ? `exit code ${code}` : signalName(signal) }];
  });
  const last = failures.sort((a, b) => a.timeMs - b.timeMs).at(-1);
  if (last === undefined) return undefined;
  const { place: { kind, number, folder }, timeMs, how } = last;
  const index = host.logs(process, kind).findIndex((each) => each.number === number);
  const what = `Its ${kind} with log index ${index} ended at ${new Date(timeMs).toISOString()} with ${how}`;
  const words = lastShownLines(folder, kind, host, LAST_LINES).map((line) => host.mask(plainText(line)));
  return { what, words: words.join("\n") };
}
