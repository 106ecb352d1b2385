/** The processes of a user, for all assistants that work for them. @module */
import { rm } from "node:fs/promises";
import { abortable } from "../async/mod.ts";
import { inspectInstance, type Line, type Stream } from "../keeper/mod.ts";
import { HostError, lastLines, ServiceHost, UsageRates } from "../services/mod.ts";
import { type Service, Supervisor } from "../supervisor/mod.ts";
import { Absences } from "./absences.ts";
import type { AllowRule } from "./allow.ts";
import { AllowList } from "./allow_list.ts";
import { Catalogue, type CatalogueParts, type NewProcess } from "./catalogue.ts";
import type { Client } from "./client.ts";
import { Memory } from "./memory.ts";
import type { Policy } from "./policy.ts";
import type { ProcessRecord, RecordChanges } from "./record.ts";
import { Shelf } from "./shelf.ts";
import { bootId, Specs } from "./specs.ts";
import { type ProcessUsage, usageOf } from "./process_usage.ts";
import { refusalIn, standingOf } from "./standing.ts";
import { filterOf, type ListFilter } from "./list_filter.ts";
import { infoJson, type Standing } from "./state.ts";
import { STORE, Store } from "./store.ts";

/** How a host is opened. */
export interface HostOptions {
  /** Where instances, logs and descriptions are kept. */
  readonly stateFolder: string;
  readonly policy: Policy;
  /** What may be started where; everything when left out. */
  readonly allow?: readonly AllowRule[];
  /** Kept of the log of one run. */
  readonly logMib: number;
  /** Told of what could not be kept, where nobody asked for it. */
  readonly trouble?: (text: string) => void;
}

/** How a process is started. */
export interface StartOptions {
  /** With whose environment; nobody in particular has that of who started it last. */
  readonly client: Client | undefined;
  readonly signal: AbortSignal;
  /** The question to which a person has just said yes. */
  readonly permitted?: string | undefined;
}

const REMOVE_GRACE_MS = 5_000;
/** Noted while a host is at work: the boot of the machine in which it is. */
const AT_WORK_SINCE = "at work since boot";

export class IchimiHost extends ServiceHost {
  readonly name = "ichimi";
  readonly stateFolder: string;
  /** What the user keeps beside processes. */
  readonly shelf: Shelf;
  /** What may be started where. */
  readonly allowed: AllowList;
  /** What was started after what. */
  readonly memory: Memory;
  /** Which sessions have gone, and since when. */
  readonly absences: Absences;
  readonly #store: Store;
  readonly #catalogue: Catalogue;
  /** What became of each; forgotten when something happens to it. */
  readonly #standings = new Map<string, Standing>();
  readonly #specs: Specs;
  readonly #rates = new UsageRates();
  readonly #startedMs = performance.now();
  /** What is being removed goes, also when nobody waits for it any more. */
  readonly #removals = new Map<Service, Promise<void>>();

