/** A set of services: started when what they depend on is there, stopped in reverse. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import { abortable } from "../async/mod.ts";
import { Doorbell, readBuffer } from "../ring/mod.ts";
import { CgroupMaker, cgroupOwner } from "./cgroups.ts";
import { fileName } from "./file_name.ts";
import { dependantsOf, type Dependency, holds, isHopeless, startOrder } from "./graph.ts";
import { Ledger } from "./ledger.ts";
import { underLock } from "./lock.ts";
import type { Notice } from "./notice.ts";
import { Service, type ServiceContext } from "./service.ts";
import type { ServiceSpec } from "./spec.ts";
import { isAtRest, isSettled, isUp, newestOf } from "./standing.ts";
import { answerTo, type Trigger, Triggers } from "./triggers.ts";

/** In the state folder: what each service has left. */
export const SERVICES = "services";

/** Runs services until disposed. What it leaves in `folder` lets the next one go on where this one stood. */
export class Supervisor implements AsyncDisposable {
  /** In the order in which they were given. */
  readonly #services = new Map<string, Service>();
  readonly #triggers = new Map<string, Triggers>();
  /** Dependencies first. */
  #order: readonly string[] = [];
  readonly #folder: string;
  readonly #context: ServiceContext;
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #lock: Deno.FsFile;
  readonly #doorbell: Doorbell;
  /** Nothing begins by itself from then on. */
  readonly #closing = new AbortController();
  readonly #follow = new AbortController();
  readonly #work = new Set<Promise<unknown>>();
  #ending: Promise<void> | undefined;

  /**
   * Takes over the state folder; nothing is started yet. Specs that are `given` as a function are asked for when nobody else
   * has the folder any more.
   * @throws {RangeError} When dependencies are unknown or circular.
   * @throws {BusyError} When another manager has the folder.
   * @throws {SyntaxError} When a newer manager had it: nothing of what it left is touched.
   */
  static open(given: readonly ServiceSpec[] | (() => readonly ServiceSpec[]), folder: string): Supervisor {
    Deno.mkdirSync(`${folder}/${SERVICES}`, { recursive: true, mode: 0o700 });
    return underLock(folder, (lock) => {
      const specs = typeof given === "function" ? given() : given;
      const order = orderOf(specs);
      for (const name of order) new Ledger(folderOf(folder, name)).wanted();
      return new Supervisor(specs, { folder, order, lock });
    });
  }

