/** Tools of the fixture that take a while: progress, logs, tasks. */
import { sleep } from "../../../lib/async/mod.ts";
import {
  defineTool,
  jsonSchema,
  number,
  object,
  optional,
  string,
  type Tool,
  ToolError,
} from "../../../lib/mcp/mod.ts";

const READ_ONLY = { readOnlyHint: true };

function confirmation(message: string) {
  const requestedSchema = {
    type: "object",
    properties: { confirm: { type: "boolean" }, name: { type: "string" } },
  };
  return { method: "elicitation/create", params: { message, requestedSchema } } as const;
}

export const WORKING_TOOLS: readonly Tool[] = [
  defineTool({
    name: "test_tool_with_progress",
    description: "Tells how far it is",
    annotations: READ_ONLY,
    run: async (_, { progress, signal }) => {
      for (const done of [0, 50, 100]) {
        progress(done, 100);
        await sleep(50, { signal });
      }
      return { text: "done" };
    },
  }),
  ...["test_tool_with_logging", "test_logging_tool"].map((name) =>
    defineTool({
      name,
      description: "Sends log messages",
      annotations: READ_ONLY,
      run: async (_, { log, signal }) => {
        for (const line of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
          log("info", line);
          await sleep(50, { signal });
        }
        return { text: "done" };
      },
    })
  ),
  defineTool({
    name: "slow_compute",
    description: "Waits and answers",
    annotations: READ_ONLY,
    input: object({ seconds: number({ minimum: 0 }), label: optional(string()) }),
    task: { afterMs: 0 },
    run: async ({ seconds, label }, { signal }) => {
      await sleep(seconds * 1000, { signal });
      return { text: `computed ${label ?? "it"}` };
    },
  }),
  defineTool({
    name: "failing_job",
    description: "Fails after a while",
    annotations: READ_ONLY,
    task: { afterMs: 0, required: true },
    run: async (_, { signal }) => {
      await sleep(100, { signal });
      throw new ToolError("This job always fails");
    },
  }),
  defineTool({
    name: "protocol_error_job",
    description: "Has a bug",
    annotations: READ_ONLY,
    task: { afterMs: 0 },
    run: () => {
      throw new TypeError("a bug, on purpose");
    },
  }),
  defineTool({
    name: "confirm_delete",
    description: "Asks before it deletes nothing",
    annotations: { destructiveHint: true },
    input: object({ filename: string() }),
    task: { afterMs: 0 },
    run: async ({ filename }, { ask }) => {
      const { confirm } = await ask({ confirm: confirmation(`Delete ${filename}?`) });
      return { text: confirm?.action === "accept" ? `deleted ${filename}` : "kept" };
    },
  }),
  defineTool({
    name: "multi_input",
    description: "Asks two things at once",
    annotations: READ_ONLY,
    task: { afterMs: 0 },
    run: async (_, { ask }) => {
      const answers = await ask({ first: confirmation("The first?"), second: confirmation("The second?") });
      return { text: Object.values(answers).map(({ action }) => action).join(" ") };
    },
  }),
  defineTool({
    name: "test_tool_with_task",
    description: "Asks first, then works as a task",
    annotations: READ_ONLY,
    task: { afterMs: 20, required: true },
    run: async (_, { ask, signal }) => {
      const requestedSchema = {
        type: "object",
        properties: { name: { type: "string" } },
        required: ["name"],
      };
      const params = { message: "What is your name?", requestedSchema };
      const { user_name } = await ask({ user_name: { method: "elicitation/create", params } });
      await sleep(200, { signal });
      return { text: `Hello, ${JSON.stringify(user_name?.content)}` };
    },
  }),
  defineTool({
    name: "json_schema_2020_12_tool",
    description: "Tool with JSON Schema 2020-12 features",
    annotations: READ_ONLY,
    input: jsonSchema<Record<string, unknown>>({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    }),
    run: (input) => ({ text: JSON.stringify(input) }),
  }),
];
