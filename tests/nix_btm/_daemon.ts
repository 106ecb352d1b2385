/** A daemon as a process, and who feeds it as Nix 2.30 does. For tests. @module */
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { until } from "../keeper/_log.ts";
import { Client } from "../../lib/nix_btm/mod.ts";
import { Doorbell } from "../../lib/ring/mod.ts";

const [PROGRAM, ...ARGS] = toolCommand("nix-btm");

export class DaemonProcess implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "nix-btm-" });
  readonly socket = `${this.folder}/run/nix.sock`;
  readonly control = `${this.folder}/run/control.sock`;
  readonly env = {
    RUNTIME_DIRECTORY: `${this.folder}/run`,
    STATE_DIRECTORY: `${this.folder}/state`,
    NO_COLOR: "1",
  };
  log = "";
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<void> | undefined;

  get pid(): number {
    return this.#child!.pid;
  }

  /** Starts it, and resolves when it takes logs. */
  async start(...words: string[]): Promise<this> {
    this.log = "";
    this.#child = new Deno.Command(PROGRAM, {
      // What else is on this machine has no part in it.
      args: [
        ...ARGS,
        "daemon",
        ...(words.includes("--agent") ? [] : ["--agent", "off", "--usage-from", "off"]),
        ...words,
      ],
      env: this.env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read(this.#child.stderr);
    await until("the daemon", () => /taking logs of Nix/.test(this.log)).catch((error) => {
      throw new Error(`${error.message}: ${this.log}`);
    });
    return this;
  }

  /** Ends it; returns its exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    const child = this.#child!;
    this.#child = undefined;
    child.kill(signal);
    const { code } = await child.status;
    await this.#reading;
    return code;
  }

  /** A command of the tool, to its end. */
  async run(
    ...words: string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const { code, stdout, stderr } = await new Deno.Command(PROGRAM, {
      args: [...ARGS, ...words],
      env: this.env,
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  }

  /** A log that begins, as json-log-path writes it. */
  async connect(): Promise<Feed> {
    return new Feed(await Deno.connect({ transport: "unix", path: this.socket }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.log += text;
  }
}

/** One connection of Nix. */
export class Feed implements Disposable {
  readonly #conn: Deno.UnixConn;
  #isOpen = true;

  constructor(conn: Deno.UnixConn) {
    this.#conn = conn;
  }

  /** Lines of standard error: their mark is taken off, and what has none does not go there. */
  async write(text: string): Promise<void> {
    const lines = text.split("\n").flatMap((line) => line.startsWith("@nix ") ? [`${line.slice(5)}\n`] : []);
    const bytes = new TextEncoder().encode(lines.join(""));
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
  }
}

/** A client that follows; its worlds are those of the daemon as soon as it has heard of them. */
export class Follower implements AsyncDisposable {
  readonly client: Client;
  changes = 0;
  readonly #doorbell: Doorbell;
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;

  constructor(control: string, folder: string) {
    this.client = new Client({ kind: "unix", path: control });
    this.#doorbell = Doorbell.create(`${folder}/doorbell-${crypto.randomUUID()}`);
    const { signal } = this.#abort;
    this.#following = this.client.follow(this.#doorbell, { signal, onChange: () => void this.changes++ });
  }

  /** Builds of the daemon's own host by name, and how they stand. */
  get builds(): Record<string, string> {
    const jobs = [...this.client.worlds.get("")?.jobs.values() ?? []].filter(({ kind }) => kind === "build");
    return Object.fromEntries(jobs.map(({ name, state }) => [name, state.kind]));
  }

  until(what: string, holds: () => boolean): Promise<void> {
    return until(what, holds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#following.catch((error) => {
      if (!this.#abort.signal.aborted) throw error;
    });
    this.client[Symbol.dispose]();
    await this.#doorbell[Symbol.asyncDispose]();
  }
}
