/**
 * A client of QEMU's machine protocol (QEMU docs/interop/qmp-spec.rst): lines of JSON on a unix socket, a greeting first,
 * one answer for each command, events between them.
 * @module
 */

/** What QEMU refuses. */
export class QmpError extends Error {
  override readonly name = "QmpError";
  /** `GenericError`, `CommandNotFound`. */
  readonly errorClass: string;

  constructor(command: string, errorClass: string, description: string) {
    super(`QEMU refuses "${command}": ${description}`);
    this.errorClass = errorClass;
  }
}

export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

type Message =
  | { readonly QMP: unknown }
  | { readonly return: unknown; readonly id?: number }
  | { readonly error: { readonly class: string; readonly desc: string }; readonly id?: number }
  | QmpEvent;

interface Waiting {
  readonly command: string;
  readonly answer: PromiseWithResolvers<unknown>;
}

/** A line is an answer; the longest of those that are asked for here have some thousand bytes. */
const LINE_MAX = 1 << 20;
/** QEMU answers within milliseconds, unless it hangs. */
const ANSWER_LIMIT_MS = 10_000;

/** One connection. QEMU has one at a time for each socket: the next one waits until this one is closed. */
export class QmpClient implements AsyncDisposable {
  readonly #connection: Deno.UnixConn;
  readonly #tell: (event: QmpEvent) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #greeted = Promise.withResolvers<void>();
  readonly #reading: Promise<void>;
  #id = 0;
  #isClosed = false;

  /** Connects and negotiates. @throws {Error} When nobody listens there, or it is no QEMU. */
  static async open(path: string, tell: (event: QmpEvent) => void): Promise<QmpClient> {
    const client = new QmpClient(await Deno.connect({ transport: "unix", path }), tell);
    try {
      await client.#within("the greeting", client.#greeted.promise);
      await client.execute("qmp_capabilities");
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(connection: Deno.UnixConn, tell: (event: QmpEvent) => void) {
    this.#connection = connection;
    this.#tell = tell;
    this.#greeted.promise.catch(() => "Told by `open`, unless that has failed already.");
    this.#reading = this.#read();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs a command; resolves with what it returns. @throws {QmpError} @throws {Error} When QEMU has ended or hangs. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#isClosed) throw ended(command);
    const id = ++this.#id;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { command, answer });
    try {
      const line = `${JSON.stringify({ execute: command, arguments: args, id })}\n`;
      const sent = writeAll(this.#connection, new TextEncoder().encode(line));
      sent.catch((error) => answer.reject(error));
      return await this.#within(`the answer to "${command}"`, answer.promise);
    } finally {
      this.#waiting.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#reading;
  }

  async #within<T>(what: string, promise: Promise<T>): Promise<T> {
    const limit = Promise.withResolvers<never>();
    const seconds = ANSWER_LIMIT_MS / 1_000;
    const timer = setTimeout(
      () => limit.reject(new Error(`QEMU hangs: ${what} does not come in ${seconds} s`)),
      ANSWER_LIMIT_MS,
    );
    try {
      return await Promise.race([promise, limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Until the connection is closed, by either side. */
  async #read(): Promise<void> {
    const buffer = new Uint8Array(16_384);
    const decoder = new TextDecoder();
    let text = "";
    try {
      for (let count; (count = await this.#connection.read(buffer)) !== null;) {
        text += decoder.decode(buffer.subarray(0, count), { stream: true });
        const lines = text.split("\n");
        text = lines.pop()!;
        if (text.length > LINE_MAX) throw new Error(`a line has more than ${LINE_MAX} characters`);
        for (const line of lines) this.#take(JSON.parse(line));
      }
      this.#fail(undefined);
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(message: Message): void {
    if ("QMP" in message) return this.#greeted.resolve();
    if ("event" in message) return this.#tell(message);
    const waiting = this.#waiting.get(message.id ?? -1);
    if (waiting === undefined) return;
    const { command, answer } = waiting;
    if ("return" in message) answer.resolve(message.return);
    else answer.reject(new QmpError(command, message.error.class, message.error.desc));
  }

  #fail(cause: unknown): void {
    this.#close();
    this.#greeted.reject(new Error("Cannot speak with QEMU: it has ended", { cause }));
    for (const { command, answer } of this.#waiting.values()) answer.reject(ended(command, cause));
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}

function ended(command: string, cause?: unknown): Error {
  return new Error(`Cannot run "${command}": QEMU has ended`, { cause });
}

async function writeAll(connection: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
