/** What of a process's settings makes no sense though each key by itself does. Pure. @module */
import { RESOURCE_NAMES } from "../keeper/mod.ts";
import { CONDITIONS, cronProblem } from "../supervisor/mod.ts";
import type { ProcessConfig } from "./config.ts";
import { compilePattern, dependencyOf, PatternError } from "../services/mod.ts";
import { hostAndPort, rlimitOf } from "./values.ts";

const RESTARTS: readonly string[] = ["always", "on-failure", "never"];
/** Names are parts of paths and of lines of text. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/;

/**
 * The first thing that is wrong, in words that follow the process's name; undefined when nothing is. Addresses and
 * probes that are still to be expanded are passed over: whoever expands them asks again.
 */
export function processProblem(name: string, process: ProcessConfig): string | undefined {
  for (const problem of problems(name, process)) return problem;
  return undefined;
}

function* problems(name: string, process: ProcessConfig): Generator<string> {
  const { type, command, depends_on, restart, umask, expand } = process;
  if (!NAME.test(name)) yield "has a name that is not up to 64 letters, digits, _ . @ and -";
  if (type !== "rust" && command.length === 0) yield `is of type "${type}" and has no "command"`;
  for (const [other, condition] of Object.entries(depends_on)) {
    if (dependencyOf(other, condition) === undefined) {
      const known = [...CONDITIONS.slice(0, -1), "log:REGEX"].join(", ");
      yield `depends on "${other}" being "${condition}", expected one of ${known}`;
    }
  }
  if (restart !== undefined && !RESTARTS.includes(restart)) {
    yield `has restart "${restart}", expected one of ${RESTARTS.join(", ")}`;
  }
  if (umask !== undefined && !/^[0-7]{1,4}$/.test(umask)) {
    yield `has umask "${umask}", expected up to four octal digits`;
  }
  yield* scheduleProblems(process.schedule);
  yield* watchProblems(process.watch);
  yield* limitProblems(process.rlimits);
  yield* listenProblems(process);
  for (const key of ["ready", "live"] as const) yield* probeProblems(key, process[key], expand);
}

function* scheduleProblems({ cron, every, time_zone }: ProcessConfig["schedule"]): Generator<string> {
  if (cron === undefined) return;
  if (every !== undefined) yield 'has both "cron" and "every" in its schedule, expected one';
  const problem = cronProblem(cron, time_zone);
  if (problem !== undefined) yield `has a schedule "${cron}" that cannot be read: ${problem}`;
}

function* watchProblems({ paths, ignore }: ProcessConfig["watch"]): Generator<string> {
  const outside = [...paths, ...ignore].find((path) => path.startsWith("/") || path.startsWith(".."));
  if (outside !== undefined) yield `watches "${outside}", expected a path inside the project`;
}

function* limitProblems(rlimits: ProcessConfig["rlimits"]): Generator<string> {
  for (const [name, limit] of Object.entries(rlimits)) {
    if (!(RESOURCE_NAMES as readonly string[]).includes(name)) {
      yield `limits "${name}", expected one of ${RESOURCE_NAMES.join(", ")}`;
    }
    if (rlimitOf(limit) === undefined) {
      yield `limits "${name}" to "${limit}", expected a number or "unlimited", or two of them as soft:hard`;
    }
  }
}

function* listenProblems({ listen, expand }: ProcessConfig): Generator<string> {
  if (listen === undefined || expand) return;
  const address = hostAndPort(listen);
  if (address === undefined) yield `has "${listen}" as "listen", expected HOST:PORT`;
  else if (!isNumeric(address.host)) {
    yield `has "${listen}" as "listen", expected a numeric address such as 127.0.0.1:8080`;
  }
}

function isNumeric(host: string): boolean {
  return host === "localhost" || host.includes(":") || /^[\d.]+$/.test(host);
}

function* probeProblems(
  key: string,
  { http, tcp, log, exec, notify }: ProcessConfig["ready"],
  expand: boolean,
): Generator<string> {
  const given = [http, tcp, log, exec.length > 0 || undefined, notify || undefined];
  if (given.filter((each) => each !== undefined).length > 1) {
    yield `has several of http, tcp, log, exec and notify in "${key}", expected one`;
  }
  if (expand) return;
  const wrong = log === undefined ? undefined : patternProblem(log);
  if (wrong !== undefined) yield `has "${log}" as "log" in "${key}", no regular expression: ${wrong}`;
  if (http !== undefined && !URL.canParse(http)) yield `has "${http}" as "http" in "${key}", expected a URL`;
  if (tcp !== undefined && hostAndPort(tcp) === undefined) {
    yield `has "${tcp}" as "tcp" in "${key}", expected HOST:PORT`;
  }
}

function patternProblem(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message.replace(/^[^:]*: /, "");
    throw error;
  }
}
