/** `deno task coverage [PATH…]`: runs tests and tells which lines none of them reached. @module */
import { runShown, testCommand } from "../../lib/build/checks.ts";
import { ROOT } from "../../lib/build/paths.ts";
import { setUp } from "../../lib/build/setup.ts";
import { exists } from "../../lib/build/step.ts";

const FOLDER = "coverage";

export async function run(args: string[]): Promise<number> {
  await setUp("test", (line) => console.error(`setup: ${line}`));
  if (exists(ROOT + FOLDER)) await Deno.remove(ROOT + FOLDER, { recursive: true });
  const paths = args.length > 0 ? args : ["tests"];
  const tested = await runShown(testCommand("--parallel", `--coverage=${FOLDER}`, ...paths));
  const shown = await runShown([Deno.execPath(), "coverage", "--include=/(lib|ffi|cmd)/", FOLDER]);
  return tested || shown;
}
