/** Shapes that several routes take or give, by the names that they have in the OpenAPI document. @module */
import {
  array,
  boolean,
  integer,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  string,
} from "../../mcp/mod.ts";
import { UNLISTED } from "../allow.ts";
import { INPUTS, LIFETIMES, RESTARTS } from "../record.ts";
import { STATE_KINDS } from "../../supervisor/mod.ts";
import { EVENT_TYPES } from "../timeline.ts";
import { CLIP, INFO, maybe, STATUS, TEMPLATE, TEMPLATE_FIELDS } from "../tools/schemas.ts";

const MESSAGE = object({ message: string() });
/** What is done, in words. */
export const DONE = MESSAGE;

const DESCRIPTION = {
  args: maybe(array(string())),
  env: maybe(record(string())),
  cwd: maybe(string({ description: "Absolute" })),
  auto_start_on_restore: maybe(boolean({ description: "Starts with the daemon" })),
  tags: maybe(array(string())),
  lifetime: maybe(oneOf(LIFETIMES)),
  restart: maybe(oneOf(RESTARTS)),
  input: maybe(oneOf(INPUTS)),
};

export const NEW_PROCESS = object({
  id: string(),
  command: string({ description: "The program, without arguments" }),
  ...DESCRIPTION,
  auto_start_on_create: maybe(boolean({ description: "Starts right now" })),
});

export const CHANGES = object({ command: maybe(string()), ...DESCRIPTION });

/** A process as streams show it: with what its supervisor does with it right now. */
export const LIVE = object({
  info: INFO,
  phase: oneOf(STATE_KINDS),
  next_start: optional(string({ description: "When it starts by itself; RFC 3339" })),
});

export const EVENT = object({
  number: integer(),
  timestamp: string(),
  process_id: string(),
  event_type: oneOf(EVENT_TYPES),
  message: string(),
});

export const USAGE = object({
  times: array(integer({ description: "Unix milliseconds, oldest first" })),
  machine: object({
    cpu: array(nullable(number()), { description: "Percent of all cores" }),
    memory: array(number(), { description: "Percent" }),
  }),
  processes: record(
    object({
      cpu: array(nullable(number()), { description: "Percent of one core; null while it did not run" }),
      memory: array(nullable(integer()), { description: "Bytes" }),
    }),
  ),
});

const FIELDS = {
  ...TEMPLATE_FIELDS,
  default_cwd: maybe(string()),
  default_auto_start: maybe(boolean()),
};

export const NEW_TEMPLATE = object({
  id: maybe(string({ description: "Taken from upstream's clients, which make one up; ours is answered" })),
  name: string(),
  command: string(),
  ...FIELDS,
});
export const TEMPLATE_CHANGES = object({
  name: maybe(string()),
  command: maybe(string()),
  ...FIELDS,
});

export const SETTINGS = object({
  color_mode: oneOf(["system", "light", "dark"]),
  language: oneOf(["system", "en", "ja"]),
  auto_refresh: boolean({ description: "Of upstream's console; ours is told of changes" }),
  refresh_interval: integer({ description: "The same, in milliseconds", minimum: 0, maximum: 3_600_000 }),
});

const LOG_LINE_FIELDS = {
  time: string(),
  stream: oneOf(["stdout", "stderr"]),
  text: string(),
  place: string({ description: "Where it stands in all that the process has said" }),
};

export const LOG_LINE = object(LOG_LINE_FIELDS);

export const LOG_MATCHES = object({
  matches: integer({ description: "How many lines match" }),
  searched: integer({ description: "Of how many" }),
  lines: array(object({
    ...LOG_LINE_FIELDS,
    number: integer({ description: "Which of the lines that were searched, from 1" }),
  })),
  pattern: object({ source: string(), flags: string() }, { description: "The same in JavaScript's syntax" }),
});

export const SNAPSHOT_FILE = object({
  name: string(),
  format: oneOf(["yaml", "kdl", "json"]),
  size_bytes: integer(),
  modified_at: string(),
});

/** What a person has allowed for good. */
export const LEARNED = object({
  folder: string({ description: "Of the rule that asked; absolute" }),
  line: string({ description: "The command with its arguments" }),
});

export const ALLOWED = object({
  rules: array(object({
    folder: string({ description: "And below; the rule of the deepest folder counts" }),
    commands: array(string({ description: "Command lines; * is anything, ? one character" })),
    unlisted: oneOf(UNLISTED, { description: "What happens to all others" }),
  })),
  learned: array(LEARNED),
});

/** By the names that they have in the document. */
export const SHAPES: Readonly<Record<string, Schema<unknown>>> = {
  Process: INFO,
  ProcessStatus: STATUS,
  LiveProcess: LIVE,
  NewProcess: NEW_PROCESS,
  ProcessChanges: CHANGES,
  Message: MESSAGE,
  Event: EVENT,
  Usage: USAGE,
  Template: TEMPLATE,
  NewTemplate: NEW_TEMPLATE,
  TemplateChanges: TEMPLATE_CHANGES,
  Clip: CLIP,
  Settings: SETTINGS,
  LogLine: LOG_LINE,
  LogMatches: LOG_MATCHES,
  SnapshotFile: SNAPSHOT_FILE,
  Learned: LEARNED,
  Allowed: ALLOWED,
};
