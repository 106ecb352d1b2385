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
import { deadline, sleep } from "../../async/mod.ts";
import type { ServiceHost } from "../host.ts";
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
      "matches (of its newest instance, also one that was said before), a port that takes connections, or its end. Answers at the latest after the timeout.",
    annotations: { readOnlyHint: true, openWorldHint: false },
    task: { afterMs: TASK_AFTER_MS },
    input: object({
      process: processName,
      state: optional(oneOf(STATE_KINDS)),
      pattern: optional(string({ description: "Regular expression for a line" })),
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

/** Looks with the search, which no pattern makes wait for ever, whenever something was said. */
async function aLine(
  host: ServiceHost,
  service: Service,
  pattern: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name } = service.spec;
  for (let tookMs = 0; !signal.aborted;) {
    const said = Promise.withResolvers<void>();
    const stopListening = host.supervisor.listen((notice) => {
      if (notice.kind === "line" && notice.service === name && notice.of === "run") said.resolve();
    });
    const onAbort = () => said.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (host.logs(name, "run").length > 0) {
        const beganMs = performance.now();
        const found = await orToolError(() => host.search(name, "run", { pattern, tail: 1 }, signal));
        tookMs = performance.now() - beganMs;
        if (found.lines.length > 0) return found.lines[0]!;
      }
      await said.promise;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      stopListening();
    }
    // Each look is at the whole log.
    await sleep(Math.max(LINES_EVERY_MS, LOOKS_SHARE * tookMs), { signal }).catch(() => "The loop ends.");
  }
  return undefined;
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
