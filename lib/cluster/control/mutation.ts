/** Changes that are made once, however often they are asked for. @module */
import type { Chance } from "../chance.ts";
import type { Clock } from "../clock.ts";
import type { Keys } from "../model/keys.ts";
import {
  type Condition,
  type Entry,
  type Lease,
  type Store,
  StoreError,
  type Write,
} from "../store/store.ts";
import { ClusterError } from "./errors.ts";

/** What a change wants to be done. */
export interface Attempt<T> {
  readonly when: readonly Condition[];
  readonly then: readonly Write[];
  /** Told when it is done; JSON. */
  readonly result: T;
}

/** What is asked for. */
export interface Asked {
  /** Of the client: a request that has it again is the same. Made up where there is none. */
  readonly key?: string | undefined;
  /** What distinguishes it from other requests: one with the same key and another content is an error. */
  readonly content: string;
}

/** How long a request may be sent again. */
const KEPT_MS = 24 * 3_600_000;
/** For so long requests share a lease. */
const SHARED_MS = 3_600_000;
const TRIES = 20;
const PAUSE_MS = 50;

interface Kept {
  readonly content: string;
  readonly result: unknown;
}

/** What changes are made with. */
export interface MutationParts {
  readonly store: Pick<Store, "commit" | "grant" | "get">;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** Makes changes, and knows for a day which it has made. */
export class Mutations {
  readonly #parts: MutationParts;
  #lease: { readonly promise: Promise<Lease>; readonly untilMs: number } | undefined;

  constructor(parts: MutationParts) {
    this.#parts = parts;
  }

  /**
   * Attempts until it is done, or cannot be. `attempt` looks at what is there anew each time; it is told what was in its
   * way the time before.
   * @throws {ClusterError} Its own, or when the store does not do it.
   */
  async make<T>(
    { key: given, content }: Asked,
    attempt: (found: ReadonlyMap<string, Entry | undefined>) => Promise<Attempt<T>>,
  ): Promise<T> {
    const { store, keys, clock, chance } = this.#parts;
    const key = given ?? chance.id();
    const record = keys.request(key);
    let found: ReadonlyMap<string, Entry | undefined> = new Map();
    let lost: StoreError | undefined;
    // What is asked for again may be impossible by now, since it was done; so may what nobody has answered.
    let mayBeDone = given !== undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      if (tries > 0) await clock.sleep(PAUSE_MS * Math.min(tries, 10) + chance.below(PAUSE_MS));
      try {
        const before = mayBeDone ? await store.get(record) : found.get(record);
        if (before !== undefined) return resultIn<T>(before, key, content);
        const { when, then, result } = await attempt(found);
        const kept: Kept = { content, result };
        const committed = await store.commit({
          when: [...when, { key: record, is: "absent" }],
          then: [...then, { put: record, value: JSON.stringify(kept), lease: (await this.#shared()).id }],
        });
        if (committed.ok) return result;
        ({ found } = committed);
        [lost, mayBeDone] = [undefined, false];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.problem === "refused") throw new ClusterError(error.message, "invalid", { cause: error });
        if (error.problem === "no lease") this.#lease = undefined;
        [lost, mayBeDone] = [error, true];
      }
    }
    const reason = lost?.message ?? "others change the same all the time";
    throw new ClusterError(`Cannot do it now: ${reason}`, "unavailable", { cause: lost });
  }

  #shared(): Promise<Lease> {
    const { store, clock } = this.#parts;
    if (this.#lease === undefined || clock.now() > this.#lease.untilMs) {
      const promise = store.grant(KEPT_MS + SHARED_MS);
      this.#lease = { promise, untilMs: clock.now() + SHARED_MS };
      promise.catch(() => this.#lease = undefined);
    }
    return this.#lease.promise;
  }
}

function resultIn<T>({ value }: Entry, key: string, content: string): T {
  const kept: Kept = JSON.parse(value);
  if (kept.content !== content) {
    throw new ClusterError(`The idempotency key "${key}" was used for another request`, "invalid");
  }
  return kept.result as T;
}
