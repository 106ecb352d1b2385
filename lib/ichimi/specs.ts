/** What a process is to the supervisor. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import type { Policy, ServiceSpec } from "../supervisor/mod.ts";
import type { Client } from "./client.ts";
import type { ProcessRecord } from "./record.ts";

const MIB = 2 ** 20;
/** Size of a terminal that nobody has attached to. */
const TERMINAL = { rows: 24, columns: 80 };
const RESTARTS = { never: "never", on_failure: "on-failure", always: "always" } as const;
const DEFAULT_GRACE_MS = 5_000;

/** What a process is to the supervisor, with what is only known when it starts and stops. */
export class Specs {
  readonly #logMib: number;
  /** Who started a process last: it has their environment. */
  readonly #starters = new Map<string, Client>();
  /** How long the stop that is asked for right now waits. */
  readonly #graceMs = new Map<string, number>();

  /** @param logMib Kept of the log of one run. */
  constructor(logMib: number) {
    this.#logMib = logMib;
  }

  /** The next run is for this client. */
  startFor(id: string, client: Client | undefined): void {
    if (client === undefined) this.#starters.delete(id);
    else this.#starters.set(id, client);
  }

  /** Who started it last, as long as they live. */
  starterOf(id: string): Client | undefined {
    const starter = this.#starters.get(id);
    return starter !== undefined && processStart(starter.pid) === starter.startTicks ? starter : undefined;
  }

  /** Its stop waits so long until it is killed, from now until disposed. */
  stopWithin(id: string, graceMs: number): Disposable {
    this.#graceMs.set(id, graceMs);
    return { [Symbol.dispose]: () => void this.#graceMs.delete(id) };
  }

  /** Nothing is known of it any more. */
  forget(id: string): void {
    this.#starters.delete(id);
    this.#graceMs.delete(id);
  }

  of(record: ProcessRecord): ServiceSpec {
    const { id, command, args, env, input, lifetime } = record;
    const starters = this.#starters;
    const cwd = record.cwd ?? record.project;
    return {
      name: id,
      command: () => ({
        argv: [command, ...args],
        env: { ...starters.get(id)?.env, ...env },
        ...(cwd === null ? {} : { cwd }),
      }),
      policy: (): Partial<Policy> => ({
        restart: RESTARTS[record.restart],
        graceMs: this.#graceMs.get(id) ?? DEFAULT_GRACE_MS,
      }),
      lifetime,
      // One whose client is not known any more ends with the daemon.
      get owner() {
        const starter = starters.get(id);
        return starter && { pid: starter.pid, startTicks: starter.startTicks };
      },
      keeper: {
        retainBytes: this.#logMib * MIB,
        stdin: input === "none" ? "null" : input === "pipe" ? "pipe" : TERMINAL,
      },
    };
  }
}
