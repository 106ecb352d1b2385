/** Talking to a keeper: frames over its control socket. @module */
import { KEEPER_COMMANDS, KEEPER_FRAME_BYTES } from "../../ffi/keeper/mod.ts";
import { SystemError } from "../../ffi/errno.ts";
import { KeeperConnection } from "../../ffi/sockets/mod.ts";
import { signalNumber } from "../../ffi/sys/mod.ts";

const HEADER_BYTES = 8;

/** Bytes of a unix socket's address without the NUL at its end; longer ones are not the runtime's to connect to. */
const ADDRESS_BYTES = 107;
/** A keeper that many connect to at once takes them in turn: how long one waits, and until it tries again. */
const TURN_LIMIT_MS = 2_000;
const TURN_EVERY_MS = 5;

/** A connection to a keeper. It has eight at a time; for the next one, the one that was silent longest is closed. */
export class KeeperControl implements Disposable {
  readonly #connection: Pick<KeeperConnection, "write" | "close">;

  /**
   * Connects to the keeper of an instance.
   * @throws {Deno.errors.NotFound | Deno.errors.ConnectionRefused} When the keeper has ended.
   */
  static async open(folder: string): Promise<KeeperControl> {
    const path = `${folder}/control`;
    const isShort = new TextEncoder().encode(path).length <= ADDRESS_BYTES;
    return new KeeperControl(await (isShort ? connectInTurn(path) : connectAnyhow(folder)));
  }

  private constructor(connection: Pick<KeeperConnection, "write" | "close">) {
    this.#connection = connection;
  }

  /** Gives bytes to the child's standard input; resolves when the keeper has taken them. */
  async input(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += KEEPER_FRAME_BYTES) {
      await this.#send(KEEPER_COMMANDS.input, bytes.subarray(at, at + KEEPER_FRAME_BYTES));
    }
  }

  /** Closes the child's standard input; a terminal gets its end-of-file character. */
  endInput(): Promise<void> {
    return this.#send(KEEPER_COMMANDS.endInput, new Uint8Array());
  }

  /** Tells the terminal's size. @throws {RangeError} Outside of 0..65535. */
  window(rows: number, columns: number): Promise<void> {
    for (const size of [rows, columns]) checkRange("set the window's size", size, 0xffff);
    return this.#send(KEEPER_COMMANDS.window, new Uint8Array(Uint16Array.of(rows, columns).buffer));
  }

  /** Sends a signal to the child's process group. */
  signal(name: Deno.Signal): Promise<void> {
    return this.#send(KEEPER_COMMANDS.signal, new Uint8Array(Uint32Array.of(signalNumber(name)).buffer));
  }

  /**
   * Ends the instance: `signal` to the process group now, SIGKILL to the whole tree after `graceMs`.
   * @throws {RangeError} When that does not lie in 0..2³²−1 (49 days).
   */
  stop(graceMs: number, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    checkRange("stop with a grace period in ms", graceMs, 0xffff_ffff);
    const words = Uint32Array.of(signalNumber(signal), graceMs);
    return this.#send(KEEPER_COMMANDS.stop, new Uint8Array(words.buffer));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #send(kind: number, payload: Uint8Array): Promise<void> {
    const frame = new Uint8Array(HEADER_BYTES + Math.ceil(payload.length / 8) * 8);
    new Uint32Array(frame.buffer, 0, 2).set([payload.length, kind]);
    frame.set(payload, HEADER_BYTES);
    for (let at = 0; at < frame.length;) at += await this.#connection.write(frame.subarray(at));
  }
}

function checkRange(what: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return;
  throw new RangeError(`Cannot ${what}: ${value} does not lie in 0..${max}`);
}

/** The runtime's connection does not wait while others are before it. */
async function connectInTurn(path: string): Promise<Deno.UnixConn> {
  const limit = performance.now() + TURN_LIMIT_MS;
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock) || performance.now() > limit) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, TURN_EVERY_MS));
  }
}

/** With the runtime's own errors, as for a short path. */
async function connectAnyhow(folder: string): Promise<Pick<KeeperConnection, "write" | "close">> {
  const connection = await KeeperConnection.open(folder).catch(asRuntimes);
  return {
    write: (bytes) => connection.write(bytes).catch(asRuntimes),
    close: () => connection.close(),
  };
}

function asRuntimes(error: unknown): never {
  const { NotFound, ConnectionRefused, BrokenPipe, ConnectionReset } = Deno.errors;
  const kinds = {
    ENOENT: NotFound,
    ECONNREFUSED: ConnectionRefused,
    EPIPE: BrokenPipe,
    ECONNRESET: ConnectionReset,
  };
  const kind = error instanceof SystemError ? kinds[error.code as keyof typeof kinds] : undefined;
  throw kind === undefined ? error : new kind((error as Error).message, { cause: error });
}
