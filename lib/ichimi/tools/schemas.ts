/** Shapes of answers that several tools give. @module */
import {
  array,
  boolean,
  integer,
  jsonSchema,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  string,
} from "../../mcp/mod.ts";
import { INPUTS, LIFETIMES, RESTARTS } from "../record.ts";
import { OUTCOMES } from "../state.ts";

/** Left out or null, as upstream's deserializer takes it. */
export function maybe<T>(schema: Schema<T>) {
  return optional(nullable(schema));
}

const STATE = jsonSchema<unknown>({
  description: '"NotStarted", {"Running": {pid, started_at}}, {"Stopped": {exit_code, stopped_at}} or ' +
    '{"Failed": {error, failed_at}}',
});

/** A process as lists show it. */
export const INFO = object({
  id: string(),
  command: string(),
  args: array(string()),
  env: record(string()),
  cwd: nullable(string()),
  state: STATE,
  auto_start_on_restore: boolean(),
  outcome: nullable(oneOf(OUTCOMES, { description: "How it ended last; null while it runs" })),
  detail: optional(string({ description: "The signal, or why it could not be started" })),
  lifetime: oneOf(LIFETIMES),
  restart: optional(oneOf(RESTARTS)),
  input: optional(oneOf(INPUTS)),
  project: optional(string({ description: "Folder of the client that made it" })),
  tags: optional(array(string())),
});

export const STATUS = object({
  info: INFO,
  cpu_usage: nullable(number({ description: "Percent of one core, since it was looked at last" })),
  memory_usage: nullable(integer({ description: "Bytes, resident, of all that it has started too" })),
  uptime_seconds: nullable(integer()),
});

const VARIABLE = object({
  name: string(),
  description: optional(nullable(string())),
  default_value: optional(nullable(string())),
  required: optional(boolean({ description: "True when left out" })),
});

/** What may be said of a template beside name and command; tools and routes name folder and start each in its way. */
export const TEMPLATE_FIELDS = {
  description: maybe(string()),
  category: maybe(string()),
  args: maybe(array(string())),
  env: maybe(record(string())),
  variables: maybe(array(VARIABLE, { description: "What the gaps {{name}} mean" })),
  tags: maybe(array(string())),
};

export const TEMPLATE = object({
  template_id: string(),
  name: string(),
  description: nullable(string()),
  category: nullable(string()),
  command: string(),
  args: array(string()),
  env: record(string()),
  default_cwd: nullable(string()),
  default_auto_start: boolean(),
  variables: array(object({
    name: string(),
    description: nullable(string()),
    default_value: nullable(string()),
    required: boolean(),
  })),
  tags: array(string()),
  created_at: string(),
  updated_at: string(),
});

export const CLIP = object({
  id: string(),
  content: string(),
  filename: nullable(string()),
  created_at: string(),
  updated_at: string(),
  content_type: string(),
  tags: array(string()),
});

/** What became of the processes of a snapshot. */
export const TAKEN = object({
  created: array(string()),
  changed: array(string()),
  skipped: array(string(), { description: "They run: stop them first" }),
  started: array(string()),
  not_started: array(object({ id: string(), reason: string() }), {
    description: "Those that were to start by themselves, and why they did not",
  }),
});
