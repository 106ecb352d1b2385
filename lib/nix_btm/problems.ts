/** What went wrong beside builds that failed: evaluation, caches, the command line. Pure. @module */
import type { Command, Problem } from "../nix/mod.ts";
import { plainText } from "../tui/mod.ts";
import type { JobRow } from "./world.ts";

/** Errors of commands that are not about a build of theirs that failed, each text once. */
export function errorsOf(commands: Iterable<Command>, jobs: Iterable<JobRow>): Problem[] {
  const failed = [...jobs].filter(({ state }) => state.kind === "failed");
  const names = failed.map(({ name }) => `${name}: `);
  const seen = new Set<string>();
  return [...commands].flatMap(({ problems }) => problems).filter(({ severity, text }) => {
    if (severity !== "error" || seen.has(text)) return false;
    seen.add(text);
    return !names.some((name) => text.startsWith(name)) && !(failed.length > 0 && CONSEQUENCE.test(text));
  });
}

/** What Nix says of those that could not begin. */
const CONSEQUENCE =
  /^(?:\d+ dependenc(?:y|ies) of derivation .* failed|build of .* failed$|some (?:substitutes|outputs))/;

/** Of an error with a trace what it comes to: Nix before 2.19 says that first, later ones at the end. */
export function errorLine(text: string): string {
  const lines = plainText(text).split("\n").map((line) => line.trim());
  const last = lines.findLast((line) => /^error: ./.test(line));
  return last?.slice("error: ".length) ?? lines.find((line) => line !== "") ?? "";
}
