/** Projects of `.mcp-run` under a manager in this process. For tests. @module */
import { ok } from "node:assert/strict";
import { bpmTools, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import type { Tool, ToolContext } from "../../lib/mcp/mod.ts";

const never = new AbortController().signal;

/** A project with a manager, and a clock that is the test's. */
export class Project implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "bpm-" });
  nowMs = Date.now();
  searchLimitMs = 60_000;
  #manager: Manager | undefined;

  constructor(files: Readonly<Record<string, string>>) {
    this.write(files);
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

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = `${this.folder}/${name}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  /** Calls a tool as a client would; a failure is thrown. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const tool = bpmTools(this.manager).find((each) => each.name === name) as Tool;
    const context = { signal: never, progress: () => {} } as unknown as ToolContext;
    return (await tool.run(args, context)).text;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const limit = performance.now() + 60_000;
    while (!(await holds())) {
      ok(performance.now() < limit, `${what} does not come: ${this.manager.statusText()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#manager?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
