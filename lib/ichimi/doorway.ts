/** Where the door is: on a port of loopback, opened by whoever asks for it first. @module */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Listener } from "../../ffi/sockets/mod.ts";
import { openPort } from "../swap/mod.ts";
import { formatAddress, listenOn, type Server } from "../web/mod.ts";
import { door, type Mounted } from "./door.ts";

/** As upstream looks for a port. */
const PORTS = 100;
const TOKEN_BYTES = 24;

/** How it is opened. */
export interface DoorwayOptions {
  readonly host: string;
  /** The first that is tried; another one is taken when it is not free. */
  readonly port: number;
  /** Where the token is kept, for this user alone. */
  readonly tokenFile: string;
  /** Where the port is noted: a daemon that follows this one opens the same. */
  readonly portFile: string;
  /** By path. */
  readonly mounts: Readonly<Record<string, Mounted>>;
}

/** Where it is. */
export interface OpenDoor {
  /** `http://127.0.0.1:12700`, without the token. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
}

export class Doorway implements AsyncDisposable {
  readonly #options: DoorwayOptions;
  #stack: AsyncDisposable | undefined;
  #open: Promise<OpenDoor> | undefined;

  constructor(options: DoorwayOptions) {
    this.#options = options;
  }

  /** Opens it, unless it is open. @param port Tried before all others. @throws {Error} When no port can be had. */
  open(port?: number): Promise<OpenDoor> {
    return this.#open ??= this.#begin(port).catch((error) => {
      this.#open = undefined;
      throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.catch(() => "It is not open.");
    await this.#stack?.[Symbol.asyncDispose]();
  }

  async #begin(wanted: number | undefined): Promise<OpenDoor> {
    const { tokenFile, portFile, mounts } = this.#options;
    const token = tokenOf(tokenFile);
    await using stack = new AsyncDisposableStack();
    const listener = stack.use(this.#listener(wanted));
    const { fetch } = door({ token, mounts });
    const server: Server = stack.use(await listenOn(listener, async (request) => await fetch(request)));
    if (server.address.kind !== "tcp") throw new TypeError("a port was asked for");
    writeFileSync(portFile, `${server.address.port}\n`, { mode: 0o600 });
    this.#stack = stack.move();
    return { url: formatAddress(server.address), port: server.address.port, token };
  }

  #listener(wanted: number | undefined): Listener {
    const { host, port, portFile } = this.#options;
    const before = existsSync(portFile) ? [Number(readFileSync(portFile, "utf8"))] : [];
    const ports = [
      ...wanted === undefined ? [] : [wanted],
      ...before.filter((each) => each > 0 && each <= 65_535),
      ...portsFrom(port),
    ];
    for (const [tries, each] of ports.entries()) {
      try {
        return openPort({ host, port: each });
      } catch (error) {
        if (tries + 1 === ports.length || !(error instanceof Error)) throw error;
      }
    }
    throw new RangeError("no port was tried");
  }
}

function portsFrom(port: number): number[] {
  return port === 0 ? [0] : Array.from({ length: PORTS }, (_, at) => port + at);
}

/** What stands in the file; made when there is none that would do. */
function tokenOf(file: string): string {
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (kept.length >= TOKEN_BYTES) return kept;
  const made = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)).toHex();
  // Whole before it has its name.
  const written = `${file}.new`;
  writeFileSync(written, `${made}\n`, { mode: 0o600 });
  renameSync(written, file);
  return made;
}
