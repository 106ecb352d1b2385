/** Runs tools: checks arguments, bounds how many run and for how long, and says what a call came to. @module */
import { type Answers, AnswersNeeded, answersTo, type Questions } from "./ask.ts";
import type { McpLimits } from "./limits.ts";
import type { JsonSchema } from "./schema.ts";
import { checkValue } from "./schema_check.ts";
import { type LogLevel, type Tool, type ToolContext, ToolError, type ToolResult } from "./tool.ts";

/** What a call came to. */
export type Outcome =
  | { readonly kind: "result"; readonly result: ToolResult }
  | { readonly kind: "asks"; readonly questions: Questions; readonly answered: Answers }
  | { readonly kind: "cancelled" }
  /** A bug of the tool: told as an error of the protocol. */
  | { readonly kind: "failed"; readonly message: string };

/** The other side of a call, as a transport knows it. */
export interface Caller
  extends Pick<ToolContext, "era" | "protocolVersion" | "client" | "clientCapabilities"> {
  /** Fires when the client cancels or hangs up. */
  readonly signals: readonly AbortSignal[];
  /** What it has answered so far; `undefined` when it cannot be asked. */
  readonly answers: Answers | undefined;
  progress(done: number, total?: number, message?: string): void;
  log(level: LogLevel, message: string): void;
}

/** A call that runs. */
export interface Call {
  readonly tool: Tool;
  /** Checked arguments. */
  readonly input: unknown;
  /** Whether its handler was, or will be, called; a call that is refused is answered at once. */
  readonly accepted: boolean;
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  cancel(reason: unknown): void;
  /** From here on the call belongs to a task: its client may hang up, and questions go to `ask`. */
  detach(to: Pick<ToolContext, "progress" | "ask">): void;
}

/** All calls of one server. */
export class Calls implements AsyncDisposable {
  readonly #limits: McpLimits;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<Call, Promise<Outcome>>();

  constructor(limits: McpLimits, onError: (error: unknown) => void) {
    this.#limits = limits;
    this.#onError = onError;
  }

