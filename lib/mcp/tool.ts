/**
 * What a tool is: the one entry from which both protocol eras, both transports and bpm's old dialect are served.
 * @module
 */
import type { Answers, Questions } from "./ask.ts";
import { object, type Schema } from "./schema.ts";

/** Hints for clients that ask before they let a model act. Defaults are the protocol's (false, true, false, true). */
export interface ToolAnnotations {
  readonly title?: string;
  /** It changes nothing. */
  readonly readOnlyHint?: boolean;
  /** It may destroy something; meaningless when read-only. */
  readonly destructiveHint?: boolean;
  /** Doing it twice is as doing it once; meaningless when read-only. */
  readonly idempotentHint?: boolean;
  /** It reaches things that the server does not own. */
  readonly openWorldHint?: boolean;
}

/** One piece of an answer, as in the protocol: text, image, audio, embedded resource or link. */
export interface ContentBlock {
  readonly type: "text" | "image" | "audio" | "resource" | "resource_link";
  readonly [field: string]: unknown;
}

/** What a tool answers. */
export interface ToolResult {
  /** The answer as a model reads it. */
  readonly text: string;
  /** The same as data; must fit the tool's `output` schema, and must be there when the tool has one. */
  readonly structured?: unknown;
  /** The call failed in a way that the model should see. Throwing `ToolError` is the same. */
  readonly isError?: boolean;
  /** Further pieces after the text, or all of them when `text` is empty. */
  readonly content?: readonly ContentBlock[];
}

/** A failure that the client should see: the message is the text. Any other error is a bug and is told as one. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/**
 * How the client speaks: `stateless` is 2026-07-28 and newer, `session` is 2024-11-05 to 2025-11-25 with its
 * handshake, `plain` is the dialect of bpm's old clients, who get bare JSON.
 */
export type Era = "stateless" | "session" | "plain";

/** What a handler knows of the call. */
export interface ToolContext {
  /** Fires when the client cancels, hangs up or the server stops. The handler should end soon after. */
  readonly signal: AbortSignal;
  readonly era: Era;
  /** The protocol revision, such as `2026-07-28`. */
  readonly protocolVersion: string;
  /** The program on the other side, where it said so. */
  readonly client: { readonly name: string; readonly version: string } | undefined;
  /** What the client can do, as it declared it: `elicitation`, `sampling`, `roots`, `extensions`. */
  readonly clientCapabilities: Readonly<Record<string, unknown>>;
  /** Tells how far it is; costs nothing when the client did not ask. `done` must grow. */
  progress(done: number, total?: number, message?: string): void;
  /** Sends a log message to clients that take them. Deprecated by the protocol: progress is better. */
  log(level: LogLevel, message: string): void;
  /**
   * Asks the other side. In a task it waits for the answers. Elsewhere the handler is left here and called again from
   * its beginning once the answers are known, so nothing before this line may change anything.
   * @throws {ToolError} When the client cannot be asked.
   */
  ask(questions: Questions): Promise<Answers>;
}

/** Levels of log messages, as in syslog. */
export type LogLevel =
  | "debug"
  | "info"
  | "notice"
  | "warning"
  | "error"
  | "critical"
  | "alert"
  | "emergency";

/** One tool. Made by `defineTool`, which ties the type of `run`'s argument to the schema. */
export interface Tool {
  /** 1-128 of `A-Za-z0-9_.-`; unique in a registry. */
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  /** An object schema. Arguments are checked against it before `run` is called, and defaults are filled in. */
  readonly input: Schema<unknown>;
  /** What `structured` fits. */
  readonly output?: Schema<unknown>;
  /**
   * Lets a call that is still running after `afterMs` become a task (`io.modelcontextprotocol/tasks`) when its client
   * can poll for one; 0 makes it one from the start. Other clients wait for the answer itself, unless `required`: then
   * they are refused.
   */
  readonly task?: ToolTask<unknown>;
  run(input: unknown, context: ToolContext): ToolResult | Promise<ToolResult>;
}

/** How a call becomes a task. */
export interface ToolTask<I> {
  readonly afterMs: number;
  readonly required?: boolean;
  /**
   * What to call it with when the server that began it has gone, so long after that. Only for tools that change nothing.
   * Left out: the task is lost with the server.
   */
  again?(input: I, elapsedMs: number): I;
}

/** What `defineTool` takes: a `Tool` whose `run` has the types of its schemas. */
export interface ToolDefinition<I, O> extends Omit<Tool, "input" | "output" | "task" | "run"> {
  /** Left out: no arguments. */
  readonly input?: Schema<I>;
  readonly output?: Schema<O>;
  readonly task?: ToolTask<I>;
  run(input: I, context: ToolContext): TypedResult<O> | Promise<TypedResult<O>>;
}

/** A result whose `structured` has the type of the output schema. */
export type TypedResult<O> = Omit<ToolResult, "structured"> & { readonly structured?: O };

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/**
 * Defines a tool.
 * @throws {TypeError} When the name is not one, or `input` is not the schema of an object.
 * @example
 * ```ts
 * import { defineTool, object, string } from "./mod.ts";
 * const greet = defineTool({
 *   name: "greet",
 *   description: "Greets someone",
 *   annotations: { readOnlyHint: true },
 *   input: object({ who: string({ description: "Whom to greet" }) }),
 *   run: ({ who }) => ({ text: `Hello, ${who}` }),
 * });
 * ```
 */
export function defineTool<I = Record<string, never>, O = unknown>(definition: ToolDefinition<I, O>): Tool {
  if (!NAME.test(definition.name)) {
    throw new TypeError(`Cannot define tool "${definition.name}": a name is 1-128 of A-Z a-z 0-9 _ . -`);
  }
  const input = definition.input ?? object({});
  if (input.json.type !== "object") {
    throw new TypeError(`Cannot define tool "${definition.name}": its input is not the schema of an object`);
  }
  // `run` is called with checked arguments only, so the narrower type holds.
  return { ...definition, input } as Tool;
}
