/** `create_process`, `update_process` and `update_process_config`: how processes are described. @module */
import { array, boolean, defineTool, object, oneOf, optional, record, string } from "../../mcp/mod.ts";
import { orToolError } from "../../services/mod.ts";
import { changesOf, INPUTS, LIFETIMES, RESTARTS } from "../record.ts";
import { permission } from "./allowed.ts";
import { maybe } from "./schemas.ts";
import { processId, type ToolMaker } from "./tool.ts";

const ARGS = array(string(), { description: "Arguments, each by itself" });
const ENV = record(string(), { description: "Environment variables beside those of the client" });
const CWD = string({ description: "Working directory; by default that of the client" });
const AUTO_START = boolean({ description: "Start it whenever the daemon starts" });

/** What upstream has not. */
const BEYOND = {
  lifetime: maybe(oneOf(LIFETIMES, {
    description:
      "With whom it ends: this client's session, the last client of the project (the default), or nobody",
  })),
  restart: maybe(
    oneOf(RESTARTS, { description: "Whether it is started again when it ends; never by default" }),
  ),
  input: maybe(oneOf(INPUTS, { description: "Standard input: none (the default), a pipe, or a terminal" })),
  tags: maybe(array(string())),
};

export const createProcess: ToolMaker = ({ host, client }) =>
  defineTool({
    name: "create_process",
    description: "Create and register a new process",
    annotations: { destructiveHint: false, openWorldHint: false },
    input: object({
      id: processId,
      command: string({ description: "Program to run, without arguments" }),
      args: maybe(ARGS),
      env: maybe(ENV),
      cwd: maybe(CWD),
      auto_start_on_restore: maybe(AUTO_START),
      auto_start_on_create: maybe(boolean({ description: "Start it right now" })),
      ...BEYOND,
    }),
    output: object({ id: string() }),
    async run({ id, command, auto_start_on_create: startNow, ...rest }, context) {
      await orToolError(async () => {
        const changes = changesOf(rest);
        const isOfClient = changes.lifetime === "session";
        const project = client?.folder ?? null;
        const { args = [], env = {}, cwd = null } = changes;
        const startable = { id, command, args, env, project, cwd };
        const permitted = startNow === true ? await permission(host, context, startable) : undefined;
        const session = isOfClient ? client?.id ?? null : null;
        const described = { id, command, ...changes, project, session };
        if (startNow !== true) await host.create(described);
        else await host.createAndStart(described, { client, signal: context.signal, permitted });
      });
      return { text: `Process '${id}' created successfully`, structured: { id } };
    },
  });

export const updateProcess: ToolMaker = ({ host }) =>
  defineTool({
    name: "update_process",
    description: "Update process attributes (command, args, env, cwd, and auto_start flags)",
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: object({
      id: processId,
      command: maybe(string()),
      args: maybe(ARGS),
      env: maybe(ENV),
      cwd: maybe(CWD),
      auto_start_on_restore: maybe(AUTO_START),
      ...BEYOND,
    }),
    output: object({ id: string(), updated: array(string()) }),
    async run({ id, ...given }, context) {
      const updated = Object.keys(given).filter((key) => given[key as keyof typeof given] != null);
      const changes = changesOf(given);
      await orToolError(async () => {
        const permitted = host.startsAnew(id, changes)
          ? await permission(host, context, { ...host.record(id), ...changes })
          : undefined;
        await host.update(id, changes, { permitted });
      });
      const text = updated.length === 0
        ? `Process '${id}' - no attributes updated`
        : `Process '${id}' updated: ${updated.join(", ")}`;
      return { text, structured: { id, updated } };
    },
  });

export const updateProcessConfig: ToolMaker = ({ host }) =>
  defineTool({
    name: "update_process_config",
    description: "Update process configuration (auto_start flags)",
    annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: object({ id: processId, auto_start_on_restore: optional(AUTO_START) }),
    output: object({ id: string(), auto_start_on_restore: boolean() }),
    async run({ id, auto_start_on_restore: value }) {
      const changed = await orToolError(() =>
        host.update(id, value === undefined ? {} : { autoStartOnRestore: value })
      );
      const ending = value === undefined ? "" : ` - auto_start_on_restore set to ${value}`;
      return {
        text: `Process '${id}' configuration updated${ending}`,
        structured: { id, auto_start_on_restore: changed.autoStartOnRestore },
      };
    },
  });