  /** Starts a call. Its handler begins in the next turn, so that whoever started it can detach it first. */
  start(tool: Tool, input: unknown, caller: Caller): Call {
    const checked = checkValue(tool.input.json, withoutNulls(tool.input.json, input));
    if (!checked.ok) return refused(tool, `Invalid arguments for ${tool.name}: ${checked.problem}`);
    if (this.#running.size >= this.#limits.calls) {
      const reason = `${this.#limits.calls} calls are running, the limit; try again later`;
      return refused(tool, `Cannot run ${tool.name}: ${reason}`);
    }
    const { callMs } = this.#limits;
    const call = new RunningCall(tool, caller, { input: checked.value, callMs, onError: this.#onError });
    this.#running.set(call, call.outcome);
    call.outcome.finally(() => this.#running.delete(call));
    return call;
  }

  /** Cancels all calls; each is answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running];
    for (const [call] of running) call.cancel(new DOMException("The server stops", "AbortError"));
    await Promise.all(running.map(([, outcome]) => outcome));
  }
}

interface RunOptions {
  /** Checked arguments with defaults filled in. */
  readonly input: unknown;
  readonly callMs: number;
  readonly onError: (error: unknown) => void;
}

class RunningCall implements Call {
  readonly accepted = true;
  readonly tool: Tool;
  readonly input: unknown;
  readonly outcome: Promise<Outcome>;
  readonly #caller: Caller;
  readonly #controller = new AbortController();
  readonly #hangUp: () => void;
  #to: Pick<ToolContext, "progress" | "ask">;
  /** What was told last of how far it is, for a task that it becomes. */
  #progress: Parameters<ToolContext["progress"]> | undefined;

  constructor(tool: Tool, caller: Caller, options: RunOptions) {
    this.tool = tool;
    this.input = options.input;
    this.#caller = caller;
    this.#to = { progress: caller.progress, ask: (questions) => askCaller(questions, caller) };
    this.#hangUp = () => this.cancel(new DOMException("The client has gone or has cancelled", "AbortError"));
    for (const signal of caller.signals) {
      if (signal.aborted) this.#hangUp();
      else signal.addEventListener("abort", this.#hangUp, { once: true });
    }
    this.outcome = this.#run(options).catch((error) => failure(tool, error, options.onError));
  }

  cancel(reason: unknown): void {
    this.#controller.abort(reason);
  }

  detach(to: Pick<ToolContext, "progress" | "ask">): void {
    this.#to = to;
    this.#unlink();
    if (this.#progress !== undefined) to.progress(...this.#progress);
  }

  async #run({ input, callMs }: RunOptions): Promise<Outcome> {
    const { signal } = this.#controller;
    const timer = setTimeout(() => this.cancel(new TimeoutError(this.tool, callMs)), callMs);
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    aborted.promise.catch(() => {}); // It is raced below; without a loser's handler it would count as unhandled.
    try {
      await Promise.resolve();
      signal.throwIfAborted();
      const handled = Promise.resolve(this.tool.run(input, this.#context()));
      return {
        kind: "result",
        result: checkResult(this.tool, await Promise.race([handled, aborted.promise])),
      };
    } catch (error) {
      // A handler may end with an error of its own once it is told to stop; what counts is why.
      if (signal.aborted && !(signal.reason instanceof TimeoutError)) return { kind: "cancelled" };
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#unlink();
    }
  }

  #context(): ToolContext {
    const { era, protocolVersion, client, clientCapabilities, log } = this.#caller;
    let last = -Infinity;
    return {
      signal: this.#controller.signal,
      era,
      protocolVersion,
      client,
      clientCapabilities,
      log,
      progress: (done, total, message) => {
        // The protocol wants it to grow: a step back is not told.
        if (!(done > last)) return;
        last = done;
        this.#progress = [done, total, message];
        this.#to.progress(done, total, message);
      },
      ask: (questions) => this.#to.ask(questions),
    };
  }

  #unlink(): void {
    for (const signal of this.#caller.signals) signal.removeEventListener("abort", this.#hangUp);
  }
}

/** A call reached its time limit. */
class TimeoutError extends ToolError {
  constructor(tool: Tool, callMs: number) {
    super(`${tool.name} was stopped: it ran for ${callMs / 1000} s, the limit`);
  }
}

/** Asks whoever made the call; outside a task the answers come with a second call. */
export function askCaller(questions: Questions, caller: Pick<Caller, "answers" | "era">): Promise<Answers> {
  if (caller.answers === undefined) {
    return Promise.reject(new ToolError("This needs an answer, and your client cannot be asked"));
  }
  const { answers } = caller;
  return new Promise((resolve) => resolve(answersTo(questions, answers)));
}

/** @throws {TypeError} When the tool broke its own promise. */
function checkResult(tool: Tool, result: ToolResult): ToolResult {
  if (tool.output === undefined || result.isError === true) return result;
  const checked = checkValue(tool.output.json, result.structured);
  if (checked.ok) return result;
  throw new TypeError(`the result of ${tool.name} does not fit its output schema: ${checked.problem}`);
}

function failure(tool: Tool, error: unknown, onError: (error: unknown) => void): Outcome {
  if (error instanceof AnswersNeeded) {
    return { kind: "asks", questions: error.questions, answered: error.answered };
  }
  if (error instanceof ToolError) return errorOutcome(error.message);
  onError(error);
  return {
    kind: "failed",
    message: `${tool.name} failed: ${error instanceof Error ? error.message : error}`,
  };
}

/** A call that has ended before it began. */
function refused(tool: Tool, text: string): Call {
  return {
    tool,
    input: undefined,
    accepted: false,
    outcome: Promise.resolve(errorOutcome(text)),
    cancel: () => {},
    detach: () => {},
  };
}

function errorOutcome(text: string): Outcome {
  return { kind: "result", result: { text, isError: true } };
}

/** Models fill in `null` for what they leave out: where an argument may be absent and not `null`, it is absent. */
function withoutNulls({ properties, required }: JsonSchema, input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const isLeftOut = (name: string, value: unknown) => {
    const rule = (properties as Record<string, JsonSchema> | undefined)?.[name];
    return value === null && rule !== undefined &&
      !(required as readonly string[] | undefined)?.includes(name) &&
      !checkValue(rule, null).ok;
  };
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => !isLeftOut(name, value)));
}
