/** What runs services, for those that look at them and steer them. @module */
import { dependencyText } from "./dependency.ts";
import { type Notice, type Place, type Service, Supervisor } from "../supervisor/mod.ts";
import type { FindQuery, Found } from "./log_find.ts";
import { instanceAt, type LogQuery, type Selection } from "./log_search.ts";
import type { Look, LookRequest } from "./_search_worker.ts";
import { maskerOf } from "./secrets.ts";
import { Searcher } from "./searcher.ts";

/** There is no such thing; it is there already, or not in a state for that; it is not allowed, or did not succeed. */
export type HostProblem = "missing" | "conflict" | "refused";

/** What is asked for does not exist, or did not succeed; the message is for the client. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly problem: HostProblem;

  constructor(
    message: string,
    { problem = "refused", ...options }: ErrorOptions & { readonly problem?: HostProblem } = {},
  ) {
    super(message, options);
    this.problem = problem;
  }
}

/** How what is built is built: for whoever works on it, or to be used. */
export type Mode = "dev" | "release";

/**
 * Services under a supervisor, with their logs and what is known of them beside. Where they come from, and what one is
 * called for people, is said by whoever extends it.
 */
export abstract class ServiceHost implements AsyncDisposable {
  readonly supervisor: Supervisor;
  /** Of the tool: it stands before words that no process has said. */
  abstract readonly name: string;
  readonly #searcher: Searcher;
  /** Who waits for a line is not to wait for searches of whole logs. */
  readonly #looker: Searcher;
  /** The last words about each process that it did not say itself. */
  readonly #events = new Map<string, string>();
  #masker = { known: 0, mask: maskerOf([]) };

  /** @param searchLimitMs A search that takes longer is given up. */
  protected constructor(supervisor: Supervisor, searchLimitMs: number | undefined) {
    this.supervisor = supervisor;
    this.#searcher = new Searcher(searchLimitMs);
    this.#looker = new Searcher(searchLimitMs);
    supervisor.listen((notice) => {
      if (notice.kind === "event") this.remark(notice.service, notice.text);
      if (notice.kind === "went") this.unremark(notice.service);
    });
  }

  get mode(): Mode {
    return "release";
  }

  /** Whether there are processes that are built before they run. */
  get hasBuilds(): boolean {
    return true;
  }

  /** Values that must not be shown. */
  protected get secrets(): ReadonlySet<string> {
    return NO_SECRETS;
  }

  /** Where to look at a process. */
  urlOf(_name: string): string | undefined {
    return undefined;
  }

  /** How a process that takes no input comes to take some. */
  abstract inputAdvice(name: string): string;

  /** Names of the services that a name stands for; none when there is no such. */
  namesOf(name: string): string[] {
    return this.supervisor.services.has(name) ? [name] : [];
  }

  /** Keeps secrets out of a text, also those that it gets to know later. */
  readonly mask = (text: string): string => {
    const { secrets } = this;
    if (this.#masker.known !== secrets.size) {
      this.#masker = { known: secrets.size, mask: maskerOf([...secrets]) };
    }
    return this.#masker.mask(text);
  };

  /** @throws {HostError} When there is none of that name. */
  service(name: string): Service {
    const service = this.supervisor.services.get(name);
    if (service !== undefined) return service;
    const several = this.namesOf(name).join(", ");
    if (several !== "") throw new HostError(`'${name}' is several processes: ask for one of ${several}`);
    const known = [...this.supervisor.services.keys()].join(", ");
    throw new HostError(`Process '${name}' not found (there are: ${known})`, { problem: "missing" });
  }

  /** The services that a name stands for, in their order. @throws {HostError} When there is none. */
  members(name: string): Service[] {
    const names = this.namesOf(name);
    return names.length === 0 ? [this.service(name)] : names.map((each) => this.service(each));
  }

  /**
   * Builds and replaces a process, or several one after the other; resolves when the new ones are ready.
   * @throws {HostError} Why not.
   */
  async restart(name: string, signal: AbortSignal): Promise<void> {
    for (const service of this.members(name)) await this.#changed(service, "restart", signal);
  }

