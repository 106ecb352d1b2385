/** Processes: listed, described, started, stopped and removed, as upstream's routes do. @module */
import { array, boolean, integer, object, oneOf, optional, string } from "../../mcp/mod.ts";
import type { IchimiHost, StartOptions } from "../host.ts";
import { changesOf } from "../record.ts";
import { OUTCOME_FILTERS, type StateFilter } from "../list_filter.ts";
import { INFO, maybe, STATUS } from "../tools/schemas.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { CHANGES, DONE, NEW_PROCESS } from "./shapes.ts";

const GRACE_MS = 5_000;
const LONGEST_GRACE_MS = 600_000;
/** Upstream's words; another one is refused, where upstream takes it for all. */
const FILTERS: Readonly<Record<string, StateFilter>> = {
  running: "Running",
  stopped: "Stopped",
  failed: "Failed",
  all: "All",
};
const tag = "processes";

export function processRoutes({ host, lifetimes }: RestContext): Route[] {
  return [
    route({
      method: "get",
      path: "/processes",
      id: "listProcesses",
      tag,
      summary: "All processes, or some of them",
      query: object({
        state: optional(oneOf(Object.keys(FILTERS))),
        outcome: optional(oneOf(OUTCOME_FILTERS, { description: "How it ended last" })),
        name_pattern: optional(
          string({ description: "Part of the id or the command; with * or ? a pattern for all of it" }),
        ),
      }),
      answer: { status: 200, description: "In the order in which they were made", schema: array(INFO) },
      run: ({ query: { state = "all", outcome, name_pattern } }) =>
        host.list({ state: FILTERS[state]!, outcome, name_pattern }),
    }),
    route({
      method: "post",
      path: "/processes",
      id: "createProcess",
      tag,
      summary: "Describes a process, and starts it where that is asked for",
      body: NEW_PROCESS,
      answer: { status: 201, description: "It is there", schema: DONE },
      failures: [409, 422],
      async run({ body: { id, command, auto_start_on_create: startNow, ...rest }, signal }) {
        const described = { id, command, lifetime: "persistent", ...changesOf(rest) } as const;
        if (startNow !== true) await host.create(described);
        else await host.createAndStart(described, { client: undefined, signal });
        return { message: `Process '${id}' created successfully` };
      },
    }),
    route({
      method: "get",
      path: "/processes/{id}",
      id: "getProcess",
      tag,
      summary: "One process, and what it uses",
      answer: { status: 200, description: "The process", schema: STATUS },
      failures: [404],
      run: ({ path }) => host.status(path.id!),
    }),
    route({
      method: "put",
      path: "/processes/{id}",
      id: "updateProcess",
      tag,
      summary: "Changes how a process is described; what runs of it does so until its next start",
      body: CHANGES,
      answer: { status: 200, description: "The process as it is now", schema: INFO },
      failures: [404, 409, 422],
      async run({ path, body }) {
        await host.update(path.id!, changesOf(body));
        return host.info(path.id!);
      },
    }),
    route({
      method: "delete",
      path: "/processes/{id}",
      id: "removeProcess",
      tag,
      summary: "Stops a process if it runs, and forgets it and its logs",
      answer: { status: 204, description: "It is gone" },
      failures: [404, 409],
      run: ({ path, signal }) => host.remove(path.id!, signal),
    }),
    route({
      method: "post",
      path: "/processes/{id}/start",
      id: "startProcess",
      tag,
      summary: "Starts a process",
      body: object({ allow: ALLOW }),
      bodyIsOptional: true,
      answer: { status: 200, description: "It runs", schema: object({ message: string(), pid: integer() }) },
      failures: [404, 409, 422],
      async run({ path, body, signal }) {
        const id = path.id!;
        const pid = await host.startProcess(id, startOptions(id, body.allow, signal));
        return { message: `Process '${id}' started with PID ${pid}`, pid };
      },
    }),
    route({
      method: "post",
      path: "/processes/{id}/stop",
      id: "stopProcess",
      tag,
      summary: "Stops a process and all that it has started",
      body: object({ grace_period_ms: GRACE }),
      bodyIsOptional: true,
      answer: { status: 204, description: "Nothing of it is left" },
      failures: [404, 409],
      run: ({ path, body, signal }) => host.stopProcess(path.id!, body.grace_period_ms ?? GRACE_MS, signal),
    }),
    route({
      method: "post",
      path: "/processes/{id}/restart",
      id: "restartProcess",
      tag,
      summary: "Stops a process if it runs, and starts it",
      body: object({ grace_period_ms: GRACE, allow: ALLOW }),
      bodyIsOptional: true,
      answer: { status: 200, description: "It runs", schema: object({ message: string(), pid: integer() }) },
      failures: [404, 409, 422],
      async run({ path, body, signal }) {
        const id = path.id!;
        const graceMs = body.grace_period_ms ?? GRACE_MS;
        const pid = await host.restartProcess(id, graceMs, startOptions(id, body.allow, signal));
        return { message: `Process '${id}' restarted with PID ${pid}`, pid };
      },
    }),
    route({
      method: "patch",
      path: "/processes/{id}/config",
      id: "updateProcessConfig",
      tag,
      summary: "Changes whether a process starts with the daemon",
      body: object({ auto_start_on_restore: maybe(boolean()) }),
      answer: { status: 200, description: "The process as it is now", schema: INFO },
      failures: [404, 409, 422],
      async run({ path, body }) {
        await host.update(path.id!, changesOf(body));
        return host.info(path.id!);
      },
    }),
  ];

  /**
   * With the environment of who started it last, or of somebody who works where it belongs.
   * @param isAllowed Whether a person has allowed what its project would have to ask for.
   */
  function startOptions(
    id: string,
    isAllowed: boolean | null | undefined,
    signal: AbortSignal,
  ): StartOptions {
    const record = host.record(id);
    const permitted = isAllowed === true ? host.allowed.refusal(record)?.question : undefined;
    const client = host.starter(id) ??
      [...lifetimes.present.values()].find(({ folder }) => folder === record.project);
    return { client, signal, permitted };
  }
}

const ALLOW = maybe(
  boolean({ description: "A person allows it this once, where the project's rules are to ask one" }),
);
const GRACE = maybe(
  integer({ description: "Until it is killed; 5000 by default", minimum: 0, maximum: LONGEST_GRACE_MS }),
);

/** A process as streams show it. */
export function liveProcess(host: IchimiHost, id: string) {
  const { state } = host.service(id);
  const next = host.supervisor.nextStartMs(id);
  return {
    info: host.info(id),
    phase: state.kind,
    ...next === undefined || state.kind !== "backoff" ? {} : { next_start: new Date(next).toISOString() },
  };
}
