/** A project that a real `bpm serve` runs, and the commands that ask it. */
import { ok } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { deadline } from "../../lib/async/mod.ts";
import { freePort } from "../free_port.ts";

const PATIENCE_MS = 60_000;

/** What a command said and how it ended. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class RunningProject implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #manager: Deno.ChildProcess;
  readonly #log: ReadableStreamDefaultReader<string>;
  #ended: Promise<void> | undefined;

  /** Resolves when all processes were started. `head` is for keys of the whole file. */
  static async start(
    processes: string,
    head = "",
    files: Readonly<Record<string, string>> = {},
  ): Promise<RunningProject> {
    const folder = await Deno.makeTempDir({ prefix: "bpm-" });
    const port = freePort();
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await Deno.writeTextFile(`${folder}/.mcp-run`, `mcp_port = ${port}\n${head}\n${processes}`);
    const project = new RunningProject(folder, port);
    await project.#saying(/all processes were started/);
    return project;
  }

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.#manager = this.command(["serve", "--quiet", folder], { stdin: "null", stdout: "null" }).spawn();
    this.#log = this.#manager.stderr.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Of MCP. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get stateHome(): string {
    return `${this.folder}/state`;
  }

  /** Environment of every command. */
  get env(): Record<string, string> {
    return { XDG_STATE_HOME: this.stateHome, NO_COLOR: "1" };
  }

  /** How a command of bpm is started. */
  words(...words: string[]): { readonly program: string; readonly args: readonly string[] } {
    const [program, ...args] = toolCommand("bpm");
    return { program, args: [...args, ...words] };
  }

  /** A command of bpm in the project's folder. */
  command(words: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    const { program, args } = this.words(...words);
    return new Deno.Command(program, {
      args: [...args],
      cwd: this.folder,
      env: this.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...options,
    });
  }

  /** Runs one to its end. */
  async run(...words: string[]): Promise<Said> {
    using limit = deadline(PATIENCE_MS);
    const { code, stdout, stderr } = await this.command(words, { signal: limit.signal }).output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  }

  async #saying(pattern: RegExp): Promise<void> {
    for (let text = ""; !pattern.test(text);) {
      const { value, done } = await this.#log.read();
      ok(!done, `the manager ended: ${text}`);
      text += value;
    }
  }

  /** Ends the manager and its processes. */
  end(): Promise<void> {
    return this.#ended ??= (async () => {
      this.#manager.kill("SIGTERM");
      await this.#manager.status;
      await this.#log.cancel();
    })();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.folder, { recursive: true });
  }
}
