/** What all connections of one server share: the registry, the calls that run, the tasks, the limits. @module */
import { AnswersNeeded } from "./ask.ts";
import { Calls } from "./calls.ts";
import { DEFAULT_LIMITS, type McpLimits } from "./limits.ts";
import type { McpServerInfo, Registry } from "./registry.ts";
import type { ResourceChange } from "./resource.ts";
import { taskId } from "./task_id.ts";
import { Tasks } from "./tasks.ts";
import { type Tool, ToolError } from "./tool.ts";
import { toolListing } from "./wire.ts";

/** Settings that every transport takes. */
export interface ServerOptions {
  readonly limits?: Partial<McpLimits>;
  /** Told of bugs in handlers and of broken connections; standard error when left out. */
  readonly onError?: (error: unknown) => void;
}

/** One server, however many connections it has. */
export class Engine implements AsyncDisposable {
  readonly limits: McpLimits;
  readonly calls: Calls;
  readonly tasks: Tasks;
  readonly onError: (error: unknown) => void;
  /** All tools as new clients are shown them. */
  readonly listing: readonly Readonly<Record<string, unknown>>[];
  readonly #tools: ReadonlyMap<string, Tool>;
  /** Of this start of the server, in ids of its tasks. */
  readonly id = crypto.getRandomValues(new Uint8Array(4)).toHex();
  /** Signs the state that clients carry between two calls; a new one each start. */
  readonly stateKey = crypto.getRandomValues(new Uint8Array(32));
  /** Resources (the list itself is `""`) that were told a moment ago, and whether they have changed since. */
  readonly #recent = new Map<
    string,
    { readonly timer: ReturnType<typeof setTimeout>; again: ResourceChange | undefined }
  >();
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #unwatch: (() => void)[];

  constructor(readonly registry: Registry, readonly info: McpServerInfo, options: ServerOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.onError = options.onError ?? ((error) => console.error(`${info.name}: ${describe(error)}`));
    this.listing = registry.tools.map((tool) => toolListing(tool, "full"));
    this.#tools = new Map(registry.tools.map((tool) => [tool.name, tool]));
    this.calls = new Calls(this.limits, this.onError);
    this.tasks = new Tasks(this.limits, Date.now, ({ tool, input }, createdMs) => {
      const kept = tool.task?.again === undefined ? undefined : { tool: tool.name, input, createdMs };
      return taskId(this.id, crypto.randomUUID(), kept);
    });
    this.#unwatch = registry.resources.flatMap((provider) =>
      provider.watch === undefined ? [] : [provider.watch((change) => this.#tell(change))]
    );
  }

  /** The tool of this name, if there is one. */
  tool(name: unknown): Tool | undefined {
    return typeof name === "string" ? this.#tools.get(name) : undefined;
  }

  /** Whether any resource can change. */
  get watches(): boolean {
    return this.registry.resources.some(({ watch }) => watch !== undefined);
  }

  /** Runs what a feature wrote for resources or prompts: what it throws is a bug, and told as one. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AnswersNeeded || error instanceof ToolError)) this.onError(error);
      throw error;
    }
  }

  /** Calls `listener` for each change of a resource until the returned function is called. */
  onChange(listener: (change: ResourceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells a change at once, and what follows within a moment as one. */
  #tell(change: ResourceChange): void {
    const key = change.kind === "updated" ? change.uri : "";
    const recent = this.#recent.get(key);
    if (recent !== undefined) {
      recent.again = change;
      return;
    }
    const timer = setTimeout(() => {
      const again = this.#recent.get(key)?.again;
      this.#recent.delete(key);
      if (again !== undefined) this.#tell(again);
    }, this.limits.changeMs);
    this.#recent.set(key, { timer, again: undefined });
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Cancels what runs and stops watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    for (const { timer } of this.#recent.values()) clearTimeout(timer);
    this.#recent.clear();
    this.#listeners.clear();
    await this.calls[Symbol.asyncDispose]();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
