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
  string,
} from "../../mcp/mod.ts";
import { INPUTS, LIFETIMES, RESTARTS } from "../record.ts";
import { OUTCOMES } from "../state.ts";

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
