/** `deno task fmt [--check]`: formats TypeScript, C and BPF programs. @module */
import { formatCommands, runAll } from "../../lib/build/checks.ts";

export function run(args: string[]): Promise<number> {
  const check = args.includes("--check");
  return runAll(formatCommands({ check }));
}
