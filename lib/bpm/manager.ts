/** A project's processes under a supervisor, in one of upstream's two modes. @module */
import { type Notice, type Place, type Service, type ServiceSpec, Supervisor } from "../supervisor/mod.ts";
import { type Changes, changesOf, settingsLater } from "./changes.ts";
import { ConfigError } from "../config/mod.ts";
import type { BpmConfig } from "./config.ts";
import { dependencyText } from "./dependency.ts";
import { instanceAt, type LogQuery } from "./log_search.ts";
import { Ports } from "./ports.ts";
import { type Process, processesOf } from "./processes.ts";
import { Searcher } from "./searcher.ts";
import { maskerOf } from "./secrets.ts";
import { type Mode, type ProcessStatus, statusText } from "./status_text.ts";
import { processStatus } from "./process_status.ts";

/** How often it is looked whether the dev mode is over. */
const MODE_CHECK_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What is asked for does not exist, or did not succeed; the message is for the client. */
export class ManagerError extends Error {
  override readonly name = "ManagerError";
}

export interface ManagerOptions {
  /** The project's own, absolute. */
  readonly folder: string;
  readonly config: BpmConfig;
  /** Where instances, logs and what is wanted are kept. */
  readonly stateFolder: string;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** A search that takes longer is given up. */
  readonly searchLimitMs?: number;
  /** Reads the configuration anew, for `reload`. */
  readonly load?: () => BpmConfig;
}

/** Runs a project's processes until disposed. */
export class Manager implements AsyncDisposable {
  readonly supervisor: Supervisor;
  #config: BpmConfig;
  #processes: ReadonlyMap<string, Process>;
  readonly #read: (config: BpmConfig) => Process[];
  readonly #load: (() => BpmConfig) | undefined;
  readonly #now: () => number;
  readonly #searcher: Searcher;
  readonly #secrets = new Set<string>();
  #masker = { known: 0, mask: maskerOf([]) };
  readonly #modeCheck: ReturnType<typeof setInterval>;
  #mode: Mode = "release";
  #calledMs: number;
  /** The last words about each process that it did not say itself. */
  readonly #events = new Map<string, string>();

  /**
   * @throws {SyntaxError | RangeError} When the configuration makes no sense.
   * @throws {BusyError} When another manager has the project.
   */
  static open(options: ManagerOptions): Manager {
    return new Manager(options);
  }

