/** Remembers what was started after what, for proposals. @module */
import { type Habit, type Suggestion, suggestionsAfter, TOGETHER_MS } from "./habits.ts";
import type { Store } from "./store.ts";

/** Pairs that are remembered; the oldest are forgotten. */
const HABITS_KEPT = 2_000;
/** Projects whose last start is remembered; those in which nothing was started for longest are forgotten. */
const PROJECTS_KEPT = 500;

export class Memory {
  readonly #store: Store;
  /** The last start in each project, the oldest first. */
  readonly #last = new Map<string, { readonly id: string; readonly atMs: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** A process was started. @param project Folder of whoever did; empty for nobody in particular. */
  started(id: string, project: string, nowMs: number): void {
    const before = this.#last.get(project);
    this.#last.delete(project);
    this.#last.set(project, { id, atMs: nowMs });
    const [oldest] = this.#last.keys();
    if (this.#last.size > PROJECTS_KEPT) this.#last.delete(oldest!);
    this.#store.attempt("remember a start", () => {
      this.#count("starts", id, { id });
      if (before === undefined || before.id === id || nowMs - before.atMs > TOGETHER_MS) return;
      this.#count("habit", `${before.id}\n${id}`, { first: before.id, next: id });
    });
  }

  /** After a process, or after what was started last in a project. */
  suggestions(
    { current, project, isWanted }: {
      readonly current: string | undefined;
      readonly project: string;
      readonly isWanted: (id: string) => boolean;
    },
  ): Suggestion[] {
    const after = current ?? this.#last.get(project)?.id;
    if (after === undefined) return [];
    const starts = this.#store.items("starts") as { id: string; count: number }[];
    const counts = new Map(starts.map(({ id, count }) => [id, count]));
    return suggestionsAfter(after, this.#store.items("habit") as Habit[], counts, isWanted);
  }

  #count(kind: "starts" | "habit", id: string, item: object): void {
    const before = this.#store.item(kind, id) as { readonly count: number } | undefined;
    this.#store.putItem(kind, id, { ...item, count: (before?.count ?? 0) + 1 });
    if (before === undefined) this.#store.trimItems(kind, HABITS_KEPT);
  }
}
