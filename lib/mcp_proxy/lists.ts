/** What a server's lists hold, so that a change of them is noticed across restarts. Pure. @module */
import type { Message } from "./message.ts";
import { type ListKind, LISTS } from "./session.ts";

/** Pages of one list that are read; what stands behind them is not compared. */
export const MOST_PAGES = 64;

/** What the client knows, by kind. */
export class Lists {
  readonly #shown = new Map<ListKind, string>();
  readonly #given = new Set<ListKind>();
  readonly #stale = new Set<ListKind>();

  /** Takes a whole list; true when the client has to be told that it is another one than it knew. */
  take(kind: ListKind, entries: readonly unknown[]): boolean {
    const text = JSON.stringify(entries);
    const before = this.#shown.get(kind);
    this.#shown.set(kind, text);
    const isStale = this.#stale.delete(kind);
    return before === undefined ? isStale : before !== text;
  }

  /** The client has asked for a list itself, and has it. */
  given(kind: ListKind): void {
    this.#given.add(kind);
  }

  /** The client was told by the server: what comes next is what it will know. */
  forget(kind: ListKind): void {
    this.#shown.delete(kind);
    this.#stale.delete(kind);
  }

  /** Another server is asked from now on. The client may have a list of the one before that was never read here. */
  serverChanged(): void {
    for (const kind of this.#given) if (!this.#shown.has(kind)) this.#stale.add(kind);
  }
}

/** The entries of one page, and where the next one begins. */
export function pageOf(
  kind: ListKind,
  result: Message,
): { readonly entries: readonly unknown[]; readonly next: string | undefined } {
  const entries = result[kind];
  const { nextCursor } = result;
  return {
    entries: Array.isArray(entries) ? entries : [],
    next: typeof nextCursor === "string" ? nextCursor : undefined,
  };
}

/** The list that a notification says has changed. */
export function changedList(method: unknown): ListKind | undefined {
  return LISTS.find((kind) => method === changedMethod(kind));
}

export function changedMethod(kind: ListKind): string {
  return `notifications/${kind}/list_changed`;
}

/** The field of a filter of `subscriptions/listen` that asks for it. */
export function filterField(kind: ListKind): string {
  return `${kind}ListChanged`;
}