  /** @throws {Error} When another daemon has the state, or it cannot be read. */
  static open(options: HostOptions): IchimiHost {
    Deno.mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 });
    const { policy, trouble, logMib, allow = [] } = options;
    let kept: Omit<CatalogueParts, "supervisor" | "policy"> & { readonly allowed: AllowList } | undefined;
    try {
      // The store of a folder that another daemon has is not even opened: the runtime's file watcher reads what stands in a
      // folder, and when it closes a file SQLite's locks on that are gone. Whoever else closed it would take the log away.
      const supervisor = Supervisor.open(() => {
        const store = Store.open(`${options.stateFolder}/${STORE}`, trouble);
        const allowed = new AllowList(allow, store);
        kept = { store, allowed, specs: new Specs({ logMib, store, allowed }), records: store.processes() };
        return kept.records.map((each) => kept!.specs.of(each));
      }, options.stateFolder);
      const { allowed, ...parts } = kept!;
      return new IchimiHost(options, allowed, { supervisor, policy, ...parts });
    } catch (error) {
      kept?.store[Symbol.dispose]();
      throw error;
    }
  }

  private constructor({ stateFolder }: HostOptions, allowed: AllowList, parts: CatalogueParts) {
    const { supervisor, store, specs } = parts;
    super(supervisor, undefined);
    this.stateFolder = stateFolder;
    this.#store = store;
    this.shelf = new Shelf(store);
    this.memory = new Memory(store);
    this.absences = new Absences(store);
    this.#specs = specs;
    this.#catalogue = new Catalogue(parts);
    this.allowed = allowed;
    supervisor.listen((notice) => {
      if (notice.kind !== "line" && notice.kind !== "part") this.#standings.delete(notice.service);
    });
  }

  /** Hears of processes that are described anew; of all else the supervisor tells. Returns how to stop listening. */
  listenForChanges(listener: (id: string) => void): () => void {
    return this.#catalogue.listen(listener);
  }

  override get hasBuilds(): boolean {
    return false;
  }

  override inputAdvice(): string {
    return 'create it with "input": "pipe" or "terminal"';
  }

  /** With upstream's words. */
  override service(id: string): Service {
    const service = this.supervisor.services.get(id);
    if (service === undefined || this.#catalogue.get(id) === undefined) {
      throw new HostError(`Process '${id}' not found`, { problem: "missing" });
    }
    return service;
  }

  /** How a process was described. @throws {HostError} When there is none. */
  record(id: string): ProcessRecord {
    this.service(id);
    return this.#catalogue.get(id)!;
  }

  /** All of them, in the order in which they were made. */
  get records(): readonly ProcessRecord[] {
    return this.#catalogue.all;
  }

  /** Whether something runs, or is to run again. */
  get isBusy(): boolean {
    return [...this.supervisor.services.values()].some((service) => !service.is("idle", "finished"));
  }

  /** How long this daemon has been at work. */
  get uptimeSeconds(): number {
    return Math.floor((performance.now() - this.#startedMs) / 1_000);
  }

  /** Goes on with what runs; starts what starts by itself, unless this follows a host that did not end. */
  async start(signal: AbortSignal): Promise<void> {
    const boot = bootId();
    const isFirst = this.#store.fact(AT_WORK_SINCE) !== boot;
    if (isFirst) this.#store.attempt("note a start", () => this.#store.note(AT_WORK_SINCE, boot));
    // A host that was killed while it removed one has left its folder.
    await this.supervisor.start(signal, { except: () => true, forget: true });
    if (!isFirst || signal.aborted) return;
    for (const { id, autoStartOnRestore } of this.records) {
      const service = this.supervisor.services.get(id)!;
      if (!autoStartOnRestore || !service.is("idle", "finished")) continue;
      const refused = this.allowed.refusal(this.record(id));
      if (refused === undefined) service.request("start");
      else this.#store.trouble(refused.message);
    }
  }

  /** Describes a process; it is not started. @throws {HostError} When its id is taken, or it may not be run. */
  create(given: NewProcess): Promise<ProcessRecord> {
    return this.#catalogue.create(given);
  }

  /**
   * Describes a process and starts it; resolves with its pid. What could not be started is not there afterwards, so that
   * it can be tried again.
   * @throws {NotAllowed | HostError} As `create` and `startProcess`.
   */
  async createAndStart(given: NewProcess, options: StartOptions): Promise<number> {
    await this.create(given);
    try {
      return await this.startProcess(given.id, options);
    } catch (error) {
      await this.remove(given.id, NEVER);
      throw error;
    }
  }

  /**
   * Describes several processes, those anew that are there.
   * @throws {HostError} When one of them may not be run; then nothing has changed.
   */
  putAll(records: readonly ProcessRecord[]): Promise<void> {
    return this.#catalogue.put(records);
  }

  /** Changes how a process is described; what runs of it does so until its next start. @throws {HostError} */
  async update(
    id: string,
    changes: RecordChanges,
    { permitted }: Pick<StartOptions, "permitted"> = {},
  ): Promise<ProcessRecord> {
    const record = { ...this.record(id), ...changes };
    if (this.startsAnew(id, changes)) this.allowed.permit(record, permitted);
    await this.#catalogue.put([record]);
    this.#specs.keepStarter(record);
    return this.record(id);
  }

  /** Whether a changed process would be started again without anybody who asks for it. */
  startsAnew(id: string, changes: RecordChanges): boolean {
    const { restart } = { ...this.record(id), ...changes };
    const { state } = this.service(id);
    if (state.kind === "idle" || state.kind === "finished") return false;
    if (state.kind === "stopping") return state.then !== "idle";
    return restart !== "never" || state.kind === "backoff";
  }

  /**
   * Starts a process; resolves with its pid, also when it has ended at once.
   * @throws {NotAllowed} When it may not be started in its project. @throws {HostError} When there is none of that id, it runs already, or it cannot be started.
   */
  async startProcess(id: string, options: StartOptions): Promise<number> {
    const service = this.service(id);
    if (!service.is("idle", "finished", "backoff")) throw conflict(`Process '${id}' is already running`);
    this.#checkStart(id, options);
    return await this.#start(service, options);
  }

  /** Stops a process if it runs, and starts it. @throws {NotAllowed | HostError} As `startProcess`, before it is stopped. */
  async restartProcess(id: string, graceMs: number, options: StartOptions): Promise<number> {
    const service = this.service(id);
    this.#checkStart(id, options);
    if (!service.is("idle", "finished")) await this.stopProcess(id, graceMs, options.signal);
    return await this.#start(service, options);
  }

  #checkStart(id: string, { permitted }: StartOptions): void {
    const record = this.record(id);
    this.#catalogue.check(record);
    this.allowed.check(record, permitted);
  }

  async #start(service: Service, { client, permitted, signal }: StartOptions): Promise<number> {
    const { name: id } = service.spec;
    this.allowed.permit(this.record(id), permitted);
    const before = service.ledger.places("run").at(-1)?.number ?? 0;
    this.#specs.startFor(this.record(id), client);
    this.unremark(id);
    if (!service.request("start")) throw conflict(`Process '${id}' was removed meanwhile`);
    await service.current?.begun;
    await this.supervisor.until(service, (each) => !each.is("starting"), signal);
    signal.throwIfAborted();
    const place = service.ledger.places("run").at(-1);
    const isNew = place !== undefined && place.number > before;
    const status = isNew ? inspectInstance(place.folder) : undefined;
    const refused = isNew ? refusalIn(place) : undefined;
    if (refused === undefined && status !== undefined && "pid" in status) {
      this.memory.started(id, client?.folder ?? "", Date.now());
      return status.pid;
    }
    const reason = refused ?? this.lastEvent(id) ?? "it was stopped meanwhile";
    throw new HostError(`Failed to start process: ${this.mask(reason)}`);
  }

  override async startOne(id: string, signal: AbortSignal): Promise<void> {
    this.allowed.check(this.record(id));
    await super.startOne(id, signal);
  }

  override async restart(id: string, signal: AbortSignal): Promise<void> {
    this.allowed.check(this.record(id));
    await super.restart(id, signal);
  }

  /** Who started a process last: what they gave to it a start by nobody in particular gives too. */
  starter(id: string): Client | undefined {
    return this.#specs.starterOf(id);
  }

  /** Stops a process and all that it has started. @throws {HostError} When it does not run. */
  async stopProcess(id: string, graceMs: number, signal: AbortSignal): Promise<void> {
    const service = this.service(id);
    if (service.is("idle", "finished")) throw conflict(`Process '${id}' is not running`);
    using _ = this.#specs.stopWithin(id, graceMs);
    await this.stopOne(id, signal);
  }

  /**
   * Stops a process if it runs, and forgets it and its logs. That goes on when `signal` fires: it ends the waiting only.
   * @throws {HostError} When there is none.
   */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const service = this.service(id);
    let removal = this.#removals.get(service);
    if (removal === undefined) {
      removal = this.#remove(service).finally(() => this.#removals.delete(service));
      this.#removals.set(service, removal);
    }
    await abortable(removal, signal);
  }

  async #remove(service: Service): Promise<void> {
    const { spec: { name: id }, ledger: { folder } } = service;
    // Nobody starts it any more.
    service.isDismissed = true;
    try {
      if (!service.is("idle", "finished")) {
        using _ = this.#specs.stopWithin(id, REMOVE_GRACE_MS);
        await this.stopOne(id, NEVER);
      }
      await this.#catalogue.drop(id).catch(async () => {
        // Where the disk is full its logs make room.
        await service.settled();
        await rm(folder, { recursive: true, force: true });
        await this.#catalogue.drop(id);
      });
    } catch (error) {
      service.isDismissed = false;
      throw error;
    }
    await service.settled();
    this.#specs.forget(id);
    this.allowed.forget(id);
    this.#rates.forget(id);
    this.#standings.delete(id);
    await rm(folder, { recursive: true, force: true });
  }

  /** What became of a process. @throws {HostError} When there is none. */
  standing(id: string): Standing {
    const known = this.#standings.get(id);
    if (known !== undefined) return known;
    const standing = standingOf(this.service(id), this.lastEvent(id));
    this.#standings.set(id, standing);
    return standing;
  }

  /** A process as clients see it. @throws {HostError} When there is none. */
  info(id: string): ReturnType<typeof infoJson> {
    return infoJson(this.record(id), this.standing(id));
  }

  /** The same of all that are asked for. */
  list(filter: ListFilter = {}): ReturnType<typeof infoJson>[] {
    const isMeant = filterOf(filter);
    return this.records.map((record) => ({ record, standing: this.standing(record.id) }))
      .filter(({ record, standing }) => isMeant(record, standing))
      .map(({ record, standing }) => infoJson(record, standing));
  }

  /** The same of one, with what it uses. */
  status(id: string): { readonly info: ReturnType<typeof infoJson> } & ProcessUsage {
    return { info: this.info(id), ...usageOf(id, this.standing(id).state, this.#rates) };
  }

  /** The last lines of all runs that are kept, in order of time. @throws {HostError} When there is no such process. */
  output(id: string, count: number, stream?: Stream): Line[] {
    const lines: Line[] = [];
    for (const { folder } of this.logs(id, "run").toReversed()) {
      if (lines.length >= count) break;
      lines.unshift(...lastLines(folder, count - lines.length, stream));
    }
    return lines;
  }

  override async release(): Promise<void> {
    await Promise.allSettled(this.#removals.values());
    await super.release();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#removals.values());
    if (this.#store.isOpen) {
      this.#store.attempt("note the end", () => this.#store.note(AT_WORK_SINCE, undefined));
    }
    await super[Symbol.asyncDispose]();
  }

  protected override close(): void {
    super.close();
    this.#store[Symbol.dispose]();
  }
}

function conflict(message: string): HostError {
  return new HostError(message, { problem: "conflict" });
}

const NEVER = new AbortController().signal;
