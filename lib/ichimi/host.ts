/** The processes of a user, for all assistants that work for them. @module */
import { normalize } from "node:path/posix";
import { readKernelFile } from "../../ffi/files/mod.ts";
import { inspectInstance, type Line, type Stream } from "../keeper/mod.ts";
import { HostError, lastLines, ServiceHost, treeUsage, UsageRates } from "../services/mod.ts";
import { type Service, Supervisor } from "../supervisor/mod.ts";
import type { AllowRule } from "./allow.ts";
import { AllowList } from "./allow_list.ts";
import type { Client } from "./client.ts";
import { findFolder } from "./folders.ts";
import type { Suggestion } from "./habits.ts";
import { Memory } from "./memory.ts";
import { namePattern } from "./pattern.ts";
import { type Policy, refusal } from "./policy.ts";
import {
  idProblem,
  newIdProblem,
  type ProcessRecord,
  RECORD_DEFAULTS,
  type RecordChanges,
} from "./record.ts";
import { Shelf } from "./shelf.ts";
import { Specs } from "./specs.ts";
import { refusalIn, standingOf } from "./standing.ts";
import { infoJson, isOfState, type Standing, type StateFilter } from "./state.ts";
import { Store } from "./store.ts";

/** How a host is opened. */
export interface HostOptions {
  /** Where instances, logs and descriptions are kept. */
  readonly stateFolder: string;
  readonly policy: Policy;
  /** What may be started where; everything when left out. */
  readonly allow?: readonly AllowRule[];
  /** Kept of the log of one run. */
  readonly logMib: number;
}

/** What `list_processes` is asked for. */
export interface ListFilter {
  readonly state?: StateFilter | undefined;
  readonly name_pattern?: string | undefined;
}

