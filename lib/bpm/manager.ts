/** A project's processes under a supervisor, in one of upstream's two modes. @module */
import { type Notice, type Place, type Service, Supervisor } from "../supervisor/mod.ts";
import type { BpmConfig } from "./config.ts";
import { instanceAt, type LogQuery } from "./log_search.ts";
import { processOf } from "./processes.ts";
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
}

/** Runs a project's processes until disposed. */
export class Manager implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly #config: BpmConfig;
  readonly #now: () => number;
  readonly #searcher: Searcher;
  readonly #secrets: readonly string[];
  readonly #urls: ReadonlyMap<string, string>;
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

  private constructor({ folder, config, stateFolder, now = Date.now, searchLimitMs }: ManagerOptions) {
    this.#searcher = new Searcher(searchLimitMs);
    const direnv = isThere(`${folder}/.envrc`);
    const project = { folder, config, direnv, mode: () => this.#mode };
    const processes = Object.keys(config.process).map((name) => processOf(name, project));
    this.#config = config;
    this.#now = now;
    this.#calledMs = now();
    this.#secrets = processes.flatMap(({ secrets }) => secrets);
    this.#urls = new Map(processes.flatMap(({ spec, url }) => url === undefined ? [] : [[spec.name, url]]));
    this.supervisor = Supervisor.open(processes.map(({ spec }) => spec), stateFolder);
    this.supervisor.listen((notice) => {
      if (notice.kind === "event") this.#events.set(notice.service, notice.text);
    });
    this.#modeCheck = setInterval(() => this.checkMode(), MODE_CHECK_MS);
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Keeps the values of environment files out of a text. */
  get mask(): (text: string) => string {
    return maskerOf(this.#secrets);
  }

  /** Starts what starts by itself, or goes on with it. */
  start(signal: AbortSignal): Promise<void> {
    const isOff = (name: string) => this.#config.process[name]?.autostart === false;
    return this.supervisor.start(signal, { except: isOff });
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
      if (this.#config.process[name]?.type === "rust" && !service.is("idle", "finished", "stopping")) {
        service.request("restart");
      }
    }
  }

  /** @throws {ManagerError} When there is none of that name. */
  service(name: string): Service {
    const service = this.supervisor.services.get(name);
    if (service !== undefined) return service;
    const known = [...this.supervisor.services.keys()].join(", ");
    throw new ManagerError(`Process '${name}' not found (there are: ${known})`);
  }

  /** Builds and replaces a process in dev mode; resolves when the new one is ready. @throws {ManagerError} Why not. */
  async restart(name: string, signal: AbortSignal): Promise<void> {
    const service = this.service(name);
    this.#mode = "dev";
    await this.#changed(service, "restart", signal);
  }

  /** Starts a process that does not run. @throws {ManagerError} Why it does not come up. */
  async startOne(name: string, signal: AbortSignal): Promise<void> {
    const service = this.service(name);
    if (!service.is("running", "replacing")) await this.#changed(service, "start", signal);
  }

  /** Stops a process; resolves when it is gone. */
  async stopOne(name: string, signal: AbortSignal): Promise<void> {
    const service = this.service(name);
    service.request("stop");
    await this.supervisor.until(service, (each) => each.is("idle", "finished"), signal);
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
    return this.#urls.get(name);
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
  search(name: string, kind: Place["kind"], query: LogQuery & { readonly index?: number }): Promise<string> {
    const places = this.logs(name, kind);
    const { folder } = places[instanceAt(query.index ?? -1, places.length)]!;
    return this.#searcher.search({ folder, kind, query, secrets: this.#secrets });
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

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
