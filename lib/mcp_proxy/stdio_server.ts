/** A server that is a program: messages over its standard input and output. @module */
import { Lines } from "../mcp/lines.ts";
import { type ChildCommand, endGuarded, endText, guardedPid, readText, spawnGuarded } from "./child.ts";
import { LastLines } from "./ending.ts";
import type { ProxyLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import type { Server, ServerEvents } from "./server.ts";

/** How long a server may take to end once its standard input is closed, before it is sent SIGTERM. */
const END_MS = 1_000;
/** Lines of standard error that are kept for errors, and characters of each. */
export const KEPT_LINES = 20;
export const KEPT_CHARS = 500;
/** Output that is no message is shown up to so many characters. */
const SHOWN_CHARS = 200;

export class StdioServer implements Server {
  readonly closed: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #events: ServerEvents;
  readonly #limits: ProxyLimits;
  readonly #lines: Lines;
  readonly #last = new LastLines(KEPT_LINES, KEPT_CHARS);
  readonly #encoder = new TextEncoder();
  #waitingBytes = 0;
  #reading: ReturnType<typeof setTimeout> | undefined;
  #ending: ReturnType<typeof setTimeout> | undefined;
  #hasSpoken = false;
  /** Why it was ended, when that was done here. */
  #why: string | undefined;

  /** Starts it. @throws {Error} When it cannot be started at all. */
  constructor(command: ChildCommand, limits: ProxyLimits, events: ServerEvents) {
    this.#child = spawnGuarded(command, "piped");
    this.#writer = this.#child.stdin.getWriter();
    this.#events = events;
    this.#limits = limits;
    this.#lines = new Lines(limits.messageBytes);
    this.closed = this.#run();
    events.open();
  }

  get pid(): number {
    return guardedPid(this.#child);
  }

  send(message: Message): void {
    const bytes = this.#encoder.encode(`${JSON.stringify(message)}\n`);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > this.#limits.unreadBytes) {
      return this.kill(`did not read: ${this.#waitingBytes} bytes waited for it`);
    }
    this.#reading ??= this.#expectReading();
    this.#writer.write(bytes).then(() => this.#wasRead(bytes.length), () => "Its end is told by its status.");
  }

  end(): void {
    this.#why ??= "was asked to end";
    if (this.#ending !== undefined) return;
    this.#writer.close().catch(() => "It reads no more.");
    this.#ending = setTimeout(() => endGuarded(this.#child, "ask"), END_MS);
  }

  kill(why: string): void {
    this.#why ??= `${why}, and was killed`;
    endGuarded(this.#child, "kill");
  }

  async #run(): Promise<void> {
    const { stdout, stderr, status } = this.#child;
    const heard = this.#read(stdout).then(() => this.end());
    const said = readText(stderr, (text) => this.#say(text));
    const [end] = await Promise.all([status, heard, said]);
    clearTimeout(this.#reading);
    clearTimeout(this.#ending);
    // Where it has ended by itself, the pipe to it is broken.
    await this.#writer.close().catch(() => "It is closed already, or broken.");
    const { code, signal } = end;
    const what = this.#why === undefined || this.#isOwnEnd(end) ? endText(end) : this.#why;
    const by = signal === null ? { code } : { signal };
    this.#events.ended({ what, ...by, lines: this.#last.lines });
  }

  /** Whether it had ended before it was asked to: that its output ended is how that is seen. */
  #isOwnEnd({ code, signal }: Deno.CommandStatus): boolean {
    return this.#why === "was asked to end" && (code !== 0 || signal !== null);
  }

  async #read(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const piece of stdout) {
      for (const line of this.#lines.push(piece)) this.#take(line);
      await this.#events.room();
    }
    // What is left is half a message: whoever waits for the whole is told of the end.
  }

  #take(line: string | undefined): void {
    if (line === undefined) return this.#events.tooLong(this.#lines.droppedId);
    this.#hasSpoken = true;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Programs print to standard output by mistake; their client must not be ended by that.
      if (line.trim() !== "") this.#say(`(on standard output) ${line.slice(0, SHOWN_CHARS)}\n`);
      return;
    }
    for (const message of Array.isArray(value) ? value : [value]) this.#events.message(message);
  }

  #say(text: string): void {
    this.#last.push(text);
    this.#events.said(text);
  }

  #expectReading(): ReturnType<typeof setTimeout> {
    const { hangMs, startMs } = this.#limits;
    // One that starts may do much before it reads.
    const limitMs = this.#hasSpoken ? hangMs : Math.max(hangMs, startMs);
    return setTimeout(() => this.kill(`did not read its standard input for ${limitMs / 1_000} s`), limitMs);
  }

  #wasRead(bytes: number): void {
    this.#waitingBytes -= bytes;
    clearTimeout(this.#reading);
    this.#reading = this.#waitingBytes > 0 ? this.#expectReading() : undefined;
  }
}
