/** The service manager that has started this process: sockets that it passes, and what it wants to hear. @module */
import { type Listener, sendDatagram, takeListener, withInherited } from "../../ffi/sockets/mod.ts";
import { becomeProgram, clockNs } from "../../ffi/sys/mod.ts";

/** Sources: sd_listen_fds(3) and sd_notify(3) of systemd 252. */
const FIRST_FD = 3;
/** More sockets than a unit has any use for. */
const LISTENERS_MAX = 64;
const VARIABLES = [
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
] as const;
/** Of the time after which it counts as hung, when it is heard of. */
const WATCHDOG_PART = 0.5;

/**
 * What a service manager has said in this process's environment. It is taken out of there: what is started from now on
 * is not meant by it.
 */
export class ServiceManager implements Disposable {
  /** Sockets that were passed, in their order. */
  readonly listeners: readonly Listener[];
  readonly #said: ReadonlyMap<string, string>;
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  /** @throws {SystemError | RangeError} When what was passed are no listening sockets. */
  constructor(env: Pick<Deno.Env, "get" | "delete"> = Deno.env, pid: number = Deno.pid) {
    this.#said = new Map(VARIABLES.flatMap((name) => {
      const value = env.get(name);
      if (value !== undefined) env.delete(name);
      return value === undefined ? [] : [[name, value]];
    }));
    this.listeners = this.#isFor("LISTEN_PID", pid) ? this.#take() : [];
    const limitUs = this.#isFor("WATCHDOG_PID", pid) || !this.#said.has("WATCHDOG_PID")
      ? Number(this.#said.get("WATCHDOG_USEC") ?? 0)
      : 0;
    if (limitUs > 0 && this.#said.has("NOTIFY_SOCKET")) {
      this.#timer = setInterval(() => this.#tell("WATCHDOG=1"), limitUs / 1_000 * WATCHDOG_PART);
    }
  }

  /** It can be used, or can be used again. */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
  }

  /** What it does now, in a line. */
  status(status: string): void {
    this.#tell(`STATUS=${status}`);
  }

  /** It ends. */
  stopping(status: string): void {
    this.#tell(`STOPPING=1\nSTATUS=${status}`);
  }

  /** Becomes another program, which is told what this one was told, and has its sockets. */
  become(...[argv, send]: Parameters<typeof becomeProgram>): never {
    this.#tell(
      `RELOADING=1\nMONOTONIC_USEC=${clockNs("monotonic") / 1_000n}\nSTATUS=becoming a newer program`,
    );
    for (const [name, value] of this.#said) Deno.env.set(name, value);
    return withInherited(this.listeners.map(({ fd }) => fd), () => becomeProgram(argv, send));
  }

  /** Closes the sockets; the service manager still has them. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const each of this.listeners) each[Symbol.dispose]();
  }

  #isFor(name: (typeof VARIABLES)[number], pid: number): boolean {
    return this.#said.get(name) === `${pid}`;
  }

  #take(): Listener[] {
    const count = Number(this.#said.get("LISTEN_FDS"));
    if (!Number.isInteger(count) || count < 0 || count > LISTENERS_MAX) {
      const found = this.#said.get("LISTEN_FDS");
      throw new RangeError(`Cannot take sockets: LISTEN_FDS is "${found}", expected 0 to ${LISTENERS_MAX}`);
    }
    return Array.from({ length: count }, (_, at) => takeListener(FIRST_FD + at));
  }

  /** Whom nobody hears goes on: that a message got lost is no reason to stop the processes of a project. */
  #tell(message: string): void {
    const path = this.#said.get("NOTIFY_SOCKET");
    if (path === undefined) return;
    try {
      sendDatagram(path, message);
    } catch (error) {
      console.error(`${error instanceof Error ? error.message : error}`);
    }
  }
}
