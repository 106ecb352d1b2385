/** `deno task setup [up|test]`: makes everything that the other tasks need. @module */
import { setUp } from "../../lib/build/setup.ts";

export async function run(args: string[]): Promise<number> {
  const profile = args[0] ?? "up";
  if (profile !== "up" && profile !== "test") {
    console.error(`setup: unknown profile "${profile}"; there are "up" and "test"`);
    return 2;
  }
  const started = performance.now();
  await setUp(profile, (line) => console.error(`setup: ${line}`));
  console.error(
    `setup: profile ${profile} is ready (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
  return 0;
}
