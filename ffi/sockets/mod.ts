/**
 * Binding of listening sockets that outlive the programs that accept on them: opened here, inherited by exactly one
 * child at a time, and had back from keepers by a manager that was started anew.
 * @module
 */
import { openLibrary } from "../assets.ts";
import { cString } from "../c_string.ts";
import { check, errnoOf } from "../errno.ts";

const SYMBOLS = {
  sockets_listen_ip: { parameters: ["buffer", "u16"], result: "i32" },
  sockets_listen_unix: { parameters: ["buffer"], result: "i32" },
  sockets_address: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sockets_set_inherited: { parameters: ["i32", "u32"], result: "i32" },
  sockets_take: { parameters: ["i32"], result: "i32" },
  sockets_notify: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
  sockets_duplicate: { parameters: ["i32"], result: "i32" },
  sockets_close: { parameters: ["i32"], result: "i32" },
  sockets_waiting: { parameters: ["i32"], result: "i32" },
  sockets_peer: { parameters: ["i32", "buffer"], result: "i32" },
  sockets_adopt: { parameters: ["buffer", "u32", "buffer", "buffer"], result: "i32", nonblocking: true },
  sockets_connect_keeper: { parameters: ["buffer", "u32"], result: "i32", nonblocking: true },
  sockets_send: { parameters: ["i32", "buffer", "u64"], result: "i64" },
} as const;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Symbols | undefined;

/** Opened on first use and kept. */
function sockets(): Symbols {
  symbols ??= openLibrary("sockets", SYMBOLS).symbols;
  return symbols;
}

const ADDRESS_BYTES = 128;
const FAMILY_UNIX = 2;
/** Of one keeper. */
const ADOPTED_MAX = 16;
const NAMES_BYTES = 4_096;
/** A keeper answers between two looks at its child's output. */
const ADOPT_LIMIT_MS = 2_000;
/** Until a connection that had no room is tried again. */
const SEND_EVERY_MS = 5;
const NOT_SUPPORTED = -errnoOf("EOPNOTSUPP");
const AGAIN = BigInt(errnoOf("EAGAIN"));

/** Where a socket listens: a numeric address (or `localhost`, 127.0.0.1) and a port, or a path. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** A listening socket of this process: close-on-exec and non-blocking. */
export class Listener implements Disposable {
  readonly address: SocketAddress;
  #fd: number;

