/** The processes that there are: how each was described, kept, and made a service of. @module */
import { HostError } from "../services/mod.ts";
import type { Supervisor } from "../supervisor/mod.ts";
import { findFolder } from "./folders.ts";
import { type Policy, refusal } from "./policy.ts";
import { folderOf, idProblem, newIdProblem, type ProcessRecord, RECORD_DEFAULTS } from "./record.ts";
import type { Specs } from "./specs.ts";
import type { Store } from "./store.ts";

/** How a new process is described. */
export type NewProcess = Pick<ProcessRecord, "id" | "command"> & Partial<ProcessRecord>;

/** What a catalogue works with. */
export interface CatalogueParts {
  readonly store: Store;
  readonly specs: Specs;
  readonly policy: Policy;
  readonly supervisor: Supervisor;
  /** What the store has. */
  readonly records: readonly ProcessRecord[];
}

export class Catalogue {
  readonly #parts: CatalogueParts;
  /** In the order in which they were made. */
  readonly #records: Map<string, ProcessRecord>;
  readonly #listeners = new Set<(id: string) => void>();
  #applying: Promise<unknown> = Promise.resolve();

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
    this.#records = new Map(parts.records.map((record) => [record.id, record]));
  }

  /** Hears of processes that are described anew; of all else the supervisor tells. Returns how to stop listening. */
  listen(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id: string): ProcessRecord | undefined {
    return this.#records.get(id);
  }

  /** In the order in which they were made. */
  get all(): readonly ProcessRecord[] {
    const { services } = this.#parts.supervisor;
    return [...this.#records.values()].filter(({ id }) => services.has(id));
  }

  /** Describes a process. @throws {HostError} When its id is taken, or it may not be run. */
  async create(given: NewProcess): Promise<ProcessRecord> {
    const record = absolute({ ...RECORD_DEFAULTS, ...given });
    const { id } = record;
    this.check(record);
    if (this.#records.has(id)) {
      throw new HostError(`Process with id '${id}' already exists`, { problem: "conflict" });
    }
    await this.#put([record]);
    return record;
  }

  /**
   * Describes processes, those anew that are there.
   * @throws {HostError} When one of them may not be run; then nothing has changed.
   */
  async put(given: readonly ProcessRecord[]): Promise<void> {
    const records = given.map(absolute);
    for (const record of records) this.check(record);
    await this.#put(records);
    for (const { id } of records) for (const listener of [...this.#listeners]) listener(id);
  }

  /** Forgets a process; its service stops if it runs. */
  async drop(id: string): Promise<void> {
    this.#parts.store.dropProcess(id);
    this.#scrubAfter([this.#records.get(id)]);
    this.#records.delete(id);
    await this.#apply();
  }

  /** @throws {HostError} When the policy is against it. */
  check(record: ProcessRecord): void {
    // One that is there from before such ids were refused goes on.
    const problem = this.#records.has(record.id) ? idProblem(record.id) : newIdProblem(record.id);
    if (problem !== undefined) {
      throw new HostError(`Cannot create process '${record.id.slice(0, 50)}': its id ${problem}`);
    }
    const reason = refusal(record, this.#parts.policy, findFolder);
    if (reason !== undefined) throw new HostError(reason);
  }

  /** Known is what is kept: not what a full disk did not take. */
  async #put(records: readonly ProcessRecord[]): Promise<void> {
    const { store } = this.#parts;
    store.together(() => records.forEach((record) => store.putProcess(record)));
    this.#scrubAfter(records.map(({ id }) => this.#records.get(id)));
    for (const record of records) this.#records.set(record.id, record);
    await this.#apply();
  }

  /** What environments were given is forgotten with those that had it. */
  #scrubAfter(before: readonly (ProcessRecord | undefined)[]): void {
    const { store } = this.#parts;
    const hadSome = before.some((record) => Object.keys(record?.env ?? {}).length > 0);
    if (hadSome) store.attempt("clean up", () => store.scrub());
  }

  /** Makes services of the records, one change after the other. */
  async #apply(): Promise<void> {
    const { supervisor, specs } = this.#parts;
    const work = this.#applying.then(() =>
      supervisor.apply([...this.#records.values()].map((each) => specs.of(each)), {
        changed: NOTHING,
        signal: NEVER,
        except: () => true,
      })
    );
    this.#applying = work.catch(() => "Told to whoever asked.");
    await work;
  }
}

const NOTHING: ReadonlySet<string> = new Set();
const NEVER = new AbortController().signal;

/** A folder that is named from where the client works. */
function absolute(record: ProcessRecord): ProcessRecord {
  const { cwd, project } = record;
  if (cwd === null || cwd.startsWith("/")) return record;
  if (project === null) {
    throw new HostError(`Working directory must be absolute where nobody knows the client's: ${cwd}`);
  }
  return { ...record, cwd: folderOf(record) };
}
