/** A project's processes under a supervisor, in one of upstream's two modes. @module */
import { abortable } from "../async/mod.ts";
import { ConfigError } from "../config/mod.ts";
import { type Notice, type Place, type Service, Supervisor } from "../supervisor/mod.ts";
import type { Changes } from "./changes.ts";
import { dependencyText } from "./dependency.ts";
import { instanceAt, type LogQuery } from "./log_search.ts";
import { processStatus } from "./process_status.ts";
import { Project, type ProjectOptions, type Revision } from "./project.ts";
import { Searcher } from "./searcher.ts";
import { type Mode, type ProcessStatus, statusText } from "./status_text.ts";

/** How often it is looked whether the dev mode is over. */
const MODE_CHECK_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What is asked for does not exist, or did not succeed; the message is for the client. */
export class ManagerError extends Error {
  override readonly name = "ManagerError";
}

export interface ManagerOptions extends ProjectOptions {
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** A search that takes longer is given up. */
  readonly searchLimitMs?: number;
}

/** Runs a project's processes until disposed. */
export class Manager implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly #project: Project;
  readonly #now: () => number;
  readonly #searcher: Searcher;
  readonly #modeCheck: ReturnType<typeof setInterval>;
  #reloading: Promise<unknown> = Promise.resolve();
  /** Ends that the last reload waits for what it has begun: the next one's turn has come. */
  #overtake = new AbortController();
  readonly #closing = new AbortController();
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

  private constructor({ now = Date.now, searchLimitMs, ...options }: ManagerOptions) {
    this.#now = now;
    this.#calledMs = now();
    this.#project = new Project(options, () => this.#mode);
    this.supervisor = Supervisor.open(this.#project.specs, options.stateFolder);
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
  get mask(): (text: string) => string {
    return this.#project.mask;
  }

  /** Starts what starts by itself, or goes on with it. */
  async start(signal: AbortSignal): Promise<void> {
    // What runs already may say what the manager before this one was told.
    const isUp = (name: string) => this.supervisor.services.get(name)!.ledger.wanted()?.up === true;
    await this.#project.learnSecrets(isUp, (name, error) => this.#events.set(name, error.message));
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
      const isBuilt = this.#project.process(name)?.config.type === "rust";
      if (isBuilt && !service.is("idle", "finished", "stopping")) service.request("restart");
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
    return this.#project.servicesOf(name);
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
        signal.throwIfAborted();
        if (!service.is("running", "replacing")) await this.#changed(service, "start", signal);
      }),
    );
  }

  /** Stops a process, or several; resolves when they are gone. */
  async stopOne(name: string, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.members(name).map(async (service) => {
        service.request("stop");
        await this.supervisor.until(service, (each) => !each.is("stopping"), signal);
        signal.throwIfAborted();
        const { spec: { name }, state } = service;
        if (service.is("idle", "finished")) return;
        throw new ManagerError(`Process '${name}' was started again meanwhile: it is ${state.kind}`);
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
    if (dryRun) return this.#revise().changes;
    // One after the other, and to its end also when nobody waits for it any more.
    this.#overtake.abort();
    const overtaken = this.#overtake = new AbortController();
    const work = this.#reloading.then(() => this.#become(this.#revise(), overtaken.signal));
    this.#reloading = work.then(() => {}, () => "Told to whoever asked.");
    return await abortable(work, signal);
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
    return this.#project.process(name)?.url;
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
    return this.#searcher.search({ folder, kind, query, secrets: this.#project.secrets }, signal);
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
    this.#closing.abort();
    clearInterval(this.#modeCheck);
    this.#searcher[Symbol.dispose]();
  }

  #isOff(name: string): boolean {
    return this.#project.process(name)?.autostart === false;
  }

  #revise(): Revision {
    try {
      return this.#project.revise();
    } catch (error) {
      throw toManagerError(error);
    }
  }

  async #become(revision: Revision, overtaken: AbortSignal): Promise<Changes> {
    const undo = this.#project.become(revision);
    try {
      await this.supervisor.apply(this.#project.specs, {
        changed: new Set(revision.changes.changed),
        signal: AbortSignal.any([this.#closing.signal, overtaken]),
        except: (name) => this.#isOff(name),
      });
      return revision.changes;
    } catch (error) {
      undo();
      throw toManagerError(error);
    }
  }

  #develop(): void {
    this.#mode = "dev";
    this.touch();
  }

  #devLeftMs(): number {
    return this.#calledMs + this.#project.config.dev_timeout_hours * HOUR_MS - this.#now();
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
      if (!service.request(what)) throw new ManagerError(`Process '${name}' was stopped meanwhile`);
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

/** What is wrong with a configuration is for whoever wrote it. */
function toManagerError(error: unknown): unknown {
  const isTold = error instanceof ConfigError || error instanceof SyntaxError || error instanceof RangeError;
  return isTold ? new ManagerError(error.message, { cause: error }) : error;
}
