/** A project of `.mcp-run` under a manager in this process, served over HTTP where a test wants that. @module */
import { ok } from "node:assert/strict";
import { bpmTools, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import { serviceResources } from "../../lib/services/mod.ts";
import { checkValue, createRegistry, type HttpOptions } from "../../lib/mcp/mod.ts";
import type { Tool, ToolContext, ToolResult } from "../../lib/mcp/mod.ts";
import { serve, type Serving } from "../mcp/serving.ts";

const never = new AbortController().signal;
const PATIENCE_MS = 60_000;
/** Processes that start by themselves have been told to by then; nobody waits until they run. */
const TOLD_WITHIN_MS = 200;

/** A process that a shell runs, as the file has it. */
export function shell(name: string, script: string, more = ""): string {
  return `[process."${name}"]\ncommand = ["sh", "-c", ${JSON.stringify(script)}]\n${more}\n`;
}

/** A project with a manager, and a clock that is the test's. */
export class Project implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "bpm-" });
  nowMs = Date.now();
  searchLimitMs = 60_000;
  #manager: Manager | undefined;
  #tools: readonly Tool[] | undefined;
  #serving: Serving | undefined;

  /** @param files By path; of `.mcp-run` alone the processes do, and what crashes is not started again. */
  constructor(files: Readonly<Record<string, string>> | string) {
    this.write(typeof files === "string" ? { ".mcp-run": configOf(files) } : files);
  }

  /** One whose processes are about to run. */
  static async started(processes: string): Promise<Project> {
    const project = new Project(processes);
    await project.manager.start(AbortSignal.timeout(TOLD_WITHIN_MS));
    return project;
  }

  /** The same, served over HTTP as `bpm serve` does. */
  static async served(processes: string, options: HttpOptions = {}): Promise<Project> {
    const project = new Project(processes);
    const { manager, tools } = project;
    const registry = createRegistry({ tools, resources: [serviceResources(manager)] });
    project.#serving = await serve(registry, options);
    await manager.start(AbortSignal.timeout(TOLD_WITHIN_MS));
    return project;
  }

  get manager(): Manager {
    const load = () => loadBpmConfig(`${this.folder}/.mcp-run`).config;
    return this.#manager ??= Manager.open({
      folder: this.folder,
      config: load(),
      load,
      stateFolder: `${this.folder}/.state`,
      now: () => this.nowMs,
      searchLimitMs: this.searchLimitMs,
    });
  }

  /** The same ones in all calls: `usage` counts from one to the next. */
  get tools(): readonly Tool[] {
    return this.#tools ??= bpmTools(this.manager);
  }

  /** Of MCP, where it is served. */
  get url(): string {
    ok(this.#serving !== undefined, "it is not served");
    return this.#serving.url;
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = `${this.folder}/${name}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  /** Calls a tool as a client would; a failure is thrown. */
  async ask(name: string, args: Record<string, unknown> = {}, signal = never): Promise<ToolResult> {
    const tool = this.tools.find((each) => each.name === name) as Tool;
    const result = await tool.run(args, { signal, progress: () => {} } as unknown as ToolContext);
    if (tool.output !== undefined) ok(checkValue(tool.output.json, result.structured).ok, result.text);
    return result;
  }

  /** The same, for its text. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    return (await this.ask(name, args)).text;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const limit = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      ok(performance.now() < limit, `${what} does not come: ${this.manager.statusText()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving?.[Symbol.asyncDispose]();
    await this.#manager?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function configOf(processes: string): string {
  return `mcp_port = 0\nrelease_crash_backoff_initial_seconds = 1000\n${processes}`;
}
