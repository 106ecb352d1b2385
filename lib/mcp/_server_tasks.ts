/** The methods `tasks/get`, `tasks/update` and `tasks/cancel`, which the protocol's library leaves to servers. @module */
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
  type StandardSchemaV1,
} from "@modelcontextprotocol/server";
import type { Answers } from "./ask.ts";
import type { Caller } from "./calls.ts";
import type { Engine } from "./_engine.ts";
import { object, type Schema, string } from "./schema.ts";
import { checkValue } from "./schema_check.ts";
import { TASKS_EXTENSION, type TaskState } from "./tasks.ts";
import { callResult } from "./wire.ts";

const TASK_ID = object({ taskId: string() });

/** Serves the tasks of `engine`. */
export function installTasks(server: Server, engine: Engine): void {
  server.setRequestHandler("tasks/get", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    requireTasks(context);
    const task = engine.tasks.get(taskId);
    if (task === undefined) throw unknownTask(taskId);
    return { ...task.head, ...stateFields(task.state) };
  });
  server.setRequestHandler("tasks/update", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    requireTasks(context);
    // The library takes the answers out of the parameters, and leaves out what is no answer.
    const answers: Record<string, unknown> = { ...context.mcpReq.inputResponses };
    if (!engine.tasks.answer(taskId, answers as Answers)) throw unknownTask(taskId);
    return {};
  });
  server.setRequestHandler("tasks/cancel", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    requireTasks(context);
    if (!engine.tasks.cancel(taskId)) throw unknownTask(taskId);
    return {};
  });
}

function stateFields(state: TaskState): Record<string, unknown> {
  switch (state.status) {
    case "completed":
      return { result: { resultType: "complete", ...callResult(state.result) } };
    case "failed":
      return { error: { code: ProtocolErrorCode.InternalError, message: state.message } };
    case "input_required":
      return { inputRequests: state.questions };
    case "working":
    case "cancelled":
      return {};
    default:
      return state satisfies never;
  }
}

function requireTasks(context: ServerContext): void {
  const envelope: Record<string, unknown> = { ...context.mcpReq.envelope };
  const clientCapabilities = (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>;
  if (!declaresTasks({ clientCapabilities })) throw missingTasks();
}

/** Whether the client of this call can poll for tasks. */
export function declaresTasks({ clientCapabilities }: Pick<Caller, "clientCapabilities">): boolean {
  const { extensions } = clientCapabilities;
  return typeof extensions === "object" && extensions !== null && TASKS_EXTENSION in extensions;
}

/** The error for clients that cannot. */
export function missingTasks(): Error {
  const requiredCapabilities = { extensions: { [TASKS_EXTENSION]: {} } };
  return new MissingRequiredClientCapabilityError({ requiredCapabilities });
}

function unknownTask(taskId: string): Error {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown task: ${taskId}`);
}

/** A schema of ours as the library takes them. Parameters of the protocol itself (`_meta`) may stand beside. */
function standard<T>({ json }: Schema<T>): StandardSchemaV1<T> {
  const open = { ...json, additionalProperties: true };
  return {
    "~standard": {
      version: 1,
      vendor: "hostkit",
      validate: (value) => {
        const checked = checkValue(open, value);
        // The value has been checked against the schema of T.
        return checked.ok ? { value: checked.value as T } : { issues: [{ message: checked.problem }] };
      },
    },
  };
}
