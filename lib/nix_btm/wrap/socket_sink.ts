/**
 * Tells a monitor on a unix socket what a command does, as Nix itself does since 2.30 with `json-log-path`. The build
 * never waits for that: what the socket does not take is held up to a limit and then dropped, and counted.
 * @module
 */
import { abortable, deadline, sleep } from "../../async/mod.ts";
import { OpenActivities } from "./_open.ts";
import type { Sink } from "./run.ts";
import { RecordSplitter } from "./split.ts";

/** What a stalled socket may hold back. From half of it on log lines and messages are dropped, at the end the rest. */
const QUEUE_BYTES = 8 * 1024 * 1024;
/** Between two tries to reach the socket; doubled from the first to the second. */
export const RETRY_MS: readonly [first: number, longest: number] = [100, 2_000];
/** What is still held at the end has this long to leave. */
export const CLOSE_MS = 1_000;
const BATCH_BYTES = 64 * 1024;

/** What became of the records. */
export interface SocketCounts {
  readonly sent: number;
  readonly dropped: number;
  readonly connections: number;
  /** Why it is not connected now. */
  readonly failure: string | undefined;
}

/** A sink that ends, and tells what became of what it took. */
export interface SocketSink extends AsyncDisposable {
  readonly take: Sink;
  /** Whether somebody listened when it was looked for first. */
  readonly reached: Promise<boolean>;
  counts(): SocketCounts;
}

/** Begins at once to look for the socket, and looks again whenever it is gone. Disposing sends what is held. */
export function socketSink(path: string, options: { queueBytes?: number } = {}): SocketSink {
  return new Feed(path, options.queueBytes ?? QUEUE_BYTES);
}

class Feed implements SocketSink {
  readonly #path: string;
  readonly #limit: number;
  readonly #splitter = new RecordSplitter({ record: (bytes) => this.#hold(bytes) });
  readonly #open = new OpenActivities();
  readonly #stop = new AbortController();
  readonly #reached = Promise.withResolvers<boolean>();
  readonly #running: Promise<void>;
  #held: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;
  #wake = Promise.withResolvers<void>();
  #closing = false;
  #sent = 0;
  #dropped = 0;
  #connections = 0;
  #failure: string | undefined;

  constructor(path: string, limit: number) {
    this.#path = path;
    this.#limit = limit;
    this.#running = this.#run();
  }

  readonly take = (bytes: Uint8Array): void => this.#splitter.take(bytes);

  get reached(): Promise<boolean> {
    return this.#reached.promise;
  }

  counts(): SocketCounts {
    const dropped = this.#dropped + this.#splitter.dropped;
    return { sent: this.#sent, dropped, connections: this.#connections, failure: this.#failure };
  }

  #hold(record: Uint8Array<ArrayBuffer>): void {
    const room = isChatter(record) ? this.#limit / 2 : this.#limit;
    if (this.#heldBytes + record.length > room) {
      this.#dropped++;
      return;
    }
    this.#held.push(record);
    this.#heldBytes += record.length;
    this.#wake.resolve();
  }

  /** A connection after the other until it is closed and nothing is held any more. */
  async #run(): Promise<void> {
    let retryMs = RETRY_MS[0];
    while (!this.#stop.signal.aborted && !(this.#closing && this.#held.length === 0)) {
      const connection = await this.#connect();
      if (connection === undefined) {
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS[1]);
        continue;
      }
      retryMs = RETRY_MS[0];
      await this.#feed(connection);
    }
  }

  async #connect(): Promise<Deno.UnixConn | undefined> {
    try {
      const connection = await Deno.connect({ transport: "unix", path: this.#path });
      this.#connections++;
      this.#reached.resolve(true);
      this.#failure = undefined;
      return connection;
    } catch (error) {
      // Nobody listens yet, or not any more: that is not the build's trouble.
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#reached.resolve(false);
      return undefined;
    }
  }

  async #feed(connection: Deno.UnixConn): Promise<void> {
    const gone = new AbortController();
    const watching = watchEnd(connection, gone);
    const signal = AbortSignal.any([gone.signal, this.#stop.signal]);
    try {
      // Another monitor than before knows nothing of what is under way.
      if (this.#connections > 1) {
        await abortable(send(connection, joined(this.#open.records().map(encoded))), signal);
      }
      while (!(this.#closing && this.#held.length === 0)) {
        if (this.#held.length === 0) await abortable(this.#more(), signal);
        else await this.#sendBatch(connection, signal);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    } finally {
      connection.close();
      await watching;
    }
  }

  async #sendBatch(connection: Deno.UnixConn, signal: AbortSignal): Promise<void> {
    let count = 0;
    for (let size = 0; count < this.#held.length && size < BATCH_BYTES; count++) {
      size += this.#held[count]!.length;
    }
    const batch = this.#held.slice(0, count);
    // What was torn is told again as a whole: another connection is another beginning.
    await abortable(send(connection, joined(batch)), signal);
    this.#held.splice(0, count);
    for (const record of batch) {
      this.#heldBytes -= record.length;
      this.#open.take(new TextDecoder().decode(record));
    }
    this.#sent += count;
  }

  async #more(): Promise<void> {
    this.#wake = Promise.withResolvers();
    await this.#wake.promise;
  }

  /** Ends early when it is closed. */
  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, { signal: this.#stop.signal });
    } catch (error) {
      if (error !== this.#stop.signal.reason) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#wake.resolve();
    // Who was looked for in vain all that time does not come now.
    const never = this.#connections === 0 && this.#failure !== undefined;
    using limit = deadline(never ? 0 : CLOSE_MS);
    limit.signal.addEventListener("abort", () => this.#stop.abort(limit.signal.reason), { once: true });
    await this.#running;
    this.#dropped += this.#held.splice(0).length;
  }
}

/** Resolves when the other side has gone: it has nothing to say to us. */
async function watchEnd(connection: Deno.UnixConn, gone: AbortController): Promise<void> {
  const scratch = new Uint8Array(256);
  try {
    while (await connection.read(scratch) !== null);
    gone.abort(new Error("the monitor has closed the connection"));
  } catch (error) {
    gone.abort(error); // Closed by us, or torn.
  }
}

async function send(connection: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

const MESSAGE = new TextEncoder().encode('{"action":"msg"');
const LOG_LINE = new TextEncoder().encode('"type":101}');

/** Messages and lines of build logs: without them a monitor's picture is still right. */
function isChatter(record: Uint8Array): boolean {
  return MESSAGE.every((byte, at) => record[at] === byte) ||
    LOG_LINE.every((byte, at) => record[record.length - LOG_LINE.length + at] === byte);
}

function encoded(record: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(record);
}

/** Each with a newline. */
function joined(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(records.reduce((sum, { length }) => sum + length + 1, 0));
  let at = 0;
  for (const record of records) {
    whole.set(record, at);
    at += record.length;
    whole[at++] = 10;
  }
  return whole;
}
