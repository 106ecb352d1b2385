/** What is below a prefix, as it is now: listed once, and kept by a watch. @module */
import type { Clock } from "../clock.ts";
import { type Changes, type Entry, pagesOf, type Store, StoreError } from "./store.ts";

/** What a value was and is; undefined where there was or is none. */
export interface Mirrored<T> {
  readonly key: string;
  readonly before: T | undefined;
  readonly now: T | undefined;
  /** Of the change. */
  readonly revision: number;
}

/** How a mirror is kept. */
export interface MirrorOptions<T> {
  readonly store: Pick<Store, "list" | "watch">;
  readonly prefix: string;
  readonly parse: (entry: Entry) => T;
  readonly clock: Clock;
  /** Told why nothing is heard of the store, and again when the reason is another one. */
  readonly trouble: (error: StoreError) => void;
}

/** Until the store is asked again. */
const AGAIN_MS = 500;

/** A map of values by key. What it shows is of one revision at any time; that of the store may be a moment ahead. */
export class Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #values = new Map<string, T>();
  readonly #revisions = new Map<string, number>();
  readonly #listeners = new Set<(changes: readonly Mirrored<T>[]) => void>();
  #revision = 0;

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
  }

  get values(): ReadonlyMap<string, T> {
    return this.#values;
  }

  /** Of which all of it is. */
  get revision(): number {
    return this.#revision;
  }

  /** When a value was changed last, for conditions; undefined when there is none. */
  revisionOf(key: string): number | undefined {
    return this.#revisions.get(key);
  }

  /** Hears of what changes, all of a revision together. Returns how to stop listening. */
  listen(listener: (changes: readonly Mirrored<T>[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps it until the signal fires. Resolves `ready` when it has been listed first. */
  async run(signal: AbortSignal, ready: () => void = () => {}): Promise<void> {
    const { store, prefix, clock, trouble } = this.#options;
    let told = "";
    while (!signal.aborted) {
      try {
        await this.#list();
        ready();
        told = "";
        for await (const changes of store.watch(prefix, { after: this.#revision, signal })) {
          this.#take(changes);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof StoreError)) throw error;
        // What was compacted is listed anew at once.
        if (error.problem === "compacted") continue;
        if (told !== error.message) trouble(error);
        told = error.message;
        await clock.sleep(AGAIN_MS, { signal }).catch(() => "The loop ends.");
      }
    }
  }

  /** Brings it to what is there, and tells what that changes. */
  async #list(): Promise<void> {
    const { store, prefix } = this.#options;
    const entries = new Map<string, Entry>();
    let revision = 0;
    for await (const page of pagesOf(store, prefix)) {
      revision = page.revision;
      for (const entry of page.entries) entries.set(entry.key, entry);
    }
    const changes: Mirrored<T>[] = [];
    for (const key of [...this.#values.keys()]) {
      if (!entries.has(key)) changes.push(this.#drop(key, revision));
    }
    for (const [key, entry] of entries) {
      if (this.#revisions.get(key) !== entry.revision) changes.push(this.#put(entry));
    }
    this.#revision = revision;
    this.#tell(changes);
  }

  #take({ revision, changes }: Changes): void {
    const told = changes.map((change) =>
      change.kind === "put" ? this.#put(change.entry) : this.#drop(change.key, revision)
    );
    this.#revision = revision;
    this.#tell(told);
  }

  #put(entry: Entry): Mirrored<T> {
    const { key, revision } = entry;
    const [before, now] = [this.#values.get(key), this.#options.parse(entry)];
    this.#values.set(key, now);
    this.#revisions.set(key, revision);
    return { key, before, now, revision };
  }

  #drop(key: string, revision: number): Mirrored<T> {
    const before = this.#values.get(key);
    this.#values.delete(key);
    this.#revisions.delete(key);
    return { key, before, now: undefined, revision };
  }

  #tell(changes: readonly Mirrored<T>[]): void {
    if (changes.length === 0) return;
    for (const listener of [...this.#listeners]) listener(changes);
  }
}
