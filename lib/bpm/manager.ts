/** A project's processes under a supervisor, in one of upstream's two modes. @module */
import { abortable } from "../async/mod.ts";
import { ConfigError } from "../config/mod.ts";
import { HostError, type Mode, ServiceHost } from "../services/mod.ts";
import { Supervisor } from "../supervisor/mod.ts";
import type { Changes } from "./changes.ts";
import { processStatus } from "./process_status.ts";
import { Project, type ProjectOptions, type Revision } from "./project.ts";
import { statusText } from "./status_text.ts";

/** How often it is looked whether the dev mode is over. */
const MODE_CHECK_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface ManagerOptions extends ProjectOptions {
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** A search that takes longer is given up. */
  readonly searchLimitMs?: number;
}

/** Runs a project's processes until disposed. */
export class Manager extends ServiceHost {
  readonly name = "bpm";
  readonly #project: Project;
  readonly #now: () => number;
  readonly #modeCheck: ReturnType<typeof setInterval>;
  #reloading: Promise<unknown> = Promise.resolve();
  /** Ends that the last reload waits for what it has begun: the next one's turn has come. */
  #overtake = new AbortController();
  readonly #closing = new AbortController();
  #mode: Mode = "release";
  #calledMs: number;

  /**
   * @throws {SyntaxError | RangeError} When the configuration makes no sense.
   * @throws {BusyError} When another manager has the project.
   */
  static open({ now = Date.now, searchLimitMs, ...options }: ManagerOptions): Manager {
    let mode = (): Mode => "release";
    const project = new Project(options, () => mode());
    const supervisor = Supervisor.open(project.specs, options.stateFolder);
    const manager = new Manager(supervisor, { project, now, searchLimitMs });
    mode = () => manager.mode;
    return manager;
  }

  private constructor(
    supervisor: Supervisor,
    { project, now, searchLimitMs }: {
      readonly project: Project;
      readonly now: () => number;
      readonly searchLimitMs: number | undefined;
    },
  ) {
    super(supervisor, searchLimitMs);
    this.#project = project;
    this.#now = now;
    this.#calledMs = now();
    supervisor.listen((notice) => {
      // Whoever changes files works on it.
      if (notice.kind === "event" && notice.trigger === "watch") this.#develop();
    });
    this.#modeCheck = setInterval(() => this.checkMode(), MODE_CHECK_MS);
  }

  override get mode(): Mode {
    return this.#mode;
  }

  protected override get secrets(): ReadonlySet<string> {
    return this.#project.secrets;
  }

  override urlOf(name: string): string | undefined {
    return this.#project.process(name)?.url;
  }

  override inputAdvice(name: string): string {
    return `set "stdin" or "tty" in [process.${name}]`;
  }

  /** The services that a process or a group, written with `@`, has; none when there is no such. */
  override namesOf(name: string): string[] {
    return this.#project.servicesOf(name);
  }

  /** Starts what starts by itself, or goes on with it. */
  async start(signal: AbortSignal): Promise<void> {
    // What runs already may say what the manager before this one was told.
    const isUp = (name: string) => this.supervisor.services.get(name)!.ledger.wanted()?.up === true;
    await this.#project.learnSecrets(isUp, (name, error) => this.remark(name, error.message));
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

  /** Also when it is several; they are in dev mode from then on. */
  override async restart(name: string, signal: AbortSignal): Promise<void> {
    this.members(name); // What is not there changes no mode.
    this.#develop();
    await super.restart(name, signal);
  }

  /**
   * Reads the configuration anew and makes the processes those of it; those that it does not change run on. With `dryRun`
   * it is only told what would change.
   * @throws {HostError} When it cannot be read or makes no sense; then nothing has changed.
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
    const processes = [...this.supervisor.services.values()].map(processStatus);
    return statusText(this.#mode, this.#devLeftMs(), processes, this.#now());
  }

  protected override close(): void {
    this.#closing.abort();
    clearInterval(this.#modeCheck);
    super.close();
  }

  #isOff(name: string): boolean {
    return this.#project.process(name)?.autostart === false;
  }

  #revise(): Revision {
    try {
      return this.#project.revise();
    } catch (error) {
      throw toHostError(error);
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
      throw toHostError(error);
    }
  }

  #develop(): void {
    this.#mode = "dev";
    this.touch();
  }

  #devLeftMs(): number {
    return this.#calledMs + this.#project.config.dev_timeout_hours * HOUR_MS - this.#now();
  }
}

/** What is wrong with a configuration is for whoever wrote it. */
function toHostError(error: unknown): unknown {
  const isTold = error instanceof ConfigError || error instanceof SyntaxError || error instanceof RangeError;
  return isTold ? new HostError(error.message, { cause: error }) : error;
}
