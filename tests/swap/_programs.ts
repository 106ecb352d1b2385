/** Servers and clients that tests of swaps run: our own in C, and those that know nothing of us. @module */
import { ROOT, TEST_BUILD } from "../../lib/build/paths.ts";
import { WARNINGS } from "../../lib/build/native.ts";
import { exec, exists } from "../../lib/build/step.ts";

/** Builds a program of this folder. */
export async function build(name: string, ...flags: string[]): Promise<string> {
  const output = `${TEST_BUILD}swap_${name}${flags.includes("-static") ? "_static" : ""}`;
  const source = `${ROOT}tests/swap/${name}.c`;
  if (exists(output) && Deno.statSync(output).mtime! > Deno.statSync(source).mtime!) return output;
  await Deno.mkdir(TEST_BUILD, { recursive: true });
  const made = `${output}.${Deno.pid}`;
  await exec("gcc", [...WARNINGS, "-O2", ...flags, source, "-o", made, "-pthread"]);
  await Deno.rename(made, output); // several test files may build it at the same time
  return output;
}

/** Builds the server in Rust; false where there is no compiler. */
export async function canBuildRust(): Promise<boolean> {
  const output = `${TEST_BUILD}swap_server_rust`;
  const source = `${ROOT}tests/swap/server.rs`;
  if (exists(output) && Deno.statSync(output).mtime! > Deno.statSync(source).mtime!) return true;
  try {
    await exec("rustc", ["-O", source, "-o", `${output}.${Deno.pid}`]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  await Deno.rename(`${output}.${Deno.pid}`, output);
  return true;
}

/** What the clients counted. */
export interface LoadResult {
  readonly answered: number;
  readonly failed: number;
  /** Took more than two seconds. */
  readonly slow: number;
  readonly longestMs: number;
  readonly connections: number;
  readonly seconds: number;
  readonly firstFailure: string;
}

export interface LoadOptions {
  readonly port: number;
  readonly clients: number;
  readonly keepAlive: boolean;
  /** Between two requests of a client, on the average. */
  readonly pauseUs?: number;
  readonly method?: "GET" | "POST";
}

/** Clients at work. */
export class Load {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  /** Resolves when the first answer has come. */
  static async start(options: LoadOptions): Promise<Load> {
    const { port, clients, keepAlive, pauseUs = 0, method = "GET" } = options;
    const load = new Load(
      await build("load"),
      [port, clients, keepAlive ? 1 : 0, pauseUs, method].map(String),
    );
    const { value } = await load.#reader.read();
    if (value !== "begun\n") throw new Error(`Cannot load port ${port}: ${value}`);
    return load;
  }

  private constructor(program: string, args: string[]) {
    this.#child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Ends the clients and tells what they counted. */
  async stop(): Promise<LoadResult> {
    await this.#child.stdin.close();
    let text = "";
    for (let part = await this.#reader.read(); !part.done; part = await this.#reader.read()) {
      text += part.value;
    }
    await this.#child.status;
    return JSON.parse(text);
  }
}

/** A server that listens on a port, and the line by which it tells that it does. */
export interface Server {
  readonly command: [string, ...string[]];
  readonly ready: RegExp;
}

const PYTHON = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\\n")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("up", flush=True)
server.serve_forever()
`;

/** Servers by name; none of them knows anything of swaps, except that `c` takes a socket that is passed to it. */
export const SERVERS: Readonly<Record<string, (port: number) => Server>> = {
  node: (port) => ({
    command: [
      "node",
      "-e",
      `require("http").createServer((q, r) => r.end("ok\\n")).listen(${port}, "127.0.0.1", () => console.log("up"))`,
    ],
    ready: /^up$/m,
  }),
  deno: (port) => ({
    command: [
      Deno.execPath(),
      "eval",
      `Deno.serve({ port: ${port}, hostname: "127.0.0.1" }, () => new Response("ok\\n"))`,
    ],
    ready: /Listening on/,
  }),
  python: (port) => ({ command: ["python3", "-c", PYTHON, String(port)], ready: /^up$/m }),
  c: () => ({ command: [`${TEST_BUILD}swap_server`], ready: /^up$/m }),
  rust: () => ({ command: [`${TEST_BUILD}swap_server_rust`], ready: /^up$/m }),
  static: () => ({ command: [`${TEST_BUILD}swap_server_static`], ready: /^up$/m }),
};
