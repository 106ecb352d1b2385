/** What became of a process last, from what its instances left on disk. @module */
import { signalName } from "../../ffi/sys/mod.ts";
import { inspectInstance } from "../keeper/mod.ts";
import { begunMsOf, firstEntry } from "../services/mod.ts";
import { type Place, type Service, wasToEnd } from "../supervisor/mod.ts";
import { NEVER_STARTED, type Outcome, type Standing } from "./state.ts";

/** @param lastEvent What the supervisor said of it last: the reason, where its last start did not come about. */
export function standingOf(service: Service, lastEvent: string | undefined): Standing {
  const places = service.ledger.places("run").toReversed();
  for (const [at, place] of places.entries()) {
    const standing = standingIn(place);
    if (standing === undefined) continue;
    if (at === 0 || service.is("starting")) return standing;
    return notStarted(standing, refusalIn(places[0]!) ?? lastEvent);
  }
  const [newest] = places;
  if (newest === undefined || service.is("starting")) return NEVER_STARTED;
  return notStarted(NEVER_STARTED, refusalIn(newest) ?? lastEvent);
}

/** As upstream has it the state stays what it was before. */
function notStarted(before: Standing, detail = "it could not be started"): Standing {
  return { ...before, outcome: "spawn_error", detail };
}

/** Undefined where nothing ever ran. */
function standingIn(place: Place): Standing | undefined {
  const status = inspectInstance(place.folder);
  switch (status.kind) {
    case "running":
      return {
        state: { kind: "running", pid: status.pid, startedMs: begunMsOf(place) },
        outcome: null,
        detail: null,
      };
    case "exited": {
      const { code, signal, timeMs } = status.exit;
      if (signal === undefined && NOT_RUN.has(code) && refusalIn(place) !== undefined) return undefined;
      const exitCode = signal === undefined ? code : null;
      const name = signal === undefined ? null : signalName(signal);
      // Who ends as he was asked to ends well.
      const isGood = code === 0 || (wasToEnd(place) && (name === null || name === "SIGTERM"));
      const outcome: Outcome = isGood ? "clean" : name === null ? "failed" : "killed";
      return { state: { kind: "stopped", exitCode, stoppedMs: timeMs }, outcome, detail: name };
    }
    case "lost": {
      const error = "nobody knows how it ended: its keeper was killed";
      const failedMs = Deno.statSync(place.folder).mtime?.getTime() ?? begunMsOf(place);
      return { state: { kind: "failed", error, failedMs }, outcome: "unknown", detail: error };
    }
    case "unborn":
    case "void":
    case "unstarted":
    case "beginning":
      return undefined;
    default:
      return status satisfies never;
  }
}

/** Exit codes of a child that did not become the program, as of the shell's. */
const NOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/** Why a keeper could not run the program, in its words; undefined when it did. */
export function refusalIn({ folder }: Place): string | undefined {
  const first = firstEntry(folder);
  return first?.kind === "event" && REFUSED.test(first.text) ? first.text : undefined;
}

/** `child_ended` of ffi/keeper/life.c. */
const REFUSED = /^".*" cannot /s;
