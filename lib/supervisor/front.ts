/** The socket of a service, which stays open while its instances come and go. @module */
import { interposerEnvironment } from "../../ffi/interpose/mod.ts";
import { addressText, adoptListeners, Listener, openListener } from "../../ffi/sockets/mod.ts";
import { abortable, deadline, sleep } from "../async/mod.ts";
import type { KeptListener } from "../keeper/mod.ts";
import {
  type Backend,
  beginDrain,
  chooseRung,
  openConnections,
  openPort,
  Proxy,
  type ProxyStats,
  type Rung,
} from "../swap/mod.ts";
import type { Place } from "./ledger.ts";
import type { PolledProbe, Probe } from "./probes.ts";
import type { Command, ListenSpec } from "./spec.ts";

/** What an instance gets to have its socket. */
export interface Equipment {
  readonly listeners: readonly KeptListener[];
  readonly env: Readonly<Record<string, string>>;
  /** To be called once the instance was started, or could not be. */
  readonly done: () => void;
}

/** Names of the sockets that a keeper keeps: the service's, and one that only its instance accepts on. */
const FRONT = "front";
const OWN = "web";
/** In an instance's folder: where the proxy finds it. */
const BACKEND = "backend";
const DRAIN_EVERY_MS = 50;
/** Clients of the proxy that ask nothing have to go after this, when a manager lets go. */
const RELEASE_MS = 2_000;
const LOCAL = "127.0.0.1";

export class Front implements AsyncDisposable {
  /** How instances are replaced, and why so. */
  readonly rung: Rung;
  readonly #spec: ListenSpec;
  readonly #listener: Listener;
  readonly #proxy: Promise<Proxy> | undefined;
  #stats: (() => ProxyStats) | undefined;

  /** Opens the service's socket. @throws {Error} When it cannot be had, naming who has it. */
  static open(spec: ListenSpec, rung: Rung): Front {
    return new Front(spec, rung, openPort(spec));
  }

  /** The same with the socket that a living instance of the manager before kept; a new one where it kept none. */
  static async adopt(spec: ListenSpec, rung: Rung, { folder }: Place): Promise<Front> {
    const kept = await adoptListeners(folder).catch(() => []); // Its keeper has just ended: then nobody has the port.
    const front = kept.find(({ name }) => name === FRONT) ?? kept.find(({ name }) => name === OWN);
    for (const each of kept) if (each !== front) each.listener[Symbol.dispose]();
    return new Front(spec, rung, front?.listener ?? openPort(spec));
  }

