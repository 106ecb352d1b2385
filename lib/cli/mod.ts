/**
 * Command lines: one command tree drives parser, help, completion scripts and manual pages.
 *
 * Reading order: `command.ts` (the tree), `parse.ts` (words to call), `help.ts`, `completion.ts`, `man.ts`, `run.ts`
 * (exit codes and signals), `temp_folder.ts` (what a command leaves nobody). Values are described with the keys of `lib/config`. The words themselves are told apart
 * by `node:util` parseArgs, which is part of the runtime and costs nothing at start.
 * @module
 */
export {
  type Call,
  type Command,
  command,
  type Completion,
  flagName,
  type Option,
  option,
} from "./command.ts";
export { parseWords, UsageError } from "./parse.ts";
export { helpText } from "./help.ts";
export { completionScript, type Shell, SHELLS } from "./completion.ts";
export { manPage } from "./man.ts";
export { makeFolder } from "./make_folder.ts";
export { stateHome } from "./state_home.ts";
export { print, runTool, type ToolInfo, withCommon } from "./run.ts";
export { TempFolder } from "./temp_folder.ts";
