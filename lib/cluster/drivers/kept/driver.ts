/** The driver of whatever runs as a command under a keeper. @module */
import { processStart } from "../../../../ffi/ring/mod.ts";
import { Doorbell, readBuffer } from "../../../ring/mod.ts";
import { CgroupMaker, takeLock } from "../../../supervisor/mod.ts";
import type { DriverKind, Instance } from "../../model/instance.ts";
import type { DriverReport } from "../../model/node.ts";
import {
  checkIdentity,
  type Driver,
  DriverError,
  type DriverEvent,
  type DriverInstance,
  type DriverState,
  type DriverStats,
  type Identity,
  listed,
  type LogOptions,
  type LogPiece,
  type RunEnd,
  specOf,
} from "../driver.ts";
import { Home, readHomes } from "./home.ts";
import { type KeptContext, KeptInstance } from "./instance.ts";
import type { Kind } from "./kind.ts";
import { readLogs } from "./logs.ts";

/** Where a driver keeps its instances. */
export interface KeptOptions {
  /** Its own, absolute; made when it is not there. */
  readonly folder: string;
  /** Whose the instances' cgroups are, as their path says it. */
  readonly owner?: string;
}

/** In `folder`: where logs ring. */
const DOORBELL = ".doorbell";
const DEFAULT_OWNER = "hypervisor";

export class KeptDriver<K extends DriverKind> implements Driver {
  readonly kind: K;
  readonly #root: string;
  readonly #kind: Kind<K>;
  readonly #lock: Deno.FsFile;
  readonly #doorbell: Doorbell;
  readonly #letGo = new AbortController();
  readonly #context: KeptContext;
  readonly #instances = new Map<string, KeptInstance<K>>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #work = new Set<Promise<void>>();
  #creating: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  /** Takes the folder, with all that is in it. @throws {BusyError} When another process has it. */
  static async open<K extends DriverKind>(kind: Kind<K>, options: KeptOptions): Promise<KeptDriver<K>> {
    Deno.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const lock = takeLock(options.folder);
    let driver: KeptDriver<K>;
    try {
      driver = new KeptDriver(kind, options, lock);
    } catch (error) {
      lock.close();
      throw error;
    }
    try {
      await driver.#adopt();
      return driver;
    } catch (error) {
      await driver[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    kind: Kind<K>,
    { folder, owner = DEFAULT_OWNER }: KeptOptions,
    lock: Deno.FsFile,
  ) {
    this.kind = kind.kind;
    this.#kind = kind;
    this.#root = folder;
    this.#lock = lock;
    this.#doorbell = Doorbell.create(`${folder}/${DOORBELL}`);
    this.#context = {
      doorbell: this.#doorbell,
      buffer: readBuffer(),
      signal: this.#letGo.signal,
      owner: { pid: Deno.pid, startTicks: processStart(Deno.pid) },
      cgroups: new CgroupMaker(owner),
      watch: (work) => {
        this.#work.add(work);
        work.finally(() => this.#work.delete(work));
      },
    };
  }

  probe(): Promise<DriverReport> {
    return this.#kind.probe();
  }

  create(instance: Instance): Promise<void> {
    // One after the other: two of the same are one.
    const result = this.#creating.then(async () => {
      const spec = specOf(instance, this.kind);
      await this.#instances.get(spec.id)?.deleting;
      const found = this.#instances.get(spec.id);
      if (found !== undefined) checkIdentity("create", spec, found);
      await this.#kind.check(spec, new Home(this.#root, spec.id));
      if (found !== undefined) return await found.change(spec);
      const made = this.#instance(spec);
      made.home.create(spec);
      this.#instances.set(spec.id, made);
    });
    this.#creating = result.catch(() => undefined);
    return result;
  }

  async start(identity: Identity): Promise<void> {
    await this.#find("start", identity).start();
  }

  async stop(identity: Identity, graceMs: number): Promise<RunEnd | undefined> {
    return await this.#find("stop", identity).stop(graceMs);
  }

  async pause(identity: Identity): Promise<void> {
    await this.#find("pause", identity).pause();
  }

  async resume(identity: Identity): Promise<void> {
    await this.#find("resume", identity).resume();
  }

  async delete(identity: Identity): Promise<void> {
    const found = this.#instances.get(identity.id);
    if (found === undefined) return;
    await checkIdentity("delete", identity, found).delete();
  }

  list(): DriverInstance[] {
    return listed(this.#instances.values());
  }

  listen(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // deno-lint-ignore require-await -- what it throws is to be a rejection
  async stats(identity: Identity): Promise<DriverStats> {
    return this.#find("measure", identity).stats();
  }

  async *logs(identity: Identity, options: LogOptions = {}): AsyncGenerator<LogPiece, void, void> {
    const { home } = this.#find("read the log of", identity);
    const signals = [this.#letGo.signal, ...options.signal === undefined ? [] : [options.signal]];
    yield* readLogs(home.ledger, {
      ...options,
      doorbell: this.#doorbell,
      signal: AbortSignal.any(signals),
    });
  }

  async input(identity: Identity, bytes: Uint8Array): Promise<void> {
    await this.#find("write to", identity).input(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#letGo.abort();
    for (const instance of this.#instances.values()) await instance.release();
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    await this.#doorbell[Symbol.asyncDispose]();
    this.#lock.close();
  }

  async #adopt(): Promise<void> {
    for (const [id, spec] of readHomes<KeptInstance<K>["spec"]["workload"]>(this.#root)) {
      this.#instances.set(id, this.#instance(spec as KeptInstance<K>["spec"]));
    }
    await Promise.all([...this.#instances.values()].map((instance) => instance.adopt()));
  }

  #instance(spec: KeptInstance<K>["spec"]): KeptInstance<K> {
    const { id, epoch } = spec;
    return new KeptInstance(spec, {
      root: this.#root,
      kind: this.#kind,
      context: this.#context,
      tell: (state) => this.#tell({ id, epoch, state }),
      gone: () => this.#instances.delete(id),
    });
  }

  #tell(event: { readonly id: string; readonly epoch: number; readonly state: DriverState }): void {
    for (const listener of this.#listeners) listener(event);
  }

  #find(what: string, identity: Identity): KeptInstance<K> {
    if (this.#isDisposed) throw new DriverError("failed", `Cannot ${what} instance ${identity.id}: let go`);
    return checkIdentity(what, identity, this.#instances.get(identity.id));
  }
}
