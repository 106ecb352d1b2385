/** The unix socket on which other programs push metrics and events: accepts, tells the protocols apart, keeps the limits. @module */
import { setUmask } from "../../../ffi/sys/mod.ts";
import { eventOf } from "../../events/mod.ts";
import type { Labels } from "../../metrics/mod.ts";
import type { Fields, Log } from "../../log/mod.ts";
import { isSocketTaken } from "../../web/listen.ts";
import { parseMessage } from "./binary.ts";
import { parseLine } from "./line.ts";
import type { Pushed, PushedItem } from "./pushed.ts";
import { type ExternalStore, MAX_IDENTITY_CHARS } from "./store.ts";

export type Protocol = "auto" | "binary" | "line";

/** Settings of the socket. */
export interface ExternalServerOptions {
  readonly path: string;
  readonly protocol: Protocol;
  readonly maxConnections: number;
  readonly maxMetricsPerConnection: number;
  readonly mode: number;
  /** Numeric group. */
  readonly gid?: number;
  readonly store: ExternalStore;
  readonly log: Log;
  /** A steady clock, in milliseconds. */
  readonly now: () => number;
  /** Unix milliseconds. */
  readonly unixNow?: () => number;
}

/** What one connection needs of them. */
type SessionOptions = Pick<
  ExternalServerOptions,
  "protocol" | "maxMetricsPerConnection" | "store" | "log" | "now" | "unixNow"
>;

/** So many mistakes of a connection are told; the rest is only counted, or garbage would fill the log. */
const TOLD_MISTAKES = 8;

/** A line longer than this ends the connection: nothing says where the next one begins. */
const MAX_LINE_BYTES = 65_536;

/** Listens until disposed. @throws {Error} When the path is occupied or cannot be bound. */
export class ExternalServer implements AsyncDisposable {
  readonly #options: ExternalServerOptions;
  readonly #listener: Deno.UnixListener;
  readonly #connections = new Set<Deno.UnixConn>();
  readonly #accepting: Promise<void>;

  private constructor(options: ExternalServerOptions, listener: Deno.UnixListener) {
    this.#options = options;
    this.#listener = listener;
    this.#accepting = this.#accept();
  }

  static async start(options: ExternalServerOptions): Promise<ExternalServer> {
    if (await isSocketTaken(options.path)) {
      throw new Error(`Cannot listen for pushed metrics on ${options.path}: another process answers there`);
    }
    let listener: Deno.UnixListener | undefined;
    try {
      listener = listenAlone(options.path);
      if (options.gid !== undefined) await Deno.chown(options.path, null, options.gid);
      await Deno.chmod(options.path, options.mode);
      return new ExternalServer(options, listener);
    } catch (cause) {
      listener?.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Cannot listen for pushed metrics on ${options.path}: ${why}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
    await this.#accepting;
    await Deno.remove(this.#options.path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Somebody removed it before us.
    });
  }

  async #accept(): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const connection of this.#listener) {
      if (this.#connections.size >= this.#options.maxConnections) {
        this.#options.log.warn(
          `pushed metrics: ${this.#connections.size} connections already, one more is refused`,
        );
        connection.close();
        continue;
      }
      this.#connections.add(connection);
      const work: Promise<void> = this.#serve(connection).finally(() => running.delete(work));
      running.add(work);
    }
    await Promise.all(running);
  }

  async #serve(connection: Deno.UnixConn): Promise<void> {
    const session = new Session(this.#options);
    const chunk = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await connection.read(chunk);
        if (count === null) return session.end();
        session.feed(chunk.subarray(0, count));
      }
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return; // We end.
      this.#options.store.countInvalid();
      this.#options.log.warn(
        `pushed metrics: connection ended: ${error instanceof Error ? error.message : error}`,
      );
    } finally {
      this.#connections.delete(connection);
      close(connection);
    }
  }
}

/** For this user alone, whatever the umask: nobody connects before the permissions are those that were asked for. */
function listenAlone(path: string): Deno.UnixListener {
  const before = setUmask(0o177);
  try {
    return Deno.listen({ transport: "unix", path });
  } finally {
    setUmask(before);
  }
}