  /** Takes over a descriptor. @throws {SystemError} When it is no socket; then it is closed. */
  constructor(fd: number) {
    this.#fd = fd;
    try {
      this.address = addressOf(fd);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws {TypeError} When it is closed. */
  get fd(): number {
    if (this.#fd < 0) throw new TypeError(`Cannot use listener ${addressText(this.address)}: it is closed`);
    return this.#fd;
  }

  /** A second descriptor of the same socket, for somebody who closes it himself. @throws {SystemError} EMFILE. */
  duplicate(): Listener {
    const what = `duplicate listener ${addressText(this.address)}`;
    return new Listener(check(what, sockets().sockets_duplicate(this.fd)));
  }

  /** How many connections wait to be accepted; 0 where the kernel does not tell, as of a path. */
  get waiting(): number {
    const result = sockets().sockets_waiting(this.fd);
    return result === NOT_SUPPORTED ? 0 : check(`look at listener ${addressText(this.address)}`, result);
  }

  /** Gives the descriptor away: whoever takes it closes it. */
  release(): number {
    const { fd } = this;
    this.#fd = -1;
    return fd;
  }

  /** Closes this process's descriptor; whoever else holds the socket goes on. The file of a path stays. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) sockets().sockets_close(this.#fd);
    this.#fd = -1;
  }
}

/**
 * A listening socket that came with this program as descriptor `fd`; no program that is started from now on gets it.
 * @throws {SystemError} EBADF, ENOTSOCK, or EINVAL when it does not listen; then it stays as it is.
 */
export function takeListener(fd: number): Listener {
  check(`take over descriptor ${fd} as a listening socket`, sockets().sockets_take(fd));
  return new Listener(fd);
}

/**
 * Sends `message` to the datagram socket at a path, or at an abstract name that begins with `@`. Does not wait.
 * @throws {SystemError} ENOENT or ECONNREFUSED when nobody reads there, EAGAIN when too much is unread.
 */
export function sendDatagram(path: string, message: string): void {
  const bytes = new TextEncoder().encode(message);
  check(`send a message to ${path}`, sockets().sockets_notify(cString(path), bytes, bytes.length));
}

/** Who connected to a socket of a path, as the kernel knows it. */
export interface Peer {
  /** 0 when it is in another process namespace. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The other end of a connected socket of a path. @throws {SystemError} EBADF, ENOTSOCK, ENOTCONN. */
export function peerOf(fd: number): Peer {
  const words = new Uint32Array(3);
  check(`look who is connected to descriptor ${fd}`, sockets().sockets_peer(fd, words));
  return { pid: words[0]!, uid: words[1]!, gid: words[2]! };
}

/** A socket as a keeper held it. */
export interface AdoptedListener {
  readonly name: string;
  readonly listener: Listener;
}

/**
 * Listens; port 0 takes one that is free. A path gets the permissions 0600 and takes the place of a socket that nobody
 * listens on.
 * @throws {SystemError} EADDRINUSE when somebody else has it, EINVAL when `host` is not numeric, EACCES.
 */
export function openListener(address: SocketAddress): Listener {
  const what = `listen on ${addressText(address)}`;
  if ("path" in address) {
    return new Listener(check(what, sockets().sockets_listen_unix(cString(address.path))));
  }
  const { port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot ${what}: the port must lie in 0..65535`);
  }
  const host = address.host === "localhost" ? "127.0.0.1" : address.host;
  return new Listener(check(what, sockets().sockets_listen_ip(cString(host), port)));
}

/**
 * The listening sockets that the keeper of `folder` holds, as descriptors of this process. For a manager that was
 * started anew: while a keeper lives, its sockets have never been closed.
 * @throws {SystemError} ENOENT or ECONNREFUSED when the keeper has ended, ETIMEDOUT when it does not answer.
 */
export async function adoptListeners(folder: string): Promise<AdoptedListener[]> {
  const fds = new Int32Array(ADOPTED_MAX);
  const names = new Uint8Array(NAMES_BYTES);
  const result = await sockets().sockets_adopt(cString(folder), ADOPT_LIMIT_MS, fds, names);
  const count = check(`take over the sockets of the keeper in ${folder}`, result);
  const texts = new TextDecoder().decode(names).split("\0");
  return Array.from(fds.subarray(0, count), (fd, at) => ({ name: texts[at]!, listener: new Listener(fd) }));
}

/** A connection to a keeper in a folder whose path is too long for the runtime's own ones. */
export class KeeperConnection {
  readonly #fd: number;

  /** @throws {SystemError} ENOENT or ECONNREFUSED when the keeper has ended, EAGAIN when it takes none in time. */
  static async open(folder: string): Promise<KeeperConnection> {
    const fd = await sockets().sockets_connect_keeper(cString(folder), ADOPT_LIMIT_MS);
    return new KeeperConnection(check(`connect to the keeper in ${folder}`, fd));
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Sends a part of the bytes; resolves with how many, when there was room. @throws {SystemError} EPIPE when it ended. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    for (;;) {
      const sent = sockets().sockets_send(this.#fd, bytes, BigInt(bytes.length));
      if (sent !== -AGAIN) return check("write to a keeper", Number(sent));
      await new Promise((resolve) => setTimeout(resolve, SEND_EVERY_MS));
    }
  }

  close(): void {
    sockets().sockets_close(this.#fd);
  }
}

/**
 * Runs `begin`, which starts one program synchronously, with `fds` inheritable meanwhile. No other program gets them:
 * this thread starts none in between, and threads that start programs of their own are not to be mixed with it.
 */
export function withInherited<T>(fds: readonly number[], begin: () => T): T {
  const set = (fd: number, inherited: number) => sockets().sockets_set_inherited(fd, inherited);
  const given: number[] = [];
  try {
    for (const fd of fds) {
      check(`pass on descriptor ${fd}`, set(fd, 1));
      given.push(fd);
    }
    return begin();
  } finally {
    for (const fd of given) set(fd, 0);
  }
}

/** `127.0.0.1:3000`, `[::1]:3000`, or the path. */
export function addressText(address: SocketAddress): string {
  if ("path" in address) return address.path;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

function addressOf(fd: number): SocketAddress {
  const text = new Uint8Array(ADDRESS_BYTES);
  const port = new Uint16Array(1);
  const family = check(`read the address of descriptor ${fd}`, sockets().sockets_address(fd, text, port));
  const name = new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
  return family === FAMILY_UNIX ? { path: name } : { host: name, port: port[0]! };
}
