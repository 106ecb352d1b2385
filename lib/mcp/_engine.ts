/** What all connections of one server share: the registry, the calls that run, the tasks, the limits. @module */
import { Calls } from "./calls.ts";
import { DEFAULT_LIMITS, type McpLimits } from "./limits.ts";
import type { McpServerInfo, Registry } from "./registry.ts";
import type { ResourceChange } from "./resource.ts";
import { Tasks } from "./tasks.ts";

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
  /** Signs the state that clients carry between two calls; a new one each start. */
  readonly stateKey = crypto.getRandomValues(new Uint8Array(32));
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #unwatch: (() => void)[];

  constructor(readonly registry: Registry, readonly info: McpServerInfo, options: ServerOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.onError = options.onError ?? ((error) => console.error(`${info.name}: ${describe(error)}`));
    this.calls = new Calls(this.limits, this.onError);
    this.tasks = new Tasks(this.limits, Date.now, () => crypto.randomUUID());
    this.#unwatch = registry.resources.flatMap((provider) =>
      provider.watch === undefined ? [] : [provider.watch((change) => this.#tell(change))]
    );
  }

  /** Whether any resource can change. */
  get watches(): boolean {
    return this.registry.resources.some(({ watch }) => watch !== undefined);
  }

  /** Calls `listener` for each change of a resource until the returned function is called. */
  onChange(listener: (change: ResourceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(change: ResourceChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Cancels what runs and stops watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#listeners.clear();
    await this.calls[Symbol.asyncDispose]();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