  private constructor(
    specs: readonly ServiceSpec[],
    { folder, order, lock }: { folder: string; order: readonly string[]; lock: Deno.FsFile },
  ) {
    this.#folder = folder;
    this.#lock = lock;
    this.#doorbell = Doorbell.create(`${folder}/doorbell`);
    this.#context = {
      doorbell: this.#doorbell,
      buffer: readBuffer(),
      signal: this.#follow.signal,
      owner: { pid: Deno.pid, startTicks: processStart(Deno.pid) },
      cgroups: new CgroupMaker(cgroupOwner(folder)),
      tell: (notice) => this.#tell(notice),
    };
    this.#define(specs, order);
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#services;
  }

  /** Unix milliseconds of a service's next start by the clock, or after a crash; undefined where there is none. */
  nextStartMs(name: string): number | undefined {
    const times = [this.#services.get(name)?.retryMs, this.#triggers.get(name)?.nextMs];
    const known = times.filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Hears of changes and lines; returns how to stop listening. */
  listen(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Goes on with what a manager before this one left, ends what it left of services that are none any more, and starts
   * the others when what they depend on is there. Resolves when all are ready or have ended for good, or when `signal`
   * aborts. Those of `except` have to be asked for, or needed; logs of services that are none any more go with `forget`.
   */
  async start(
    signal: AbortSignal,
    { except, forget = false }: { readonly except?: (name: string) => boolean; readonly forget?: boolean } =
      {},
  ): Promise<void> {
    this.#endStrangers(forget);
    const begun = await Promise.all(this.#order.map(async (name) => {
      const service = this.#services.get(name)!;
      return { service, resumed: await service.resume() };
    }));
    for (const { service } of begun) this.#arm(service);
    await Promise.all(begun.map(async ({ service, resumed }) => {
      if (resumed === "unwanted" || (resumed === "new" && except?.(service.spec.name) === true)) return;
      if (resumed !== "adopted" && !(await this.#bringUp(service, signal))) return;
      await this.until(service, isSettled, signal);
    }));
  }

  /**
   * Starts what a service needs, and what that needs. Resolves with what does not hold of it and will not by itself;
   * undefined when everything does, or when `signal` aborts.
   */
  async startNeeds(service: Service, signal: AbortSignal): Promise<Dependency | undefined> {
    for (const dependency of service.spec.dependsOn ?? []) {
      const other = this.#services.get(dependency.name);
      if (other?.is("idle") === true && !holds(dependency, other)) await this.#bringUp(other, signal);
      const comes = await this.#comes(dependency, signal);
      if (signal.aborted) return undefined;
      if (!comes) return dependency;
    }
    return undefined;
  }

  /**
   * Makes the services those of `specs`: what is gone is stopped, what is new is started as by `start`, and what runs of
   * the `changed` ones is replaced by what it is now. Resolves when all of that has come to rest, or `signal` aborts.
   * @throws {RangeError} When dependencies are unknown or circular; then nothing has changed.
   */
  async apply(
    specs: readonly ServiceSpec[],
    { changed, signal, except }: {
      readonly changed: ReadonlySet<string>;
      readonly signal: AbortSignal;
      readonly except?: (name: string) => boolean;
    },
  ): Promise<void> {
    const order = orderOf(specs);
    const wanted = new Map(specs.map((spec) => [spec.name, spec]));
    const before = new Set(this.#services.keys());
    const gone = this.#order.filter((name) => !wanted.has(name));
    for (const name of gone) {
      const service = this.#services.get(name)!;
      service.isDismissed = true;
      // Whoever waits for it waits no longer.
      this.#tell({ kind: "state", service: name, state: service.state });
    }
    await this.#stopAll(gone);
    const moved = [...changed].filter((name) => before.has(name) && this.#isMoved(name, wanted.get(name)));
    const wereUp = this.#order.filter((name) => changed.has(name) && isUp(this.#services.get(name)!));
    await this.#stopAll(moved);
    if (this.#closing.signal.aborted) return;
    for (const name of [...gone, ...changed]) await this.#disarm(name);
    this.#define(specs, order);
    for (const service of gone) this.#tell({ kind: "went", service });
    for (const service of order) if (!before.has(service)) this.#tell({ kind: "came", service });
    const come = Promise.all(order.map(async (name) => {
      const service = this.#services.get(name)!;
      const isNew = !before.has(name);
      if (isNew || changed.has(name)) this.#arm(service);
      if (isNew ? except?.(name) === true : !wereUp.includes(name)) return;
      if (!isNew && !moved.includes(name)) service.request("restart");
      // Also when nobody waits for it any more.
      else if (!(await this.#bringUp(service, this.#closing.signal))) return;
      await this.until(service, isAtRest, this.#closing.signal);
    }));
    this.#watch(come.catch(() => "Told to whoever waits."));
    await abortable(come, signal).catch((error) => {
      if (!signal.aborted) throw error;
    });
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

  /** Stops all but the persistent ones, or those too, dependants first; resolves when every process is gone. */
  stop({ persistent = false }: { readonly persistent?: boolean } = {}): Promise<void> {
    return this.#ending ??= this.#end(async () => {
      const ending = this.#order.filter((name) => {
        return persistent || this.#services.get(name)!.spec.lifetime !== "persistent";
      });
      for (const name of ending) this.#services.get(name)!.isDismissed = true;
      await this.#stopAll(ending);
      await Promise.all(this.#work);
      // One that goes on may just be about to join its own, which is empty until then.
      if ([...this.#services.values()].every((each) => each.is("idle", "finished"))) {
        this.#context.cgroups.sweep();
      }
    });
  }

  /** Lets go of everything as a crash would: the next manager goes on with it. */
  release(): Promise<void> {
    return this.#ending ??= this.#end(async () => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(before: () => Promise<void>): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#triggers.keys()].map((name) => this.#disarm(name)));
    await before();
    this.#follow.abort();
    await Promise.all([...this.#services.values()].map((service) => service.release()));
    await Promise.all(this.#work);
    await this.#doorbell[Symbol.asyncDispose]();
    // A child that is being started right now has the descriptor too, until it becomes its program.
    this.#lock.unlockSync();
    this.#lock.close();
  }

  #tell(notice: Notice): void {
    for (const listener of [...this.#listeners]) listener(notice);
  }

  /** Makes the map that of `specs`; services that stay are the same objects. */
  #define(specs: readonly ServiceSpec[], order: readonly string[]): void {
    const before = new Map(this.#services);
    this.#services.clear();
    this.#order = order;
    for (const spec of specs) {
      const folder = folderOf(this.#folder, spec.name);
      const service = before.get(spec.name) ?? new Service(spec, folder, this.#context);
      service.spec = spec;
      this.#services.set(spec.name, service);
    }
    for (const { dependsOn = [] } of specs) {
      for (const each of dependsOn) {
        if (each.condition === "log") this.#services.get(each.name)!.spoken.await(each.pattern);
      }
    }
  }

  /** Whether a socket or a life is another one: such a service cannot be replaced while it runs. */
  #isMoved(name: string, spec: ServiceSpec | undefined): boolean {
    const before = this.#services.get(name)!.spec;
    return JSON.stringify([before.listen, before.lifetime]) !==
      JSON.stringify([spec?.listen, spec?.lifetime]);
  }

  /** Ends what runs of services that are not there any more. */
  #endStrangers(forget: boolean): void {
    const knownNow = () => new Set([...this.#services.keys()].map(fileName));
    const known = knownNow();
    for (const { name, isDirectory } of Deno.readDirSync(`${this.#folder}/${SERVICES}`)) {
      if (!isDirectory || known.has(name)) continue;
      const folder = `${this.#folder}/${SERVICES}/${name}`;
      const stranger = new Service({ name, command: { argv: [name] } }, folder, this.#context);
      if (stranger.endAll() > 0) {
        const text = "it is no service any more, and is ended";
        this.#tell({ kind: "event", service: name, of: "run", text });
      }
      this.#watch(
        stranger.settled().then(async () => {
          if (forget && !knownNow().has(name)) await Deno.remove(folder, { recursive: true });
        }).catch((error: Error) => {
          const text = `what it has left stays: ${error.message}`;
          this.#tell({ kind: "event", service: name, of: "run", text });
        }),
      );
    }
  }

  #arm(service: Service): void {
    const { name } = service.spec;
    const fire = (trigger: Trigger, what: string) => this.#fire(service, trigger, what);
    const fail = (error: Error) =>
      this.#tell({ kind: "event", service: name, of: "run", text: error.message });
    this.#triggers.set(name, new Triggers(service.spec, fire, fail));
  }

  async #disarm(name: string): Promise<void> {
    await this.#triggers.get(name)?.[Symbol.asyncDispose]();
    this.#triggers.delete(name);
  }

  #fire(service: Service, trigger: Trigger, what: string): void {
    const { policy, state, spec: { name, schedule, watch } } = service;
    const isJob = policy.restart !== "always";
    const answer = answerTo(trigger, state, { isJob, overlap: schedule?.overlap ?? "skip" });
    if (answer === undefined && trigger === "watch") return;
    const text = answer === undefined ? `${what}, but it is ${state.kind}` : `${what}: it is ${answer}ed`;
    this.#tell({ kind: "event", service: name, of: "run", text, trigger });
    if (answer === undefined) return;
    // Without files to open, or a disk: this time is told and passes, and the next one comes.
    const fail = (error: unknown) => {
      if (!(error instanceof Error)) throw error;
      this.#tell({ kind: "event", service: name, of: "run", text: error.message });
    };
    this.#watch(this.#answer(service, answer, trigger === "watch" && watch?.cascade === true).catch(fail));
  }

  async #answer(service: Service, answer: "start" | "restart", isCascading: boolean): Promise<void> {
    const { signal } = this.#closing;
    const before = newestOf(service);
    if (answer === "restart") service.request("restart");
    else if (!(await this.#bringUp(service, signal))) return;
    if (isCascading) await this.#cascade(service, before);
  }

  /** Once it was replaced, or has run to a good end, those that depend on it are restarted, one after the other. */
  async #cascade(service: Service, before: number | undefined): Promise<void> {
    const { signal } = this.#closing;
    await this.until(service, isAtRest, signal);
    if (newestOf(service) === before) return;
    const { spec: { name } } = service;
    const replaced = new Set([name]);
    for (const each of dependantsOf(name, this.#order, this.#services)) {
      const dependant = this.#services.get(each);
      if (dependant === undefined) continue;
      const needed = dependant.spec.dependsOn!.filter((dependency) => replaced.has(dependency.name));
      const come = await Promise.all(needed.map((dependency) => this.#comes(dependency, signal)));
      if (signal.aborted || needed.length === 0 || !come.every(Boolean) || !isUp(dependant)) continue;
      dependant.request("restart");
      await this.until(dependant, isAtRest, signal);
      replaced.add(each);
    }
  }

  /** Whether a dependency holds, or comes to do so by itself. */
  async #comes(dependency: Dependency, signal: AbortSignal): Promise<boolean> {
    const other = this.#services.get(dependency.name);
    if (other === undefined) return false;
    const isDecided = (each: Service) =>
      holds(dependency, each) || isHopeless(dependency, each) || each.is("idle");
    await this.until(other, isDecided, signal);
    return holds(dependency, other);
  }

  /** Starts what a service needs and then the service; false when that cannot be, or was called off. */
  async #bringUp(service: Service, signal: AbortSignal): Promise<boolean> {
    const missing = await this.startNeeds(service, signal);
    if (signal.aborted || this.#closing.signal.aborted) return false;
    if (missing === undefined) {
      service.request("start");
      return true;
    }
    const { spec: { name } } = service;
    const found = this.#services.get(missing.name)?.state.kind ?? "no service any more";
    const text = `it needs "${missing.name}" to be ${missing.condition}, and that is ${found}`;
    this.#tell({ kind: "event", service: name, of: "run", text });
    return false;
  }

  /** Each stops as soon as those that depend on it are gone. */
  async #stopAll(names: readonly string[]): Promise<void> {
    const stopped = new Map<string, Promise<void>>();
    for (const name of names.toReversed()) {
      const service = this.#services.get(name)!;
      const dependants = [...this.#services.values()].filter(({ spec }) => {
        return spec.dependsOn?.some((each) => each.name === name) === true;
      });
      const gone = dependants.map(({ spec }) => stopped.get(spec.name));
      stopped.set(name, Promise.all(gone).then(() => this.#stopOne(service)));
    }
    await Promise.all(stopped.values());
  }

  async #stopOne(service: Service): Promise<void> {
    // Whoever starts it meanwhile is overruled.
    while (!service.is("idle", "finished") && !this.#follow.signal.aborted) {
      service.request("stop");
      await this.until(service, (each) => !each.is("stopping"), this.#follow.signal);
    }
    await service.settled();
    service.ledger.forget();
  }

  #watch(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

function orderOf(specs: readonly ServiceSpec[]): string[] {
  return startOrder(specs.map(({ name, dependsOn = [] }) => {
    return { name, dependsOn: dependsOn.map((each) => each.name) };
  }));
}

function folderOf(state: string, service: string): string {
  return `${state}/${SERVICES}/${fileName(service)}`;
}
