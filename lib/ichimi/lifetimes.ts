/** Which processes end when clients come and go. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import type { Client } from "./client.ts";
import type { IchimiHost } from "./host.ts";
import type { ProcessRecord } from "./record.ts";

/** How long is waited for somebody to come back. */
export interface LifetimeLimits {
  /** A client that has lost its connection, whose program lives. */
  readonly sessionGraceMs: number;
  /** Some client of a project. */
  readonly projectGraceMs: number;
  /** What a session has left can be looked at for so long. */
  readonly keepMs: number;
}

const STOP_GRACE_MS = 5_000;
/** How often it is looked what is old. */
const PRUNE_EVERY_MS = 3_600_000;
const NEVER = new AbortController().signal;

/** Ends processes with their sessions and projects until disposed. */
export class Lifetimes implements AsyncDisposable {
  readonly #host: IchimiHost;
  readonly #limits: LifetimeLimits;
  /** Told of what could not be ended. */
  readonly #failed: (text: string) => void;
  readonly #present = new Map<string, Client>();
  /** By session, or by project's folder, which begins with a slash. */
  readonly #ending = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #pruning: ReturnType<typeof setInterval>;
  readonly #work = new Set<Promise<void>>();

  constructor(host: IchimiHost, limits: LifetimeLimits, failed: (text: string) => void) {
    this.#host = host;
    this.#limits = limits;
    this.#failed = failed;
    this.#pruning = setInterval(() => this.#watch(this.#prune()), PRUNE_EVERY_MS);
  }

  get present(): ReadonlyMap<string, Client> {
    return this.#present;
  }

  /** Waits for the clients of what a daemon before this one left. */
  begin(): void {
    for (const { session, project } of this.#host.records) {
      if (session !== null) this.#endLater(session, this.#limits.sessionGraceMs);
      if (project !== null) this.#endLater(project, this.#limits.projectGraceMs);
    }
    this.#watch(this.#prune());
  }

  /** A client has come, or has come back. */
  join(client: Client): void {
    this.#present.set(client.id, client);
    this.#host.absences.forget(client.id);
    this.#keep(client.id);
    this.#keep(client.folder);
  }

  /** Its connection has ended: with its program, or for a moment. */
  leave({ id, pid, startTicks, folder }: Client): void {
    if (!this.#present.delete(id)) return;
    const leavesSome = this.#host.records.some(({ session }) => session === id);
    if (leavesSome) this.#host.absences.since(id, Date.now());
    const hasEnded = processStart(pid) !== startTicks;
    this.#endLater(id, hasEnded ? 0 : this.#limits.sessionGraceMs);
    const hasOthers = [...this.#present.values()].some((other) => other.folder === folder);
    if (!hasOthers) this.#endLater(folder, this.#limits.projectGraceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#pruning);
    for (const timer of this.#ending.values()) clearTimeout(timer);
    this.#ending.clear();
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #keep(owner: string): void {
    clearTimeout(this.#ending.get(owner));
    this.#ending.delete(owner);
  }

  #endLater(owner: string, afterMs: number): void {
    if (this.#ending.has(owner)) return;
    const end = () => {
      this.#ending.delete(owner);
      this.#watch(this.#end(owner));
    };
    this.#ending.set(owner, setTimeout(end, afterMs));
  }

  async #end(owner: string): Promise<void> {
    const isMeant = ({ lifetime, session, project }: ProcessRecord) =>
      (lifetime === "session" && session === owner) || (lifetime === "project" && project === owner);
    await Promise.all(
      this.#host.records.filter(isMeant).map(async ({ id }) => {
        if (this.#host.service(id).is("idle", "finished")) return;
        await this.#try(`stop process '${id}'`, () => this.#host.stopProcess(id, STOP_GRACE_MS, NEVER));
      }),
    );
  }

  /** Forgets what sessions have left that have been gone for long, however it ended, or if it never began. */
  async #prune(): Promise<void> {
    const nowMs = Date.now();
    const left = this.#host.records.flatMap(({ id, lifetime, session }) =>
      lifetime === "session" && session !== null && !this.#present.has(session) ? [{ id, session }] : []
    );
    this.#host.absences.keepOnly(new Set(left.map(({ session }) => session)));
    for (const { id, session } of left) {
      const goneMs = this.#host.absences.since(session, nowMs);
      if (goneMs > nowMs - this.#limits.keepMs || !this.#host.service(id).is("idle", "finished")) continue;
      await this.#try(`forget process '${id}'`, () => this.#host.remove(id, NEVER));
    }
  }

  async #try(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#failed(`Cannot ${what}: ${error.message}`);
    }
  }

  #watch(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }
}
