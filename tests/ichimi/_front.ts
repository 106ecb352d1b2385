/** Assistants over standard input and output, with a daemon and a home of their own. @module */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { managerOf } from "../../lib/supervisor/mod.ts";
import { more } from "../more.ts";
import { until } from "../keeper/_log.ts";
import { denoDir } from "../mcp/outside_tools.ts";

/** A home whose daemon is started by the first who needs it. */
export class Home implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "ichimi-" });
  readonly state = `${this.folder}/state/hostkit/ichimi`;
  readonly env = {
    ...Deno.env.toObject(),
    HOME: this.folder,
    XDG_STATE_HOME: `${this.folder}/state`,
    XDG_CONFIG_HOME: `${this.folder}/config`,
    NO_COLOR: "1",
    DENO_DIR: denoDir(),
  };

  constructor() {
    Deno.mkdirSync(`${this.folder}/project`);
  }

  /** What its daemon is told in its configuration. */
  configure(toml: string): void {
    Deno.mkdirSync(`${this.folder}/config/hostkit`, { recursive: true });
    Deno.writeTextFileSync(`${this.folder}/config/hostkit/ichimi.toml`, toml);
  }

  /** Of the daemon; 0 while there is none. */
  get pid(): number {
    return managerOf(this.state) ?? 0;
  }

  /** What the daemon has written to its log. */
  get log(): string {
    return Deno.readTextFileSync(`${this.state}/daemon.log`);
  }

  assistant(options: AssistantOptions = {}): Promise<Assistant> {
    return Assistant.connect(this, options);
  }

  /** Runs a command of the tool to its end. */
  async run(
    ...words: string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const [program, ...args] = toolCommand("ichimi-server");
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, ...words],
      cwd: `${this.folder}/project`,
      env: this.env,
      clearEnv: true,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Says lines to a front end as they are, and returns what it answers until there are answers to all of `ids`. */
  // deno-lint-ignore no-explicit-any
  async talk(lines: readonly string[], ids: readonly unknown[]): Promise<any[]> {
    const [program, ...args] = toolCommand("ichimi-server");
    const child = new Deno.Command(program, {
      args,
      cwd: `${this.folder}/project`,
      env: this.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    // deno-lint-ignore no-explicit-any
    const answers: any[] = [];
    let text = "";
    for (const line of lines) await writer.write(new TextEncoder().encode(`${line}\n`));
    while (!ids.every((id) => answers.some((answer) => answer.id === id))) {
      text += await more(reader);
      const whole = text.split("\n");
      text = whole.pop()!;
      answers.push(...whole.map((line) => JSON.parse(line)));
    }
    await writer.close();
    await reader.cancel();
    await child.status;
    return answers;
  }

  /** Waits until there is no daemon any more. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const { pid } = this;
    if (pid === 0) return;
    Deno.kill(pid, signal);
    await until("the daemon's end", () => this.pid !== pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** How an assistant comes. */
export interface AssistantOptions {
  readonly mode?: "auto" | "legacy";
  readonly args?: readonly string[];
  /** Below the home's folder. */
  readonly folder?: string;
}

/** A client of the protocol's own library, which starts its server as all do. */
export class Assistant implements AsyncDisposable {
  readonly client: Client;
  readonly pid: number;

  private constructor(client: Client, pid: number) {
    this.client = client;
    this.pid = pid;
  }

  static async connect(home: Home, { mode = "auto", args = [], folder = "project" }: AssistantOptions) {
    const client = new Client({ name: "tester", version: "9" }, { versionNegotiation: { mode } });
    const [command, ...words] = toolCommand("ichimi-server");
    const transport = new StdioClientTransport({
      command,
      args: [...words, ...args],
      env: home.env,
      cwd: `${home.folder}/${folder}`,
      stderr: "inherit",
    });
    await client.connect(transport);
    return new Assistant(client, transport.pid!);
  }

  /** What a tool says; a failure is thrown. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content, isError } = await this.client.callTool({ name, arguments: args });
    const text = content.map((each) => each.type === "text" ? each.text : "").join("\n");
    if (isError === true) throw new Error(text);
    return text;
  }

  /** A shell's script as a process that runs. */
  async run(id: string, script: string, more: Record<string, unknown> = {}): Promise<void> {
    await this.call("create_process", { id, command: "sh", args: ["-c", script], ...more });
    await this.call("start_process", { id });
  }

  /** As the list tells it. */
  async state(id: string): Promise<string> {
    const list: { id: string; state: string | object }[] = JSON.parse(await this.call("list_processes"));
    const state = list.find((each) => each.id === id)?.state ?? "gone";
    return typeof state === "string" ? state : Object.keys(state)[0]!;
  }

  /** It dies, without a word. */
  kill(): void {
    Deno.kill(this.pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