/** One connection's bytes, labels and count. */
export class Session {
  readonly #options: SessionOptions;
  readonly #names = new Set<string>();
  #pending: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #protocol: "binary" | "line" | undefined;
  #labels: Labels = {};
  #mistakes = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    if (options.protocol !== "auto") this.#protocol = options.protocol;
  }

  /** Takes bytes as they come. @throws {SyntaxError} When nobody knows any more where an item begins. */
  feed(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    this.#pending = all;
    if (this.#protocol === undefined) {
      if (all.length < 4) return;
      this.#protocol = LATIN1.decode(all.subarray(0, 4)) === "REZL" ? "binary" : "line";
    }
    if (this.#protocol === "binary") this.#messages();
    else this.#lines();
  }

  /** The connection has ended: what is left without a newline is a line too. */
  end(): void {
    if (this.#protocol !== "binary" && this.#pending.length > 0) this.#line(TEXT.decode(this.#pending));
  }

  #messages(): void {
    while (this.#pending.length > 0) {
      const found = parseMessage(this.#pending);
      if (found.kind === "partial") return;
      this.#pending = this.#pending.slice(found.bytes);
      if (found.kind === "message") { for (const item of found.items) this.#take(item); }
      else this.#complain(found.reason);
    }
  }

  #lines(): void {
    let start = 0;
    for (;;) {
      const end = this.#pending.indexOf(10, start);
      if (end < 0) break;
      this.#line(TEXT.decode(this.#pending.subarray(start, end)));
      start = end + 1;
    }
    this.#pending = this.#pending.slice(start);
    if (this.#pending.length > MAX_LINE_BYTES) {
      throw new SyntaxError(`Cannot read line: more than ${MAX_LINE_BYTES} bytes without an end`);
    }
  }

  #line(text: string): void {
    try {
      const item = parseLine(text);
      if (item !== undefined) this.#take(item);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      this.#complain(error.message);
    }
  }

  #take(item: PushedItem): void {
    switch (item.kind) {
      case "session":
        return this.#takeSession(item.labels);
      case "metric":
        return this.#takeMetric({ ...item.metric, labels: { ...this.#labels, ...item.metric.labels } });
      case "event":
        return this.#takeEvent({ ...this.#labels, ...item.labels });
      case "gone": {
        const metric = { name: item.name, labels: { ...this.#labels, ...item.labels } };
        this.#names.delete(identityOf(metric));
        return this.#options.store.forget(metric);
      }
      case "help": {
        const refused = this.#options.store.describe(item.name, item.text);
        if (refused !== undefined) this.#complain(refused);
        return;
      }
      default:
        return item satisfies never;
    }
  }

  #takeSession(labels: Labels): void {
    const chars = JSON.stringify(labels).length;
    if (chars <= MAX_IDENTITY_CHARS) this.#labels = labels;
    else this.#complain(`session labels have ${chars} characters, at most ${MAX_IDENTITY_CHARS} are taken`);
  }

  #takeMetric(metric: Pushed): void {
    const identity = identityOf(metric);
    if (!this.#names.has(identity) && this.#names.size >= this.#options.maxMetricsPerConnection) {
      return this.#complain(`a connection may push ${this.#options.maxMetricsPerConnection} metrics`);
    }
    const refused = this.#options.store.push(metric, this.#options.now());
    if (refused === undefined) this.#names.add(identity);
    else this.#tell(`a metric is refused: ${refused}`, { metric: metric.name.slice(0, NAME_CHARS) });
  }

  #takeEvent(labels: Labels): void {
    const { store, unixNow = Date.now } = this.#options;
    try {
      store.events.add(eventOf(labels, unixNow()));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      store.countRefusedEvent();
      this.#tell(error.message);
    }
  }

  #complain(reason: string): void {
    this.#options.store.countInvalid();
    this.#tell(reason);
  }

  #tell(reason: string, fields: Fields = {}): void {
    if (++this.#mistakes > TOLD_MISTAKES) return;
    const last = this.#mistakes === TOLD_MISTAKES ? " (no more is told of this connection)" : "";
    this.#options.log.warn(`pushed metrics: ${reason}${last}`, fields);
  }
}

function identityOf({ name, labels }: Pick<Pushed, "name" | "labels">): string {
  return `${name} ${JSON.stringify(labels)}`;
}

/** Closes a connection that the end of the server may have closed before. */
function close(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Characters of a refused metric's name that are told. */
const NAME_CHARS = 80;

const TEXT = new TextDecoder();
const LATIN1 = new TextDecoder("latin1");