  private constructor(spec: ListenSpec, rung: Rung, listener: Listener) {
    this.#spec = spec;
    this.#listener = listener;
    this.rung = rung;
    if (rung.kind !== "proxy") return;
    this.#proxy = Proxy.start({ listener }).then((proxy) => {
      this.#stats = () => proxy.stats();
      return proxy;
    });
  }

  /** What the proxy has done, where there is one. */
  get stats(): ProxyStats | undefined {
    return this.#stats?.();
  }

  /** What the instance in a place needs to have its socket. @throws {SystemError} When no descriptor is left. */
  equip({ folder }: Place): Equipment {
    const { port } = this.#spec;
    const front = (name: string, passed: boolean): KeptListener => ({ fd: this.#listener.fd, name, passed });
    const nothing = () => {};
    switch (this.rung.socket) {
      case "passed":
        return { listeners: [front(OWN, true)], env: {}, done: nothing };
      case "own":
        // It binds the port itself, as soon as nobody else has it.
        this.#listener[Symbol.dispose]();
        return { listeners: [], env: {}, done: nothing };
      case "told": {
        const own = portOf(openListener({ host: LOCAL, port: 0 }), (listener) => listener[Symbol.dispose]());
        writeBackend(folder, own);
        return { listeners: [front(FRONT, false)], env: { PORT: `${own}` }, done: nothing };
      }
      case "interposed": {
        const env = { ...interposerEnvironment({ folder, ports: { [port]: OWN } }), PORT: `${port}` };
        if (this.rung.kind === "interposer") return { listeners: [front(OWN, false)], env, done: nothing };
        const own = openListener({ host: LOCAL, port: 0 });
        writeBackend(folder, portOf(own));
        const listeners = [front(FRONT, false), { fd: own.fd, name: OWN, passed: false }];
        return { listeners, env, done: () => own[Symbol.dispose]() };
      }
      default:
        return this.rung.socket satisfies never;
    }
  }

  /** Sends requests to the instance in a place from now on; `undefined` has them wait. */
  async serve(place: Place | undefined): Promise<void> {
    (await this.#proxy)?.use(place === undefined ? undefined : backendOf(place));
  }

  /** Lets an instance finish what it has begun; resolves when it has, or after the service's drain time. */
  async drain(place: Place, pid: number | undefined, signal: AbortSignal): Promise<void> {
    using limit = deadline(this.#spec.drainMs, signal);
    try {
      await abortable(this.#drained(place, pid, limit.signal), limit.signal);
    } catch (error) {
      if (!limit.signal.aborted) throw error;
    }
  }

  /** A question that is meant for the service, put to one instance of it; undefined where that cannot be done. */
  probeOf(probe: Probe | undefined, place: Place): (PolledProbe & Probe) | undefined {
    const backend = this.rung.kind === "proxy" ? backendOf(place) : undefined;
    if (backend === undefined) return undefined;
    const own = addressText(backend);
    // Its socket takes connections before it does: only an answer tells.
    if (probe === undefined) {
      return { kind: "http", url: `http://${own}/`, anyStatus: true, withinMs: 30_000 };
    }
    if (probe.kind === "tcp" && probe.port === this.#spec.port) return { ...probe, ...backend };
    if (probe.kind !== "http") return undefined;
    const url = new URL(probe.url);
    if (Number(url.port || 80) !== this.#spec.port) return undefined;
    url.host = own;
    return { ...probe, url: url.href };
  }

  /** Lets the next manager have the socket: what is under way is answered, and nothing that arrives is refused. */
  async release(): Promise<void> {
    await (await this.#proxy)?.retire(RELEASE_MS);
    this.#listener[Symbol.dispose]();
  }

  /** Closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#proxy)?.[Symbol.asyncDispose]();
    this.#listener[Symbol.dispose]();
  }

  async #drained(place: Place, pid: number | undefined, signal: AbortSignal): Promise<void> {
    const backend = backendOf(place);
    if (this.rung.kind === "proxy" && backend !== undefined) {
      return await (await this.#proxy)?.drained(backend);
    }
    if (this.rung.kind !== "interposer" || pid === undefined) return;
    beginDrain(place.folder);
    while (openConnections(pid, this.#spec.port) > 0) await sleep(DRAIN_EVERY_MS, { signal });
  }
}

/** How a command comes to a service's socket; `uid` is the user that it runs as, where that is not the manager's. */
export function rungOf(spec: ListenSpec, command: Command, uid?: number): Rung {
  const { protocol, takesSockets, takesPort, wanted } = spec;
  const path = command.env?.PATH;
  return chooseRung({
    program: command.program ?? command.argv[0],
    cwd: command.cwd ?? Deno.cwd(),
    protocol,
    changesUser: uid !== undefined && uid !== Deno.uid(),
    ...(path === undefined ? {} : { path }),
    ...(takesSockets === undefined ? {} : { takesSockets }),
    ...(takesPort === undefined ? {} : { takesPort }),
    ...(wanted === undefined ? {} : { wanted }),
  });
}

function portOf(listener: Listener, then: (listener: Listener) => void = () => {}): number {
  const { address } = listener;
  then(listener);
  if ("path" in address) throw new TypeError(`Cannot use ${address.path} as a port`);
  return address.port;
}

function writeBackend(folder: string, port: number): void {
  Deno.writeTextFileSync(`${folder}/${BACKEND}`, `${port}`);
}

function backendOf(
  { folder }: Place,
): (Backend & { readonly host: string; readonly port: number }) | undefined {
  try {
    return { host: LOCAL, port: Number(Deno.readTextFileSync(`${folder}/${BACKEND}`)) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
