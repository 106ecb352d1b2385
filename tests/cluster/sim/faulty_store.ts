/** A store as a client sees it over a bad network: late, and sometimes not at all. @module */
import {
  type Changes,
  type Committed,
  type Entry,
  type Lease,
  type Page,
  type PageOptions,
  type Store,
  StoreError,
  type Transaction,
} from "../../../lib/cluster/mod.ts";
import type { SimChance, SimClock } from "./clock.ts";

/** How bad it is; of a thousand. */
export interface Faults {
  /** Requests that never arrive. */
  readonly lost: number;
  /** Answers that never arrive: what was asked for is done. */
  readonly unanswered: number;
  /** Watches that break, as after a compaction. */
  readonly broken: number;
  /** Longest delay of a message. */
  readonly delayMs: number;
}

const DEADLINE_MS = 1_000;

export class FaultyStore implements Store {
  readonly #store: Store;
  readonly #clock: SimClock;
  readonly #chance: SimChance;
  readonly #faults: Faults;
  /** No message of it arrives any more, and none to it. */
  isCut = false;

  constructor(store: Store, clock: SimClock, chance: SimChance, faults: Faults) {
    this.#store = store;
    this.#clock = clock;
    this.#chance = chance;
    this.#faults = faults;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#ask("get", () => this.#store.get(key));
  }

  list(prefix: string, options?: PageOptions): Promise<Page> {
    return this.#ask("list", () => this.#store.list(prefix, options));
  }

  commit(transaction: Transaction): Promise<Committed> {
    return this.#ask("commit", () => this.#store.commit(transaction));
  }

  grant(ttlMs: number): Promise<Lease> {
    return this.#ask("grant", () => this.#store.grant(ttlMs));
  }

  renew(lease: Lease): Promise<void> {
    return this.#ask("renew", () => this.#store.renew(lease));
  }

  revoke(lease: Lease): Promise<void> {
    return this.#ask("revoke", () => this.#store.revoke(lease));
  }

  compact(revision: number): Promise<void> {
    return this.#ask("compact", () => this.#store.compact(revision));
  }

  async *watch(
    prefix: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Changes> {
    for await (const changes of this.#store.watch(prefix, options)) {
      await this.#late();
      while (this.isCut) await this.#clock.sleep(DEADLINE_MS, options);
      if (this.#happens(this.#faults.broken)) {
        throw new StoreError("Cannot watch: it was compacted, list anew", "compacted");
      }
      yield changes;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const mayBeDone = what === "get" || what === "list" ? "unavailable" : "unknown";
    if (this.isCut || this.#happens(this.#faults.lost)) {
      await this.#clock.sleep(DEADLINE_MS);
      throw new StoreError(`Cannot ${what}: no answer`, mayBeDone);
    }
    await this.#late();
    const answer = await ask();
    if (this.isCut || this.#happens(this.#faults.unanswered)) {
      await this.#clock.sleep(DEADLINE_MS);
      throw new StoreError(`Cannot ${what}: no answer`, mayBeDone);
    }
    await this.#late();
    return answer;
  }

  #late(): Promise<void> {
    return this.#clock.sleep(this.#chance.below(this.#faults.delayMs + 1));
  }

  #happens(ofAThousand: number): boolean {
    return this.#chance.below(1_000) < ofAThousand;
  }
}