  /** Starts what does not run, and before it what it needs. @throws {HostError} Why it does not come up. */
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
          throw new HostError(`Failed to start process '${service.spec.name}': ${needs}`);
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
        service.hurry();
        service.request("stop");
        await this.supervisor.until(service, (each) => !each.is("stopping"), signal);
        signal.throwIfAborted();
        const { spec: { name }, state } = service;
        if (service.is("idle", "finished")) return;
        throw new HostError(`Process '${name}' was started again meanwhile: it is ${state.kind}`, {
          problem: "conflict",
        });
      }),
    );
  }

  /** What is known of a process that it did not say itself, the last of it. */
  lastEvent(name: string): string | undefined {
    return this.#events.get(name);
  }

  /** Remembers something of a process that it did not say itself. */
  protected remark(name: string, text: string): void {
    this.#events.set(name, text);
  }

  /** What was said of it is of the past. */
  protected unremark(name: string): void {
    this.#events.delete(name);
  }

  /** Logs that are kept, oldest first. */
  logs(name: string, kind: Place["kind"]): readonly Place[] {
    return this.service(name).ledger.places(kind);
  }

  /**
   * Searches the log of one instance; −1 is the newest one.
   * @throws {HostError | InstanceError | PatternError} When there is no such process, instance or pattern.
   */
  search(
    name: string,
    kind: Place["kind"],
    query: LogQuery & { readonly index?: number },
    signal?: AbortSignal,
  ): Promise<Selection> {
    const places = this.logs(name, kind);
    const { folder } = places[instanceAt(query.index ?? -1, places.length)]!;
    const request = { folder, kind, query, speaker: this.name, secrets: [...this.secrets] };
    return this.#searcher.search(request, signal);
  }

  /**
   * Lines that a pattern finds in all runs whose logs are kept, with their places.
   * @throws {HostError | PatternError} When there is no such process or pattern.
   */
  async find(name: string, query: FindQuery, signal?: AbortSignal): Promise<Found> {
    const logs = this.logs(name, "run").map(({ number: run, folder }) => ({ run, folder }))
      .filter(({ run }) => run <= query.before.run);
    return await this.#searcher.find({ logs, find: query, secrets: [...this.secrets] }, signal);
  }

  /**
   * Looks for a line whose own text matches: in the newest run, and with the cursor of a look before in what was said
   * since, also by runs that came after it.
   * @throws {HostError | PatternError} When there is no such process or pattern.
   */
  look(
    name: string,
    { pattern, cursor }: Pick<LookRequest, "pattern" | "cursor">,
    signal?: AbortSignal,
  ): Promise<Look> {
    const places = this.logs(name, "run");
    const request = { places, pattern, cursor, speaker: this.name, secrets: [...this.secrets] };
    return this.#looker.look(request, signal);
  }

  /** Lets go of everything; the next host goes on with it. */
  async release(): Promise<void> {
    this.close();
    await this.supervisor.release();
  }

  /** Stops all processes that do not outlive it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.supervisor.stop();
  }

  /** Ends what the host does by itself; its processes are another matter. */
  protected close(): void {
    this.#searcher[Symbol.dispose]();
    this.#looker[Symbol.dispose]();
  }

  /** Asks for a change and waits for what becomes of it. */
  async #changed(service: Service, what: "start" | "restart", signal: AbortSignal): Promise<void> {
    const before = service.current?.place.number;
    const { name } = service.spec;
    this.unremark(name);
    const trail: Notice[] = [];
    const stopListening = this.supervisor.listen((notice) => {
      if (notice.kind === "state" && notice.service === name) trail.push(notice);
    });
    try {
      if (!service.request(what)) {
        throw new HostError(`Process '${name}' was stopped meanwhile`, { problem: "conflict" });
      }
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
    throw new HostError(this.#failure(service, what));
  }

  #failure(service: Service, what: string): string {
    const { name } = service.spec;
    const { state } = service;
    const why = this.#events.get(name);
    const ending = why === undefined ? "" : `: ${this.mask(why)}`;
    if (state.kind === "idle") return `Process '${name}' was stopped meanwhile`;
    if (state.kind === "running") {
      return `Process '${name}' could not be replaced, the one before runs on${
        ending || (this.hasBuilds ? "; see search_build_log and search_logs" : "; see search_logs")
      }`;
    }
    return `Failed to ${what} process '${name}': it is ${state.kind}${outcomeText(state)}${ending}`;
  }
}

const NO_SECRETS: ReadonlySet<string> = new Set();

function outcomeText(state: Service["state"]): string {
  if (!("outcome" in state)) return "";
  const { outcome } = state;
  if (outcome.kind === "lost") return " (exit unknown)";
  return ` (exit ${outcome.signal ?? outcome.code})`;
}