  private constructor({ folder, config, stateFolder, now = Date.now, searchLimitMs, load }: ManagerOptions) {
    this.#config = config;
    this.#load = load;
    this.#now = now;
    this.#calledMs = now();
    const ports = new Ports(stateFolder);
    this.#read = (config) =>
      processesOf({
        folder,
        config,
        direnv: isThere(`${folder}/.envrc`),
        mode: () => this.#mode,
        settings: () => this.#config,
        ports,
        secrets: this.#secrets,
      });
    const processes = this.#read(config);
    this.#processes = byName(processes);
    this.supervisor = Supervisor.open(processes.map(({ spec }) => spec), stateFolder);
    this.#searcher = new Searcher(searchLimitMs);
    this.supervisor.listen((notice) => {
      if (notice.kind !== "event") return;
      this.#events.set(notice.service, notice.text);
      // Whoever changes files works on it.
      if (notice.trigger === "watch") this.#develop();
    });
    this.#modeCheck = setInterval(() => this.checkMode(), MODE_CHECK_MS);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Keeps the values of environment files and commands out of a text, also those that it gets to know later. */
  readonly mask = (text: string): string => {
    const { size } = this.#secrets;
    if (this.#masker.known !== size) this.#masker = { known: size, mask: maskerOf([...this.#secrets]) };
    return this.#masker.mask(text);
  };

  /** Starts what starts by itself, or goes on with it. */
  async start(signal: AbortSignal): Promise<void> {
    // What runs already may say what its manager before this one was told.
    await Promise.all([...this.#processes.values()].map(async ({ spec, environment }) => {
      if (!environment.isAsked || this.supervisor.services.get(spec.name)!.ledger.wanted()?.up !== true) {
        return;
      }
      await environment.ask().then(() => environment.read(), (error) => this.#note(spec, error));
    }));
    await this.supervisor.start(signal, { except: (name) => this.#isOff(name) });
  }

  /** A tool was called: dev mode lasts on. */
  touch(): void {
    this.#calledMs = this.#now();
  }

  /** Ends the dev mode when no tool was called for long; what is built is built anew and replaced. */
  checkMode(): void {
    if (this.#mode === "release" || this.#devLeftMs() >= 0) return;
    this.#mode = "release";
    for (const [name, service] of this.supervisor.services) {
      const process = this.#processes.get(name);
      if (
        this.#config.process[process?.name ?? ""]?.type === "rust" &&
        !service.is("idle", "finished", "stopping")
      ) {
        service.request("restart");
      }
    }
  }

  /** @throws {ManagerError} When there is none of that name. */
  service(name: string): Service {
    const service = this.supervisor.services.get(name);
    if (service !== undefined) return service;
    const replicas = this.namesOf(name).join(", ");
    if (replicas !== "") throw new ManagerError(`'${name}' is several processes: ask for one of ${replicas}`);
    const known = [...this.supervisor.services.keys()].join(", ");
    throw new ManagerError(`Process '${name}' not found (there are: ${known})`);
  }

  /** Names of the services that a process or a group, written with `@`, has; none when there is no such. */
  namesOf(name: string): string[] {
    const isMeant = (process: Process) =>
      name.startsWith("@") ? process.groups.includes(name.slice(1)) : process.name === name;
    return [...this.#processes.values()].filter(isMeant).map(({ spec }) => spec.name);
  }

  /**
   * The services that a name stands for, in the order of the file: of a process, of all its replicas, or with `@` of a
   * group. @throws {ManagerError} When there is none.
   */
  members(name: string): Service[] {
    const names = this.namesOf(name);
    return names.length === 0 ? [this.service(name)] : names.map((each) => this.service(each));
  }

  /**
   * Builds and replaces a process, or several one after the other, in dev mode; resolves when the new ones are ready.
   * @throws {ManagerError} Why not.
   */
  async restart(name: string, signal: AbortSignal): Promise<void> {
    const services = this.members(name);
    this.#develop();
    for (const service of services) await this.#changed(service, "restart", signal);
  }

  /** Starts what does not run, and before it what it needs. @throws {ManagerError} Why it does not come up. */
  async startOne(name: string, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.members(name).map(async (service) => {
        if (service.is("running", "replacing")) return;
        const missing = await this.supervisor.startNeeds(service, signal);
        if (missing !== undefined) {
          const { state } = this.service(missing.name);
          const needs = `it needs '${missing.name}' to be ${
            dependencyText(missing)
          }, and that is ${state.kind}`;
          throw new ManagerError(`Failed to start process '${service.spec.name}': ${needs}`);
        }
        if (!service.is("running", "replacing")) await this.#changed(service, "start", signal);
      }),
    );
  }

  /** Stops a process, or several; resolves when they are gone. */
  async stopOne(name: string, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.members(name).map(async (service) => {
        service.request("stop");
        await this.supervisor.until(service, (each) => each.is("idle", "finished"), signal);
      }),
    );
  }

  /**
   * Reads the configuration anew and makes the processes those of it; those that it does not change run on. With `dryRun`
   * it is only told what would change.
   * @throws {ManagerError} When it cannot be read or makes no sense; then nothing has changed.
   */
  async reload(
    { signal, dryRun }: { readonly signal: AbortSignal; readonly dryRun: boolean },
  ): Promise<Changes> {
    const [config, processes] = this.#readAnew();
    const before = this.#processes;
    const changes = changesOf([...before.values()], processes, settingsLater(this.#config, config));
    if (dryRun) return changes;
    // What has not changed keeps what it was made of: its build, for example.
    const kept = processes.map((each) => {
      return changes.unchanged.includes(each.spec.name) ? before.get(each.spec.name)! : each;
    });
    const changed = new Set(changes.changed);
    this.#config = config;
    this.#processes = byName(kept);
    const except = (name: string) => this.#isOff(name);
    try {
      await this.supervisor.apply(kept.map(({ spec }) => spec), { changed, signal, except });
    } catch (error) {
      this.#processes = before;
      throw toManagerError(error);
    }
    return changes;
  }

  /** The text of `get_status`. */
  statusText(): string {
    const processes = [...this.supervisor.services.values()].map((service) => this.status(service));
    return statusText(this.#mode, this.#devLeftMs(), processes, this.#now());
  }

  status(service: Service): ProcessStatus {
    return processStatus(service);
  }

  /** Where to look at a process. */
  urlOf(name: string): string | undefined {
    return this.#processes.get(name)?.url;
  }

  /** What is known of a process that it did not say itself, the last of it. */
  lastEvent(name: string): string | undefined {
    return this.#events.get(name);
  }

  /** Logs that are kept, oldest first. */
  logs(name: string, kind: Place["kind"]): readonly Place[] {
    return this.service(name).ledger.places(kind);
  }

  /**
   * Searches the log of one instance; −1 is the newest one.
   * @throws {ManagerError | InstanceError | PatternError} When there is no such process, instance or pattern.
   */
  search(
    name: string,
    kind: Place["kind"],
    query: LogQuery & { readonly index?: number },
    signal?: AbortSignal,
  ): Promise<string> {
    const places = this.logs(name, kind);
    const { folder } = places[instanceAt(query.index ?? -1, places.length)]!;
    return this.#searcher.search({ folder, kind, query, secrets: [...this.#secrets] }, signal);
  }

  /** Lets go of everything; the next manager goes on with it. */
  async release(): Promise<void> {
    this.#close();
    await this.supervisor.release();
  }

  /** Stops all processes that do not outlive their manager. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.supervisor.stop();
  }

  #close(): void {
    clearInterval(this.#modeCheck);
    this.#searcher[Symbol.dispose]();
  }

  #isOff(name: string): boolean {
    return this.#processes.get(name)?.autostart === false;
  }

  #readAnew(): [BpmConfig, Process[]] {
    if (this.#load === undefined) {
      throw new ManagerError("Cannot reload: this manager was not started from a file");
    }
    try {
      const config = this.#load();
      return [config, this.#read(config)];
    } catch (error) {
      throw toManagerError(error);
    }
  }

  #note({ name }: ServiceSpec, error: unknown): void {
    if (!(error instanceof Error)) throw error;
    this.#events.set(name, error.message);
  }

  #develop(): void {
    this.#mode = "dev";
    this.touch();
  }

  #devLeftMs(): number {
    return this.#calledMs + this.#config.dev_timeout_hours * HOUR_MS - this.#now();
  }

  /** Asks for a change and waits for what becomes of it. */
  async #changed(service: Service, what: "start" | "restart", signal: AbortSignal): Promise<void> {
    const before = service.current?.place.number;
    const { name } = service.spec;
    this.#events.delete(name);
    const trail: Notice[] = [];
    const stopListening = this.supervisor.listen((notice) => {
      if (notice.kind === "state" && notice.service === name) trail.push(notice);
    });
    try {
      service.request(what);
      const isOver = () =>
        trail.length > 0 && service.is("running", "backoff", "failing", "finished", "idle");
      await this.supervisor.until(service, isOver, signal);
    } finally {
      stopListening();
    }
    signal.throwIfAborted();
    if (service.is("running") && service.current?.place.number !== before) return;
    const { state } = service;
    if (state.kind === "finished" && state.outcome.kind === "exited" && state.outcome.code === 0) return;
    throw new ManagerError(this.#failure(service, what));
  }

  #failure(service: Service, what: string): string {
    const { name } = service.spec;
    const { state } = service;
    const why = this.#events.get(name);
    const ending = why === undefined ? "" : `: ${this.mask(why)}`;
    if (state.kind === "idle") return `Process '${name}' was stopped meanwhile`;
    if (state.kind === "running") {
      return `Process '${name}' could not be replaced, the one before runs on${
        ending || "; see search_build_log and search_logs"
      }`;
    }
    return `Failed to ${what} process '${name}': it is ${state.kind}${outcomeText(state)}${ending}`;
  }
}

function outcomeText(state: Service["state"]): string {
  if (!("outcome" in state)) return "";
  const { outcome } = state;
  if (outcome.kind === "lost") return " (exit unknown)";
  return ` (exit ${outcome.signal ?? outcome.code})`;
}

function byName(processes: readonly Process[]): Map<string, Process> {
  return new Map(processes.map((process) => [process.spec.name, process]));
}

/** What is wrong with a configuration is for whoever wrote it. */
function toManagerError(error: unknown): unknown {
  const isTold = error instanceof ConfigError || error instanceof SyntaxError || error instanceof RangeError;
  return isTold ? new ManagerError(error.message, { cause: error }) : error;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
