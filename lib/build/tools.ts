/** The tools of the house, and how the runtime is called for them. @module */
import { ROOT } from "./paths.ts";
import { exists } from "./step.ts";

/**
 * Small heaps, at no cost in CPU: an agent at 100 ms has 87 MiB. `--optimize-for-size` saves nothing beside it (87 MiB
 * too, 82 instead of 87 at 1 s), and costs a viewer's queries a quarter of their speed. A request's signal fires when
 * its client goes away, and not, as it once did, after every answer. Regular expressions of others run in V8's engine of
 * linear time, for which the flag `l` asks (see `lib/regex`): a thread that is lost in one cannot be ended. One that
 * backtracks over 50,000 times goes on there, too, but not all that it does counts: `(?:a?){60}a{60}$` is lost.
 */
export const RUNTIME_FLAGS: readonly string[] = [
  "--v8-flags=--max-semi-space-size=1,--enable-experimental-regexp-engine,--enable-experimental-regexp-engine-on-excessive-backtracks",
  "--unstable-no-legacy-abort",
];

/** Tools for users: each folder of `cmd/` with a `tool.json`, but for the project's own `dev`. */
export function toolNames(): string[] {
  const names = [...Deno.readDirSync(`${ROOT}cmd`)].map((entry) => entry.name);
  return names.filter((name) => name !== "dev" && exists(`${ROOT}cmd/${name}/tool.json`)).sort();
}

/** The permission flags in `cmd/<tool>/tool.json`. */
export function toolPermissions(tool: string): string[] {
  const { permissions } = JSON.parse(Deno.readTextFileSync(`${ROOT}cmd/${tool}/tool.json`));
  return permissions;
}

/** What the launcher replaces by the folder into which the file was unpacked; the same word is in `launcher.c`. */
const READ_OWN_FILES = "--allow-read={entry}";

/**
 * Arguments of the runtime in a packed file, up to the bundle: nothing around the file has a say. A tool that reads no
 * files still reads its own code, which is loaded when it is needed.
 */
export function packedArguments(tool: string): string[] {
  // A code cache saves no measurable time on so little code, and costs a running agent 8 MiB.
  const alone = ["--no-code-cache", "--no-config", "--no-lock", "--cached-only", "--no-prompt", "--quiet"];
  const permissions = toolPermissions(tool);
  const own = permissions.includes("--allow-read") ? [] : [READ_OWN_FILES];
  return ["run", ...alone, ...permissions, ...own, ...RUNTIME_FLAGS];
}
