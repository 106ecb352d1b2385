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
import { originOf } from "./task_id.ts";
import { TASKS_EXTENSION, type TaskState } from "./tasks.ts";
import { callResult } from "./wire.ts";

const TASK_ID = object({ taskId: string() });

/** Serves the tasks of `engine`. */
export function installTasks(
  server: Server,
  engine: Engine,
  callerOf: (context: ServerContext) => Caller,
): void {
  /** Also of a task that a server began that is not there any more, where it can be begun anew. */
  const known = (taskId: string, context: ServerContext) => {
    requireTasks(context);
    if (engine.tasks.get(taskId) === undefined) beginAgain(engine, taskId, callerOf(context));
    const task = engine.tasks.get(taskId);
    if (task === undefined) throw unknownTask(engine, taskId);
    return task;
  };
  server.setRequestHandler("tasks/get", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    const task = known(taskId, context);
    return { ...task.head, ...stateFields(task.state) };
  });
  server.setRequestHandler("tasks/update", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    known(taskId, context);
    // The library takes the answers out of the parameters, and leaves out what is no answer.
    const answers: Record<string, unknown> = { ...context.mcpReq.inputResponses };
    engine.tasks.answer(taskId, answers as Answers);
    return {};
  });
  server.setRequestHandler("tasks/cancel", { params: standard(TASK_ID) }, ({ taskId }, context) => {
    known(taskId, context);
    engine.tasks.cancel(taskId);
    return {};
  });
}

/** Makes the call anew that an id holds, under the same id. */
function beginAgain(engine: Engine, id: string, caller: Caller): void {
  const call = originOf(id)?.call;
  const tool = engine.tool(call?.tool);
  if (call === undefined || tool?.task?.again === undefined) return;
  const { createdMs } = call;
  const elapsedMs = Date.now() - createdMs;
  if (elapsedMs < 0 || elapsedMs >= engine.limits.taskMs) return;
  const checked = checkValue(tool.input.json, call.input);
  if (!checked.ok) return;
  // Who asks for the task now may go: it goes on.
  const begun = engine.calls.start(tool, tool.task.again(checked.value, elapsedMs), {
    ...caller,
    signals: [],
  });
  if (begun.accepted && engine.tasks.adopt(begun, { id, createdMs }) === undefined) {
    begun.cancel(new DOMException("There are too many tasks", "AbortError"));
  }
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

function unknownTask({ id }: Engine, taskId: string): Error {
  const origin = originOf(taskId);
  const why = origin === undefined || origin.server === id
    ? ""
    : "; the server that began it was replaced or started again: see what became of what was asked for, and call again";
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown task: ${taskId}${why}`);
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
