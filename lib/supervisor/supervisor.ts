/** A set of services: started when what they depend on is there, stopped in reverse. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import { Doorbell, readBuffer } from "../ring/mod.ts";
import { holds, isHopeless, startOrder } from "./graph.ts";
import type { Notice } from "./notice.ts";
import { Service } from "./service.ts";
import type { ServiceSpec } from "./spec.ts";

/** Keeps other managers out of a state folder while this one lives. */
const LOCK = "manager.lock";
const LOCK_TRIES = 10;
const LOCK_PAUSE_MS = 5;
const SERVICES = "services";

/** Another manager has the folder. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** Runs services until disposed. What it leaves in `folder` lets the next one go on where this one stood. */
export class Supervisor implements AsyncDisposable {
  readonly services: ReadonlyMap<string, Service>;
  readonly #order: readonly string[];
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #lock: Deno.FsFile;
  readonly #doorbell: Doorbell;
  readonly #follow = new AbortController();
  #ending: Promise<void> | undefined;

  /**
   * Takes over the state folder; nothing is started yet.
   * @throws {RangeError} When dependencies are unknown or circular.
   * @throws {BusyError} When another manager has the folder.
   */
  static open(specs: readonly ServiceSpec[], folder: string): Supervisor {
    const order = startOrder(specs.map(({ name, dependsOn = [] }) => {
      return { name, dependsOn: dependsOn.map((each) => each.name) };
    }));
    Deno.mkdirSync(`${folder}/${SERVICES}`, { recursive: true, mode: 0o700 });
    return new Supervisor(specs, { folder, order, lock: takeLock(folder) });
  }

  private constructor(
    specs: readonly ServiceSpec[],
    { folder, order, lock }: {
      readonly folder: string;
      readonly order: readonly string[];
      readonly lock: Deno.FsFile;
    },
  ) {
    this.#order = order;
    this.#lock = lock;
    this.#doorbell = Doorbell.create(`${folder}/doorbell`);
    const context = {
      doorbell: this.#doorbell,
      buffer: readBuffer(),
      signal: this.#follow.signal,
      owner: { pid: Deno.pid, startTicks: processStart(Deno.pid) },
      tell: (notice: Notice) => {
        for (const listener of [...this.#listeners]) listener(notice);
      },
    };
    this.services = new Map(specs.map((spec) => {
      return [spec.name, new Service(spec, `${folder}/${SERVICES}/${spec.name}`, context)];
    }));
  }

  /** Hears of changes and lines; returns how to stop listening. */
  listen(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Goes on with what a manager before this one left, and starts the others when what they depend on is there.
   * Resolves when all are ready or have ended for good, or when `signal` aborts. Those of `except` have to be asked for.
   */
  async start(
    signal: AbortSignal,
    { except }: { readonly except?: (name: string) => boolean } = {},
  ): Promise<void> {
    const begun = await Promise.all(this.#order.map(async (name) => {
      const service = this.services.get(name)!;
      return { service, resumed: await service.resume() };
    }));
    await Promise.all(begun.map(async ({ service, resumed }) => {
      if (resumed === "unwanted" || (resumed === "new" && except?.(service.spec.name) === true)) return;
      if (resumed !== "adopted" && !(await this.#dependenciesHold(service, signal))) return;
      if (resumed !== "adopted") service.request("start");
      await this.until(service, isSettled, signal);
    }));
  }

  /** Resolves when `done` holds of the service, or when `signal` aborts. */
  until(service: Service, done: (service: Service) => boolean, signal?: AbortSignal): Promise<void> {
    if (done(service) || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        signal?.removeEventListener("abort", finish);
        stopListening();
        resolve();
      };
      const stopListening = this.listen(() => {
        if (done(service)) finish();
      });
      signal?.addEventListener("abort", finish, { once: true });
    });
  }

  /** Stops all but the persistent ones, dependants first; resolves when every process is gone. */
  stop(): Promise<void> {
    return this.#ending ??= this.#end(() => this.#stopAll());
  }

  /** Lets go of everything as a crash would: the next manager goes on with it. */
  release(): Promise<void> {
    return this.#ending ??= this.#end(async () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(before: () => Promise<void>): Promise<void> {
    await before();
    this.#follow.abort();
    await Promise.all([...this.services.values()].map((service) => service.release()));
    await this.#doorbell[Symbol.asyncDispose]();
    // A child that is being started right now has the descriptor too, until it becomes its program.
    this.#lock.unlockSync();
    this.#lock.close();
  }

  /** False when a dependency can no longer come, or the start was called off. */
  async #dependenciesHold(service: Service, signal: AbortSignal): Promise<boolean> {
    for (const { name, condition } of service.spec.dependsOn ?? []) {
      const other = this.services.get(name)!;
      const isDecided = ({ state }: Service) => holds(condition, state) || isHopeless(condition, state);
      await this.until(other, isDecided, signal);
      if (signal.aborted || !holds(condition, other.state)) return false;
    }
    return true;
  }

  /** Each stops as soon as those that depend on it are gone. */
  async #stopAll(): Promise<void> {
    const stopped = new Map<string, Promise<void>>();
    for (const name of this.#order.toReversed()) {
      const dependants = [...this.services.values()].filter(({ spec }) => {
        return spec.dependsOn?.some((each) => each.name === name) === true;
      });
      const gone = dependants.map(({ spec }) => stopped.get(spec.name)!);
      stopped.set(name, Promise.all(gone).then(() => this.#stopOne(this.services.get(name)!)));
    }
    await Promise.all(stopped.values());
  }

  async #stopOne(service: Service): Promise<void> {
    if (service.spec.lifetime === "persistent") return;
    service.request("stop");
    await this.until(service, (each) => each.is("idle", "finished"));
    await service.settled();
    service.ledger.forget();
  }
}

/** Nothing more happens to it by itself, but what its policy makes of an end. */
function isSettled(service: Service): boolean {
  return service.is("running", "finished");
}

/** Pid of the manager that has the folder; undefined when none has. */
export function managerOf(folder: string): number | undefined {
  try {
    using file = Deno.openSync(`${folder}/${LOCK}`, { read: true, write: true });
    if (file.tryLockSync(true)) return undefined;
    const pid = Number(Deno.readTextFileSync(`${folder}/${LOCK}`));
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function takeLock(folder: string): Deno.FsFile {
  const file = Deno.openSync(`${folder}/${LOCK}`, { create: true, read: true, write: true, mode: 0o600 });
  // Whoever only looks whether there is a manager has it for a moment.
  for (let tries = 1; tries < LOCK_TRIES && !file.tryLockSync(true); tries++) pause(LOCK_PAUSE_MS);
  if (file.tryLockSync(true)) {
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`${Deno.pid}`));
    return file;
  }
  file.close();
  const pid = managerOf(folder);
  const who = pid === undefined ? "another manager has it" : `another manager has it, process ${pid}`;
  throw new BusyError(`Cannot manage "${folder}": ${who}`);
}
