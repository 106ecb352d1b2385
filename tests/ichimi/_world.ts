/** Processes of assistants in this process, with assistants who call tools. @module */
import { ok } from "node:assert/strict";
import { processStart } from "../../ffi/ring/mod.ts";
import { defaults } from "../../lib/config/mod.ts";
import {
  type AllowRule,
  CiWatch,
  type Client,
  ICHIMI_CONFIG,
  IchimiHost,
  ichimiTools,
  type LifetimeLimits,
  Lifetimes,
  type Policy,
  policyOf,
  TOOLSET_NAMES,
} from "../../lib/ichimi/mod.ts";
import { checkValue, type Tool, type ToolContext, type ToolResult } from "../../lib/mcp/mod.ts";

const never = new AbortController().signal;
const PATIENCE_MS = 60_000;
const SHORT: LifetimeLimits = { sessionGraceMs: 0, projectGraceMs: 0, keepMs: 3_600_000 };

/** How a world begins. */
export interface WorldOptions {
  readonly policy?: Partial<Policy>;
  readonly allow?: readonly AllowRule[];
  readonly limits?: Partial<LifetimeLimits>;
}

/** A daemon's inside, whose state can be opened again. */
export class World implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "ichimi-" });
  readonly complaints: string[] = [];
  readonly told: string[] = [];
  /** Whether watches of CI go on in a folder. */
  isWanted: (folder: string | undefined) => boolean = () => true;
  readonly doorway = { open: () => Promise.reject(new Error("there is no door here")) };
  readonly ci = new CiWatch({
    tell: (text) => this.told.push(text),
    isWanted: (folder) => this.isWanted(folder),
  });
  readonly #options: WorldOptions;
  #host: IchimiHost | undefined;
  #lifetimes: Lifetimes | undefined;
  #clients = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
  }

  get host(): IchimiHost {
    const policy = { ...policyOf(defaults(ICHIMI_CONFIG)), ...this.#options.policy };
    return this.#host ??= IchimiHost.open({
      stateFolder: `${this.folder}/state`,
      policy,
      allow: this.#options.allow ?? [],
      logMib: 8,
      trouble: (text) => this.complaints.push(text),
    });
  }

  get lifetimes(): Lifetimes {
    const limits = { ...SHORT, ...this.#options.limits };
    return this.#lifetimes ??= new Lifetimes(this.host, limits, (text) => this.complaints.push(text));
  }

  /** Somebody who works in a folder, with this process's life. */
  client(folder: string = this.folder, env: Readonly<Record<string, string>> = Deno.env.toObject()): Client {
    const startTicks = processStart(Deno.pid);
    return { id: `client-${++this.#clients}`, pid: Deno.pid, startTicks, folder, env };
  }

  /** Calls tools as one assistant would; a failure is thrown. */
  assistant(client: Client | undefined = this.client()): Assistant {
    const { doorway, ci } = this;
    return new Assistant(ichimiTools({ host: this.host, client, doorway, ci }, TOOLSET_NAMES));
  }

  /** The same state under another host, with what runs left as it is. */
  async reopen(): Promise<void> {
    await this.#lifetimes?.[Symbol.asyncDispose]();
    await this.#host?.release();
    this.#lifetimes = undefined;
    this.#host = undefined;
    await this.host.start(never);
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const limit = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      ok(performance.now() < limit, `${what} does not come: ${JSON.stringify(this.host.list())}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The same after a host that was asked to end. */
  async restart(): Promise<void> {
    await this.#end();
    await this.host.start(never);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.host.records.filter(({ lifetime }) => lifetime === "persistent").map(({ id }) =>
        this.host.remove(id, never)
      ),
    );
    await this.ci[Symbol.asyncDispose]();
    await this.#end();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #end(): Promise<void> {
    await this.#lifetimes?.[Symbol.asyncDispose]();
    await this.#host?.[Symbol.asyncDispose]();
    this.#lifetimes = undefined;
    this.#host = undefined;
  }
}

/** The tools of one client. */
export class Assistant {
  readonly tools: readonly Tool[];

  constructor(tools: readonly Tool[]) {
    this.tools = tools;
  }

  /** @param context What of the call is not as of a client that can nothing. */
  async ask(name: string, args: Record<string, unknown> = {}, context: object = {}): Promise<ToolResult> {
    const tool = this.tools.find((each) => each.name === name);
    ok(tool !== undefined, `there is no tool ${name}`);
    const checked = checkValue(tool.input.json, args);
    ok(checked.ok, JSON.stringify(checked));
    const result = await tool.run(
      checked.value,
      {
        signal: never,
        progress: () => {},
        clientCapabilities: {},
        ...context,
      } as unknown as ToolContext,
    );
    if (tool.output !== undefined) {
      const output = checkValue(tool.output.json, result.structured);
      ok(output.ok, `${name}: ${JSON.stringify(output)}`);
    }
    return result;
  }

  /** The same, for its text. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    return (await this.ask(name, args)).text;
  }

  /** A shell's script as a process that runs. */
  async run(id: string, script: string, more: Record<string, unknown> = {}): Promise<void> {
    await this.call("create_process", { id, command: "sh", args: ["-c", script], ...more });
    await this.call("start_process", { id });
  }
}
