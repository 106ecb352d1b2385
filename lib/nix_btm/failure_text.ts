/** How it is told that a build failed. Pure. @module */
import type { JobRow } from "./world.ts";
import { durationWord, plainText } from "../tui/mod.ts";

/** A failure in a few words; who tells it tells the name of what failed, too, and hashes elsewhere: `exit code 3`. */
export function failureText(text: string): string {
  return plainText(text).replace(/^Cannot build '[^']*'\.\s*Reason: /, "").split("\n")[0]!
    .replace(/^(?:builder for '[^']*'|(?:\d+ )?builder) /, "")
    .replace(/^failed (with|due to) /, "")
    .replace(/^hash mismatch\b.*$/, "hash mismatch")
    .replace(/^(\d+) dependenc(?:y|ies) of derivation '[^']*' failed.*$/, "$1 of its inputs failed")
    .replaceAll(/'\/[^']*\/[0-9a-z]{32}-([^']+)'/g, "$1");
}

/** The failure of a job in a few words; empty when it has not failed. */
export function briefFailure({ state }: Pick<JobRow, "state">): string {
  return state.kind === "failed" ? failureText(state.failure.text) : "";
}

/** The two hashes of a mismatch, a line each; none of other failures. */
export function hashLines({ state }: Pick<JobRow, "state">): string[] {
  if (state.kind !== "failed" || !("specified" in state.failure)) return [];
  return [`specified: ${state.failure.specified}`, `got:       ${state.failure.got}`];
}

/** `failed with exit code 3 after 12s in buildPhase on builder1`. */
export function failedText(job: Pick<JobRow, "state" | "startedMs" | "endedMs" | "phases" | "host">): string {
  const { startedMs, endedMs, phases, host } = job;
  const ranMs = startedMs === undefined || endedMs === undefined ? 0 : endedMs - startedMs;
  const phase = phases.at(-1)?.name;
  const text = briefFailure(job);
  return [
    /^(exit code|signal) /.test(text)
      ? `failed with ${text}`
      : text.startsWith("failed ")
      ? text
      : `failed: ${text}`,
    ranMs < 1_000 || text.startsWith("timed out after ") ? "" : ` after ${durationWord(ranMs)}`,
    phase === undefined ? "" : ` in ${phase}`,
    host === "" ? "" : ` on ${host}`,
  ].join("");
}
