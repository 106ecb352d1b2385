/** Format, lint and types of everything: what `deno task fmt`, `lint`, `check` and `test` call. @module */
import { ROOT } from "./paths.ts";
import { exists, filesBelow } from "./step.ts";
import { RUNTIME_FLAGS } from "./tools.ts";
import { webFeatures } from "./web.ts";

/** A command line of the tool chain, run in the checkout. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** C that is written by hand: shims, launcher, BPF programs. */
export function cFiles(): string[] {
  return ["ffi", "bpf"].flatMap((folder) => filesBelow(folder, /\.[ch]$/)).filter((file) =>
    file !== "bpf/vmlinux.h"
  );
}

/** Formats everything, or tells what is not formatted. */
export function formatCommands(options: { check: boolean }): CommandLine[] {
  const commands: CommandLine[] = [[
    Deno.execPath(),
    "fmt",
    "--quiet",
    ...(options.check ? ["--check"] : []),
  ]];
  if (exists("/usr/bin/clang-format")) {
    commands.push(["clang-format", ...(options.check ? ["--dry-run", "--Werror"] : ["-i"]), ...cFiles()]);
  }
  return commands;
}

export function lintCommands(): CommandLine[] {
  return [[Deno.execPath(), "lint", "--quiet"]];
}

/** Pages are checked in a call of their own, so that no other code knows a `document`. */
export function typeCommands(): CommandLine[] {
  const pages = webFeatures().map((feature) => `lib/${feature}/web/main.tsx`);
  const check: CommandLine = [Deno.execPath(), "check", "--quiet"];
  const modules = ["cmd", "lib", "ffi", "tests"].flatMap((folder) => filesBelow(folder, /\.ts$/))
    .filter((file) => !/^lib\/[^/]+\/web\//.test(file));
  return [[...check, ...modules], ...(pages.length > 0 ? [[...check, ...pages] as CommandLine] : [])];
}

/** A run of tests, with the native libraries open before the first. */
export function testCommand(...args: readonly string[]): CommandLine {
  // The runtime as the tools have it.
  const flags = RUNTIME_FLAGS.filter((each) => each.startsWith("--v8-flags="));
  const options = ["--allow-all", "--no-check", "--quiet", "--preload", "tests/libraries.ts", ...flags];
  return [Deno.execPath(), "test", ...options, ...args];
}

/** Runs one command in the checkout with its output shown; returns its exit code. */
export async function runShown(
  [program, ...args]: CommandLine,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: { ...env },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  const { code } = await child.spawn().status;
  return code;
}

/** Runs all, also after one that failed; returns 0 or 1. */
export async function runAll(commands: readonly CommandLine[]): Promise<number> {
  let failed = false;
  for (const command of commands) failed = await runShown(command) !== 0 || failed;
  return failed ? 1 : 0;
}
