/** A set of services: started in the order of their dependencies, stopped in reverse. @module */
import { startOrder } from "./graph.ts";
import { type Notice, Service, type ServiceSpec } from "./service.ts";

/** Runs services until disposed. */
export class Supervisor implements AsyncDisposable {
  readonly services: ReadonlyMap<string, Service>;
  readonly #order: readonly string[];
  readonly #listeners = new Set<(notice: Notice) => void>();
  #stopping: Promise<void> | undefined;

  /** @throws {RangeError} When dependencies are unknown or circular. */
  constructor(specs: readonly ServiceSpec[]) {
    this.#order = startOrder(specs.map(({ name, dependsOn = [] }) => ({ name, dependsOn })));
    const tell = (notice: Notice) => {
      for (const listener of [...this.#listeners]) listener(notice);
    };
    this.services = new Map(specs.map((spec) => [spec.name, new Service(spec, tell)]));
  }

  /** Hears of changes and lines; returns how to stop listening. */
  listen(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts each service when those it depends on are ready. Resolves when all are, or when `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const ready = this.#order.map((name) => this.#startOne(this.services.get(name)!, signal));
    await Promise.all(ready);
  }

  /** Stops all, dependants first; resolves when every process is gone. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stopAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #startOne(service: Service, signal: AbortSignal): Promise<void> {
    for (const name of service.spec.dependsOn ?? []) {
      await this.#until(this.services.get(name)!, (each) => each.is("running", "finished"), signal);
    }
    if (signal.aborted) return;
    service.request("start");
    await this.#until(service, (each) => each.is("running", "finished"), signal);
  }

  /** Each stops as soon as those that depend on it are gone. */
  async #stopAll(): Promise<void> {
    const stopped = new Map<string, Promise<void>>();
    for (const name of this.#order.toReversed()) {
      const dependants = [...this.services.values()].filter(({ spec }) => spec.dependsOn?.includes(name));
      const gone = dependants.map(({ spec }) => stopped.get(spec.name)!);
      stopped.set(name, Promise.all(gone).then(() => this.#stopOne(this.services.get(name)!)));
    }
    await Promise.all(stopped.values());
  }

  async #stopOne(service: Service): Promise<void> {
    const never = new AbortController().signal;
    service.request("stop");
    await this.#until(service, (each) => each.is("idle", "finished"), never);
    await service.settled();
  }

  #until(service: Service, done: (service: Service) => boolean, signal: AbortSignal): Promise<void> {
    if (done(service) || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        signal.removeEventListener("abort", finish);
        stopListening();
        resolve();
      };
      const stopListening = this.listen(() => {
        if (done(service)) finish();
      });
      signal.addEventListener("abort", finish, { once: true });
    });
  }
}
