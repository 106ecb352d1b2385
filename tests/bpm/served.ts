/** A project under a manager that is served over HTTP as `bpm serve` does, in this process. */
import { ok } from "node:assert/strict";
import { bpmResources, bpmTools, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import { createRegistry, type HttpOptions } from "../../lib/mcp/mod.ts";
import { serve } from "../mcp/serving.ts";

export interface Served extends AsyncDisposable {
  readonly folder: string;
  readonly manager: Manager;
  /** Of MCP. */
  readonly url: string;
}

/** A process that a shell runs. */
export function shell(name: string, script: string, more = ""): string {
  return `[process.${name}]\ncommand = ["sh", "-c", ${JSON.stringify(script)}]\n${more}\n`;
}

/** Serves processes; those that start by themselves have been told to. */
export async function serveProject(processes: string, options: HttpOptions = {}): Promise<Served> {
  const folder = await Deno.makeTempDir({ prefix: "bpm-" });
  const file = `${folder}/.mcp-run`;
  await Deno.writeTextFile(file, `mcp_port = 0\nrelease_crash_backoff_initial_seconds = 1000\n${processes}`);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  // Cgroups are named after it, and are of all tests that run now.
  const stateFolder = `${folder}/${folder.slice(folder.lastIndexOf("/") + 1)}`;
  const load = () => loadBpmConfig(file).config;
  const manager = stack.use(Manager.open({ folder, config: load(), stateFolder, load }));
  const registry = createRegistry({ tools: bpmTools(manager), resources: [bpmResources(manager)] });
  const { url } = stack.use(await serve(registry, options));
  await manager.start(AbortSignal.timeout(200));
  const owned = stack.move();
  return { folder, manager, url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Messages of a stream of events, one after the other. */
export class Events implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next message. */
  async next(): Promise<
    { method?: string; params?: Record<string, unknown>; result?: Record<string, unknown> }
  > {
    for (;;) {
      const [, data, rest] = /^[^]*?^data: (.*)\n([^]*)$/m.exec(this.#text) ?? [];
      if (data !== undefined) {
        this.#text = rest!;
        return JSON.parse(data);
      }
      const { value, done } = await this.#reader.read();
      ok(!done, `the stream ended after ${this.#text}`);
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
