/** What may be started: the checks of upstream with upstream's words, each of which a setting can change. Pure. @module */
import type { ProcessRecord } from "./record.ts";

/** What is refused. */
export interface Policy {
  /** Refuses commands and arguments that look as if a shell were to expand them. */
  readonly refuseShellSyntax: boolean;
  /** Names of variables that must not be set, in any case. */
  readonly refuseEnv: readonly string[];
  /** Folders in which nothing is run, nor right below them. */
  readonly refuseFolders: readonly string[];
  /** Where processes may be run, and below; everywhere when there is none. */
  readonly folders: readonly string[];
}

/** Variables by which a program is made to load what it does not know. */
export const LOADER_VARIABLES = [
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "DYLD_INSERT_LIBRARIES",
  "DYLD_LIBRARY_PATH",
  "PATH",
];
export const SYSTEM_FOLDERS = ["/etc", "/sys", "/proc", "/dev", "/boot"];

/** In this order they are looked for, and the first is told. */
const SHELL_SYNTAX = ["&&", "||", ";", "|", "$(", "`", "\n", "\r", ">", "<"];
const BUT_TAB_AND_NEWLINE = /[^\P{Cc}\t\n]/u;
const BUT_WHITE_SPACE = /[^\P{Cc}\t\n\r]/u;

/** Where a folder lies, links resolved; or what is wrong with it. */
export type Found = { readonly path: string } | { readonly problem: "missing" | "no folder" };

/** Why a process may not be run, in upstream's words; undefined when it may. */
export function refusal(
  process: Pick<ProcessRecord, "command" | "args" | "env" | "cwd">,
  policy: Policy,
  find: (folder: string) => Found,
): string | undefined {
  return commandRefusal(process.command, policy) ?? argsRefusal(process.args, policy) ??
    envRefusal(process.env, policy) ??
    (process.cwd === null ? undefined : folderRefusal(process.cwd, policy, find));
}

function commandRefusal(command: string, { refuseShellSyntax }: Policy): string | undefined {
  if (command.trim() === "") return "Command cannot be empty";
  if (command.includes("\0")) return "Command contains control characters";
  if (!refuseShellSyntax) return undefined;
  const found = SHELL_SYNTAX.find((each) => command.includes(each));
  if (found !== undefined) return `Command contains potentially dangerous pattern: '${found}'`;
  if (command.includes("$") && !command.startsWith("$/")) {
    return "Command contains potential shell expansion: '$'";
  }
  return /[*?[]/.test(command) ? "Command contains wildcards which are not allowed" : undefined;
}

function argsRefusal(args: readonly string[], { refuseShellSyntax }: Policy): string | undefined {
  if (args.some((arg) => arg.includes("\0"))) return "Arguments contain control characters";
  if (!refuseShellSyntax) return undefined;
  for (const [at, arg] of args.entries()) {
    if (arg.trim() === "") return "Empty arguments are not allowed";
    if (BUT_WHITE_SPACE.test(arg)) return "Arguments contain control characters";
    // What follows `-c` is for a shell.
    const isScript = at > 0 && args[0] === "-c";
    if (!isScript && !arg.startsWith("-") && /[$`]/.test(arg)) {
      return `Argument contains shell expansion: '${arg}'`;
    }
  }
  return undefined;
}

function envRefusal(env: Readonly<Record<string, string>>, { refuseEnv }: Policy): string | undefined {
  const refused = new Set(refuseEnv.map((name) => name.toUpperCase()));
  for (const [name, value] of Object.entries(env)) {
    if (name === "") return "Environment variable key cannot be empty";
    if (/[=\0]/.test(name)) return `Environment variable key '${name}' is not a name`;
    if (refused.has(name.toUpperCase())) return `Setting '${name}' environment variable is not allowed`;
    if (BUT_TAB_AND_NEWLINE.test(value)) return `Environment variable '${name}' contains control characters`;
  }
  return undefined;
}

function folderRefusal(
  cwd: string,
  { refuseFolders, folders }: Policy,
  find: (folder: string) => Found,
): string | undefined {
  const found = find(cwd);
  if ("problem" in found) {
    return found.problem === "missing"
      ? `Working directory does not exist: ${cwd}`
      : `Working directory is not a directory: ${cwd}`;
  }
  const { path } = found;
  if (path === "/" && refuseFolders.length > 0) return "Access to root directory '/' is not allowed";
  const refused = refuseFolders.find((folder) => isBelow(path, folder, 1));
  if (refused !== undefined) return `Access to system directory '${refused}' is not allowed`;
  if (folders.length === 0 || folders.some((folder) => isBelow(path, folder))) return undefined;
  return folders.length === 2 && folders[1] === "/tmp"
    ? "Working directory must be within home directory or /tmp"
    : `Working directory must be within ${folders.join(", ")}`;
}

/** Whether a path is a folder or lies so many levels below it. */
function isBelow(path: string, folder: string, levels = Infinity): boolean {
  const root = folder.replace(/\/+$/, "");
  if (path === root) return true;
  return path.startsWith(`${root}/`) && path.slice(root.length + 1).split("/").length <= levels;
}
