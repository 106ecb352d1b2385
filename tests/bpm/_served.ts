/** A project under a real `bpm serve`, and a client of it. For tests. @module */
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { freePort } from "../free_port.ts";
import { until } from "../keeper/_log.ts";

const [PROGRAM, ...ARGS] = toolCommand("bpm");

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

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
    const params = { name, arguments: args, _meta: META };
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

/** A project with its manager as a process. */
export class Served implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "bpm-hostile-" });
  readonly port = freePort();
  readonly client = new Client(this.port);
  #child: Deno.ChildProcess | undefined;
  /** What the manager has said on standard error. */
  log = "";
  #reading: Promise<void> | undefined;

  constructor(config: string, files: Readonly<Record<string, string>> = {}) {
    Deno.writeTextFileSync(`${this.folder}/.mcp-run`, `mcp_port = ${this.port}\n${config}`);
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${this.folder}/${name}`, text);
  }

  get pid(): number {
    return this.#child!.pid;
  }

  /** Starts the manager; `prefix` is a shell's words before it. */
  async start(prefix = ""): Promise<this> {
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", `${prefix} exec "$0" "$@"`, PROGRAM, ...ARGS, "serve", "--quiet", this.folder],
      cwd: this.folder,
      env: { XDG_STATE_HOME: `${this.folder}/state` },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read(this.#child.stderr);
    await this.until("MCP", () => /serving MCP/.test(this.log));
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

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}