/** How a new process is described. */
export type NewProcess = Pick<ProcessRecord, "id" | "command"> & Partial<ProcessRecord>;

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
  readonly #store: Store;
  readonly #policy: Policy;
  readonly #memory: Memory;
  /** In the order in which they were made. */
  readonly #records = new Map<string, ProcessRecord>();
  /** What became of each; forgotten when something happens to it. */
  readonly #standings = new Map<string, Standing>();
  readonly #specs: Specs;
  readonly #rates = new UsageRates();
  readonly #startedMs = performance.now();
  readonly #changeListeners = new Set<(id: string) => void>();
  #applying: Promise<unknown> = Promise.resolve();

  /** @throws {Error} When another daemon has the state, or it cannot be read. */
  static open(options: HostOptions): IchimiHost {
    Deno.mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 });
    const store = Store.open(`${options.stateFolder}/ichimi.sqlite`);
    try {
      const specs = new Specs(options.logMib);
      const records = store.processes();
      const supervisor = Supervisor.open(records.map((each) => specs.of(each)), options.stateFolder);
      return new IchimiHost(supervisor, options, { store, specs, records });
    } catch (error) {
      store[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(
    supervisor: Supervisor,
    { stateFolder, policy, allow = [] }: HostOptions,
    { store, specs, records }: {
      readonly store: Store;
      readonly specs: Specs;
      readonly records: readonly ProcessRecord[];
    },
  ) {
    super(supervisor, undefined);
    this.stateFolder = stateFolder;
    this.#store = store;
    this.shelf = new Shelf(store);
    this.#memory = new Memory(store);
    this.#specs = specs;
    this.#policy = policy;
    this.allowed = new AllowList(allow, store);
    for (const record of records) this.#records.set(record.id, record);
    supervisor.listen((notice) => {
      if (notice.kind !== "line") this.#standings.delete(notice.service);
    });
  }

  /** Hears of processes that are described anew; of all else the supervisor tells. Returns how to stop listening. */
  listenForChanges(listener: (id: string) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
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
    if (service === undefined || !this.#records.has(id)) {
      throw new HostError(`Process '${id}' not found`, { problem: "missing" });
    }
    return service;
  }

  /** How a process was described. @throws {HostError} When there is none. */
  record(id: string): ProcessRecord {
    this.service(id);
    return this.#records.get(id)!;
  }

  /** All of them, in the order in which they were made. */
  get records(): readonly ProcessRecord[] {
    return [...this.#records.values()].filter(({ id }) => this.supervisor.services.has(id));
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
    const boot = new TextDecoder().decode(readKernelFile("/proc/sys/kernel/random/boot_id")).trim();
    const isFirst = this.#store.fact(AT_WORK_SINCE) !== boot;
    this.#store.note(AT_WORK_SINCE, boot);
    // A host that was killed while it removed one has left its folder.
    await this.supervisor.start(signal, { except: () => true, forget: true });
    if (!isFirst || signal.aborted) return;
    for (const { id, autoStartOnRestore } of this.records) {
      const service = this.supervisor.services.get(id)!;
      const isMeant = autoStartOnRestore && this.allowed.refusal(this.record(id)) === undefined;
      if (isMeant && service.is("idle", "finished")) service.request("start");
    }
  }

  /** Describes a process; it is not started. @throws {HostError} When its id is taken, or it may not be run. */
  async create(given: NewProcess): Promise<ProcessRecord> {
    const record = absolute({ ...RECORD_DEFAULTS, ...given });
    const { id } = record;
    this.#check(record);
    if (this.#records.has(id)) throw conflict(`Process with id '${id}' already exists`);
    this.#keep(record);
    await this.#apply();
    return record;
  }

  /**
   * Describes several processes, those anew that are there.
   * @throws {HostError} When one of them may not be run; then nothing has changed.
   */
  async putAll(given: readonly ProcessRecord[]): Promise<void> {
    const records = given.map(absolute);
    for (const record of records) this.#check(record);
    this.#store.together(() => records.forEach((record) => this.#store.putProcess(record)));
    for (const record of records) this.#records.set(record.id, record);
    await this.#apply();
    for (const { id } of records) this.#tellChange(id);
  }

  /** Changes how a process is described; what runs of it does so until its next start. @throws {HostError} */
  async update(id: string, changes: RecordChanges): Promise<ProcessRecord> {
    const record = absolute({ ...this.record(id), ...changes });
    this.#check(record);
    this.#keep(record);
    await this.#apply();
    this.#tellChange(id);
    return record;
  }

  /**
   * Starts a process for a client, with whose environment it runs; resolves with its pid, also when it has ended at once.
   * @throws {NotAllowed} When it may not be started in its project. @throws {HostError} When there is none of that id, it runs already, or it cannot be started.
   */
  async startProcess(
    id: string,
    client: Client | undefined,
    signal: AbortSignal,
    { isPermitted = false }: { readonly isPermitted?: boolean } = {},
  ): Promise<number> {
    const service = this.service(id);
    if (!service.is("idle", "finished", "backoff")) throw conflict(`Process '${id}' is already running`);
    this.#check(this.record(id));
    if (!isPermitted) this.allowed.check(this.record(id));
    const before = service.ledger.places("run").at(-1)?.number ?? 0;
    this.#specs.startFor(id, client);
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
      this.#memory.started(id, client?.folder ?? "", Date.now());
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

  /** Who started a process last, as long as they live: what they gave to it a start by nobody in particular gives too. */
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

  /** Stops a process if it runs, and forgets it and its logs. @throws {HostError} When there is none. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const service = this.service(id);
    const { folder } = service.ledger;
    // Nobody starts it any more.
    service.dismiss();
    if (!service.is("idle", "finished")) {
      using _ = this.#specs.stopWithin(id, REMOVE_GRACE_MS);
      await this.stopOne(id, signal);
    }
    if (this.#records.get(id) === undefined || this.supervisor.services.get(id) !== service) return;
    this.#store.dropProcess(id);
    this.#records.delete(id);
    await this.#apply();
    await service.settled();
    this.#specs.forget(id);
    this.#rates.forget(id);
    this.#standings.delete(id);
    await Deno.remove(folder, { recursive: true }).catch((error) => {
      // It has never run.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
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
  list({ state = "All", name_pattern: pattern }: ListFilter = {}): ReturnType<typeof infoJson>[] {
    const isMeant = pattern === undefined ? () => true : namePattern(pattern);
    return this.records.filter(({ id, command }) => isMeant(id) || isMeant(command))
      .map((record) => ({ record, standing: this.standing(record.id) }))
      .filter(({ standing }) => isOfState(standing.state, state))
      .map(({ record, standing }) => infoJson(record, standing));
  }

  /** The same of one, with what it uses: percent of a core since it was looked at last, and bytes. */
  status(id: string): ProcessStatus {
    const { state } = this.standing(id);
    const info = this.info(id);
    if (state.kind !== "running") return { info, cpu_usage: null, memory_usage: null, uptime_seconds: null };
    const uptimeMs = Math.max(0, Date.now() - state.startedMs);
    const used = treeUsage(state.pid);
    const { ratio } = this.#rates.ratio(id, state.pid, used);
    const cpu = ratio ?? (uptimeMs === 0 ? 0 : 1_000 * used.cpuSeconds / uptimeMs);
    return {
      info,
      cpu_usage: Math.round(1_000 * cpu) / 10,
      memory_usage: used.memoryBytes,
      uptime_seconds: Math.floor(uptimeMs / 1_000),
    };
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

  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#store.isOpen) this.#store.note(AT_WORK_SINCE, undefined);
    await super[Symbol.asyncDispose]();
  }

  /** What is usually started after a process, or after the last one of a client's project, and does not run. */
  suggestions(current: string | undefined, client: Client | undefined): Suggestion[] {
    const isWanted = (id: string) => this.supervisor.services.get(id)?.is("idle", "finished") === true;
    return this.#memory.suggestions({ current, project: client?.folder ?? "", isWanted });
  }

  protected override close(): void {
    super.close();
    this.#store[Symbol.dispose]();
  }

  /** Known is what is kept: not what a full disk did not take. */
  #keep(record: ProcessRecord): void {
    this.#store.putProcess(record);
    this.#records.set(record.id, record);
  }

  #tellChange(id: string): void {
    for (const listener of [...this.#changeListeners]) listener(id);
  }

  /** @throws {HostError} When it may not be run. */
  #check(record: ProcessRecord): void {
    // One that is there from before such ids were refused goes on.
    const problem = this.#records.has(record.id) ? idProblem(record.id) : newIdProblem(record.id);
    if (problem !== undefined) {
      throw new HostError(`Cannot create process '${record.id.slice(0, 50)}': its id ${problem}`);
    }
    const reason = refusal(record, this.#policy, findFolder);
    if (reason !== undefined) throw new HostError(reason);
  }

  /** Makes services of the records, one change after the other. */
  async #apply(): Promise<void> {
    const work = this.#applying.then(() => {
      const specs = [...this.#records.values()].map((each) => this.#specs.of(each));
      return this.supervisor.apply(specs, { changed: NOTHING, signal: NEVER, except: () => true });
    });
    this.#applying = work.catch(() => "Told to whoever asked.");
    await work;
  }
}

function conflict(message: string): HostError {
  return new HostError(message, { problem: "conflict" });
}

/** A folder that is named from where the client works. */
function absolute(record: ProcessRecord): ProcessRecord {
  const { cwd, project } = record;
  if (cwd === null || cwd.startsWith("/")) return record;
  if (project === null) {
    throw new HostError(`Working directory must be absolute where nobody knows the client's: ${cwd}`);
  }
  return { ...record, cwd: normalize(`${project}/${cwd}`) };
}

const NOTHING: ReadonlySet<string> = new Set();
const NEVER = new AbortController().signal;

/** As `get_process_status` tells it. */
export interface ProcessStatus {
  readonly info: ReturnType<typeof infoJson>;
  readonly cpu_usage: number | null;
  readonly memory_usage: number | null;
  readonly uptime_seconds: number | null;
}
