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
  readonly #stack = new AsyncDisposableStack();
  #open: Promise<OpenDoor> | undefined;

  constructor(options: DoorwayOptions) {
    this.#options = options;
  }

  /** Opens it, unless it is open. @throws {Error} When no port can be had. */
  open(): Promise<OpenDoor> {
    return this.#open ??= this.#begin().catch((error) => {
      this.#open = undefined;
      throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #begin(): Promise<OpenDoor> {
    const { tokenFile, mounts } = this.#options;
    const token = tokenOf(tokenFile);
    const listener = this.#stack.use(this.#listener());
    const { fetch } = door({ token, mounts });
    const server: Server = this.#stack.use(await listenOn(listener, async (request) => await fetch(request)));
    if (server.address.kind !== "tcp") throw new TypeError("a port was asked for");
    return { url: formatAddress(server.address), port: server.address.port, token };
  }

  #listener(): Listener {
    const { host, port } = this.#options;
    for (let at = port; at < port + PORTS; at++) {
      try {
        return openPort({ host, port: at });
      } catch (error) {
        if (port === 0 || at + 1 === port + PORTS || !(error instanceof Error)) throw error;
      }
    }
    throw new RangeError("no port was tried");
  }
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
