/** Runs a tool: words to exit code. The one place that owns SIGINT and SIGTERM. @module */
import { plainText } from "../tui/plain_text.ts";
import { type Command, command } from "./command.ts";
import { completionScript, type Shell, SHELLS } from "./completion.ts";
import { helpText } from "./help.ts";
import { manPage } from "./man.ts";
import { names, parseWords, UsageError } from "./parse.ts";

/** What a tool tells of itself. */
export interface ToolInfo {
  readonly version: string;
  /** More lines of `--version`: commit, numbers of formats. */
  readonly details: readonly string[];
}

/** Exit codes: 0 done, 1 failed, 2 called wrongly, 130 and 143 ended by SIGINT and SIGTERM. */
const USAGE = 2;
const FAILED = 1;

/** Adds what every tool has: `completion SHELL` and `man`. */
export function withCommon(tool: Command, info: ToolInfo): Command {
  const completion = command({
    name: "completion",
    summary: "print a completion script for a shell",
    positionals: [{ name: "SHELL", help: SHELLS.join(", "), complete: SHELLS }],
    examples: [[`source <(${tool.name} completion bash)`, "Completion in this shell"]],
    run: ({ args: [shell] }) => {
      if (!SHELLS.includes(shell as Shell)) {
        throw new UsageError(`unknown shell "${shell}": ${SHELLS.join(", ")}`);
      }
      print(completionScript(full, shell as Shell));
      return Promise.resolve(0);
    },
  });
  const man = command({
    name: "man",
    summary: "print the manual page",
    examples: [[`${tool.name} man | man -l -`, "Read the manual"]],
    run: () => {
      print(manPage(full, info));
      return Promise.resolve(0);
    },
  });
  const full: Command = { ...tool, commands: [...tool.commands, completion, man] };
  return full;
}

/** Runs the tool on the words of the command line; returns the exit code. Errors are told on standard error. */
export async function runTool(tool: Command, info: ToolInfo, words: readonly string[]): Promise<number> {
  const full = withCommon(tool, info);
  const controller = new AbortController();
  let ended = 0;
  const stop = (code: number) => () => {
    ended = code;
    controller.abort(new DOMException("The tool was asked to end", "AbortError"));
  };
  const [interrupt, terminate] = [stop(130), stop(143)];
  let path: readonly Command[] = [full];
  try {
    const parsed = parseWords(full, words);
    path = parsed.path;
    const target = path.at(-1)!;
    if (parsed.wants === "version") {
      print(`${tool.name} ${info.version}\n${info.details.map((line) => `${line}\n`).join("")}`);
      return 0;
    }
    if (parsed.wants === "help" || target.run === undefined) {
      print(helpText(path, terminalOptions()));
      return 0;
    }
    if (Deno.env.get("HOSTKIT_SUPERVISED") !== undefined) await endWithParent();
    Deno.addSignalListener("SIGINT", interrupt);
    Deno.addSignalListener("SIGTERM", terminate);
    return await target.run({ ...parsed, signal: controller.signal });
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    if (controller.signal.aborted && (error === controller.signal.reason || isAbort(error))) return ended;
    complain(path, error);
    return error instanceof UsageError ? USAGE : FAILED;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", terminate);
  }
}

/** A supervisor that was killed leaves nothing behind: the kernel tells its children. */
async function endWithParent(): Promise<void> {
  const { setParentDeathSignal } = await import("../../ffi/sys/mod.ts");
  setParentDeathSignal("SIGTERM");
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Errors repeat words of files and of others, which a terminal is not to obey. */
function complain(path: readonly Command[], error: unknown): void {
  const message = plainText(error instanceof Error ? error.message : String(error));
  console.error(`${path[0]!.name}: ${message}`);
  if (error instanceof UsageError) console.error(`Try "${names(error.path ?? path)} --help".`);
  else if (Deno.env.get("HOSTKIT_TRACE") !== undefined && error instanceof Error) {
    console.error(plainText(error.stack ?? ""));
  }
}

function terminalOptions(): { colour: boolean; width?: number } {
  const terminal = Deno.stdout.isTerminal();
  return {
    colour: terminal && Deno.env.get("NO_COLOR") === undefined,
    ...(terminal ? { width: Deno.consoleSize().columns } : {}),
  };
}

/** Nobody reads standard output any more, as behind `| head`: whoever read it has seen enough, and nothing is wrong. */
export class OutputClosed extends Error {}

/** Writes all of a text to standard output. @throws {OutputClosed} Which ends a tool well. */
export function print(content: string): void {
  const bytes = new TextEncoder().encode(content);
  try {
    for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) {
      throw new OutputClosed("Standard output is closed", { cause });
    }
    throw cause;
  }
}
