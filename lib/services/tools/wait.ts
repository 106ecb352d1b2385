/** `wait`: until a process is in a state, says something, takes connections or has ended. @module */
import {
  boolean,
  defineTool,
  integer,
  number,
  object,
  oneOf,
  optional,
  string,
  ToolError,
} from "../../mcp/mod.ts";
import { ask, holds, type Service, STATE_KINDS } from "../../supervisor/mod.ts";
import { abortable, deadline, sleep } from "../../async/mod.ts";
import type { ServiceHost } from "../host.ts";
import type { LogCursor } from "../log_follower.ts";
import { tellProgress } from "./progress.ts";
import { orToolError, processName, TASK_AFTER_MS, type ToolMaker } from "./tool.ts";

const DEFAULT_SECONDS = 60;
/** Clients give up on calls after some minutes. */
const MOST_SECONDS = 600;
const PORT_EVERY_MS = 100;
/** A process that talks without end is looked at this often, but no more than a part of the time. */
const LINES_EVERY_MS = 100;
const LOOKS_SHARE = 4;

interface Asked {
  readonly state?: string;
  readonly pattern?: string;
  readonly port?: number;
  readonly exit?: boolean;
}

export const wait: ToolMaker = (host) =>
  defineTool({
    name: "wait",
    description:
      "Waits until one thing holds of a process: that it is ready when nothing else is asked, a state, a line that " +
      "matches (of its newest instance, also one that was said before or has not ended, such as a prompt), a port that takes connections, or its end. Answers at the latest after the timeout.",
    annotations: { readOnlyHint: true, openWorldHint: false },
    task: {
      afterMs: TASK_AFTER_MS,
      again: (input, elapsedMs) => {
        const leftSeconds = (input.timeout_seconds ?? DEFAULT_SECONDS) - elapsedMs / 1_000;
        return { ...input, timeout_seconds: Math.max(0, Math.round(leftSeconds)) };
      },
    },
    input: object({
      process: processName,
      state: optional(oneOf(STATE_KINDS)),
      pattern: optional(
        string({
          description:
            "Regular expression for the line itself, without colours and the [stderr] that answers show",
        }),
      ),
      port: optional(integer({ description: "On 127.0.0.1", minimum: 1, maximum: 65_535 })),
      exit: optional(boolean({ description: "Until it does not run any more" })),
      timeout_seconds: optional(
        number({ description: "60 by default", minimum: 0, maximum: MOST_SECONDS }),
      ),
    }),
    output: object({ met: boolean(), found: string(), state: string() }),
    async run({ process, timeout_seconds: seconds = DEFAULT_SECONDS, ...asked }, context) {
      const { signal } = context;
      const given = Object.values(asked).filter((each) => each !== undefined && each !== false);
      if (given.length > 1) {
        throw new ToolError("Cannot wait: give at most one of state, pattern, port and exit");
      }
      const service = await orToolError(() => host.service(process));
      using _ = tellProgress(host, process, context);
      using limit = deadline(seconds * 1_000, signal);
      using gone = untilGone(host, process);
      const found = await one(host, service, asked, AbortSignal.any([limit.signal, gone.signal]));
      signal.throwIfAborted();
      if (found === undefined && gone.signal.aborted) {
        throw new ToolError(`Cannot wait: process '${process}' was removed meanwhile`);
      }
      const state = service.state.kind;
      const met = found !== undefined;
      const text = met ? found : `Not within ${seconds} s; process '${process}' is ${state}`;
      return { text, structured: { met, found: found ?? "", state } };
    },
  });

/** Fires when nothing can come of a process any more: it is none. */
function untilGone(host: ServiceHost, process: string): Disposable & { readonly signal: AbortSignal } {
  const gone = new AbortController();
  const stopListening = host.supervisor.listen((notice) => {
    if (notice.kind === "went" && notice.service === process) gone.abort();
  });
  return { signal: gone.signal, [Symbol.dispose]: stopListening };
}

/** What was found; undefined when the signal fires first. */
async function one(
  host: ServiceHost,
  service: Service,
  { state, pattern, port, exit }: Asked,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name } = service.spec;
  if (pattern !== undefined) return await aLine(host, service, pattern, signal);
  if (port !== undefined) return await aPort(port, signal);
  const isThere = (each: Service) => {
    if (state !== undefined) return each.state.kind === state;
    return exit === true ? each.is("idle", "finished", "backoff") : holds({ name, condition: "ready" }, each);
  };
  await host.supervisor.until(service, isThere, signal);
  return isThere(service) ? `Process '${name}' is ${service.state.kind}` : undefined;
}

/**
 * Looks whenever something was said, also of a line that has not ended; each look goes on where the one before was.
 * In the worker of searches, so that no pattern makes others wait.
 */
async function aLine(
  host: ServiceHost,
  { spec: { name } }: Service,
  pattern: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let cursor: LogCursor | undefined;
  using speech = listenTo(host, name);
  try {
    for (;;) {
      const said = speech.next();
      const beganMs = performance.now();
      const look = await orToolError(() => host.look(name, { pattern, cursor }, signal));
      if (look.line !== undefined) return look.line;
      cursor = look.cursor;
      const tookMs = performance.now() - beganMs;
      await abortable(said, signal);
      await sleep(Math.max(LINES_EVERY_MS, LOOKS_SHARE * tookMs), { signal });
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** `next` resolves when a process says something from then on. */
function listenTo(host: ServiceHost, process: string): Disposable & { readonly next: () => Promise<void> } {
  let said = Promise.withResolvers<void>();
  const stop = host.supervisor.listen((notice) => {
    const isSaid = notice.kind === "line" || notice.kind === "part";
    if (isSaid && notice.service === process && notice.of === "run") said.resolve();
  });
  return {
    next: () => {
      said = Promise.withResolvers<void>();
      return said.promise;
    },
    [Symbol.dispose]: stop,
  };
}

async function aPort(port: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    while (!(await ask({ kind: "tcp", host: "127.0.0.1", port }, signal))) {
      await sleep(PORT_EVERY_MS, { signal });
    }
    return `Port ${port} takes connections`;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
