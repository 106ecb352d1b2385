/** What a process is doing, in one word and one colour. @module */
import type { Live } from "./state.ts";
import type { Words } from "./words_en.ts";

export type Phase = keyof Words["phases"];
export type Tone = "good" | "busy" | "idle" | "bad";

/** States as the daemon's REST interface writes them. */
interface StateFields {
  readonly Running?: { readonly pid: number; readonly started_at: string };
  readonly Stopped?: { readonly exit_code: number | null; readonly stopped_at: string };
  readonly Failed?: { readonly error: string; readonly failed_at: string };
}

export function stateOf({ info }: Live): StateFields {
  return typeof info.state === "object" && info.state !== null ? info.state : {};
}

export function phaseOf(live: Live): Phase {
  const { phase, info } = live;
  if (phase === "stopping" || phase === "failing") return "stopping";
  if (phase === "backoff") return "waiting";
  const state = stateOf(live);
  if (state.Running !== undefined) return "running";
  if (phase === "starting" || phase === "building") return "starting";
  switch (info.outcome) {
    case "failed":
      return "failed";
    case "killed":
      return "killed";
    case "spawn_error":
      return "not_run";
    case "unknown":
      return "unknown";
    case "clean":
      return state.Stopped?.exit_code === 0 && info.detail === undefined ? "done" : "stopped";
    default:
      return state.Failed === undefined ? "not_started" : "unknown";
  }
}

const TONES: Readonly<Record<Phase, Tone>> = {
  not_started: "idle",
  starting: "busy",
  running: "good",
  stopping: "busy",
  waiting: "busy",
  done: "idle",
  stopped: "idle",
  failed: "bad",
  killed: "bad",
  not_run: "bad",
  unknown: "bad",
};

export function toneOf(phase: Phase): Tone {
  return TONES[phase];
}

/** Whether there is something to stop. */
export function isUp(live: Live): boolean {
  return ["starting", "running", "waiting", "stopping"].includes(phaseOf(live));
}

/** When it came to be as it is, in Unix milliseconds. */
export function sinceMs(live: Live): number | undefined {
  const { Running, Stopped, Failed } = stateOf(live);
  const time = Running?.started_at ?? Stopped?.stopped_at ?? Failed?.failed_at;
  return time === undefined ? undefined : Date.parse(time);
}

/** Which filter of the list shows it. */
export function groupOf(live: Live): "running" | "stopped" | "failed" {
  const tone = toneOf(phaseOf(live));
  return tone === "bad" ? "failed" : tone === "idle" ? "stopped" : "running";
}
