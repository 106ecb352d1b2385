/** A project under a real `bpm serve`, the commands that ask it, and a client of its protocol. For tests. @module */
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { deadline } from "../../lib/async/mod.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";
import { ENVELOPE } from "../mcp/serving.ts";

const [PROGRAM, ...ARGS] = toolCommand("bpm");

const PATIENCE_MS = 60_000;

/** A tool's answer. */
export interface Answer {
  readonly text: string;
  readonly isError: boolean;
  // deno-lint-ignore no-explicit-any
  readonly structured: any;
}

/** A client of the protocol without a handshake: one request, one answer. */
export class Client implements Disposable {
  readonly #url: string;
  readonly #http = Deno.createHttpClient({ poolMaxIdlePerHost: 64 });

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/mcp`;
  }

  /** Sends bytes as they are. */
  post(body: BodyInit, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
      client: this.#http,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async call(name: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Answer> {
    const headers = {
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    };
    const params = { name, arguments: args, _meta: ENVELOPE };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    const response = await this.post(body, headers, signal);
    const { result, error } = answerOf(await response.text());
    if (error !== undefined) throw new Error(`${name}: ${response.status} ${JSON.stringify(error)}`);
    const text = result.content.map((each: { text?: string }) => each.text ?? "").join("\n");
    return { text, isError: result.isError === true, structured: result.structuredContent };
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }
}

/** An answer that takes long comes as the last event of a stream. */
function answerOf(text: string) {
  if (text.startsWith("{")) return JSON.parse(text);
  const events = [...text.matchAll(/^data: ?(.+)$/gm)].map(([, data]) => JSON.parse(data!));
  return events.find((each) => "result" in each || "error" in each);
}

/** What a command said and how it ended. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A project with its manager as a process. */
export class Served implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "bpm-" });
  readonly port = freePort();
  readonly client = new Client(this.port);
  /** Of MCP. */
  readonly url = `http://127.0.0.1:${this.port}/mcp`;
  /** Environment of every command. */
  readonly env = { XDG_STATE_HOME: `${this.folder}/state`, NO_COLOR: "1" };
  /** What the manager has said on standard error. */
  log = "";
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<void> | undefined;

  /** @param config What of `.mcp-run` follows its port. */
  constructor(config: string, files: Readonly<Record<string, string>> = {}) {
    Deno.writeTextFileSync(`${this.folder}/.mcp-run`, `mcp_port = ${this.port}\n${config}`);
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${this.folder}/${name}`, text);
  }

  get pid(): number {
    return this.#child!.pid;
  }

  /** A command of bpm in the project's folder. */
  command(words: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    return new Deno.Command(PROGRAM, {
      args: [...ARGS, ...words],
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

  /** Starts the manager and resolves when it answers; `prefix` is a shell's words before it. */
  async start(prefix = ""): Promise<this> {
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", `${prefix} exec "$0" "$@"`, PROGRAM, ...ARGS, "serve", "--quiet", this.folder],
      cwd: this.folder,
      env: this.env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read(this.#child.stderr);
    await this.#says("MCP", /serving MCP/);
    return this;
  }

  /** The same, when all processes were started. */
  async startAll(): Promise<this> {
    await this.start();
    await this.#says("its processes", /all processes were started/);
    return this;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, holds).catch((error) => {
      throw new Error(`${error.message}; the manager has said:\n${this.log}`);
    });
  }

  /** Stops the manager as a service manager would; its exit code. */
  async stop(): Promise<number> {
    const child = this.#child!;
    this.#child = undefined;
    child.kill("SIGTERM");
    const { code } = await child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.stop();
    this.client[Symbol.dispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }

  async #says(what: string, pattern: RegExp): Promise<void> {
    await this.until(what, () => pattern.test(this.log));
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}
