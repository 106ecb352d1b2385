/** What a process is to the supervisor. @module */
import { readKernelFile } from "../../ffi/files/mod.ts";
import { processStart } from "../../ffi/ring/mod.ts";
import type { Policy, ServiceSpec } from "../supervisor/mod.ts";
import type { AllowList } from "./allow_list.ts";
import type { Client } from "./client.ts";
import type { ProcessRecord } from "./record.ts";
import type { Store } from "./store.ts";

const MIB = 2 ** 20;
/** Size of a terminal that nobody has attached to. */
const TERMINAL = { rows: 24, columns: 80 };
const RESTARTS = { never: "never", on_failure: "on-failure", always: "always" } as const;
const DEFAULT_GRACE_MS = 5_000;
const KIND = "starter";

/** Who started a process that may be started again without them, as it is kept. */
interface KeptStarter {
  readonly id: string;
  readonly client: Omit<Client, "startTicks"> & { readonly startTicks: string };
  /** With the machine's next boot their environment is of the past. */
  readonly boot: string;
}

/** What a process is to the supervisor, with what is only known when it starts and stops. */
export class Specs {
  readonly #logMib: number;
  readonly #store: Store;
  readonly #allowed: AllowList;
  /** Who started a process last, whether they live or not: it has their environment. */
  readonly #starters = new Map<string, Client>();
  /** How long the stop that is asked for right now waits. */
  readonly #graceMs = new Map<string, number>();

  /** @param logMib Kept of the log of one run. */
  constructor({ logMib, store, allowed }: {
    readonly logMib: number;
    readonly store: Store;
    readonly allowed: AllowList;
  }) {
    this.#logMib = logMib;
    this.#store = store;
    this.#allowed = allowed;
    const boot = bootId();
    for (const { id, client, boot: of } of store.items(KIND) as KeptStarter[]) {
      if (of !== boot) this.#dropStarter(id);
      else this.#starters.set(id, { ...client, startTicks: BigInt(client.startTicks) });
    }
  }

  /** Runs are for this client from now on; for the one before, when nobody in particular starts the next. */
  startFor(record: ProcessRecord, client: Client | undefined): void {
    if (client !== undefined) this.#starters.set(record.id, client);
    this.keepStarter(record);
  }

  /** Keeps who started a process as long as it may be started without them: a daemon after this one does it, too. */
  keepStarter({ id, restart }: ProcessRecord): void {
    const client = this.#starters.get(id);
    if (client === undefined || restart === "never") return this.#dropStarter(id);
    this.#store.attempt(`keep the environment of process '${id}'`, () => {
      const kept = { id, client: { ...client, startTicks: `${client.startTicks}` }, boot: bootId() };
      this.#store.putItem(KIND, id, kept satisfies KeptStarter);
    });
  }

  /** Who started it last. */
  starterOf(id: string): Client | undefined {
    return this.#starters.get(id);
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
    this.#dropStarter(id);
  }

  /** An environment may have secrets: nothing of it is left. */
  #dropStarter(id: string): void {
    this.#store.attempt(`forget the environment of process '${id}'`, () => {
      if (this.#store.item(KIND, id) === undefined) return;
      this.#store.dropItem(KIND, id);
      this.#store.scrub();
    });
  }

  of(record: ProcessRecord): ServiceSpec {
    const { id, command, args, env, input, lifetime } = record;
    const starters = this.#starters;
    const cwd = record.cwd ?? record.project;
    return {
      name: id,
      command: () => {
        // Whatever was asked before: meanwhile the process may have become another one.
        this.#allowed.checkRun(record);
        return {
          argv: [command, ...args],
          env: { ...starters.get(id)?.env, ...env },
          ...(cwd === null ? {} : { cwd }),
        };
      },
      policy: (): Partial<Policy> => ({
        restart: RESTARTS[record.restart],
        graceMs: this.#graceMs.get(id) ?? DEFAULT_GRACE_MS,
      }),
      lifetime,
      // One whose client is not there any more ends with the daemon.
      get owner() {
        const starter = starters.get(id);
        if (starter === undefined || processStart(starter.pid) !== starter.startTicks) return undefined;
        return { pid: starter.pid, startTicks: starter.startTicks };
      },
      keeper: {
        retainBytes: this.#logMib * MIB,
        stdin: input === "none" ? "null" : input === "pipe" ? "pipe" : TERMINAL,
      },
    };
  }
}

/** Of the machine's boot. */
export function bootId(): string {
  return new TextDecoder().decode(readKernelFile("/proc/sys/kernel/random/boot_id")).trim();
}
