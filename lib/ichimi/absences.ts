/** Remembers since when sessions have been gone, also for the daemons that come. @module */
import type { Store } from "./store.ts";

const KIND = "gone session";
/** The ones that went first are forgotten: their processes wait anew. */
const KEPT = 2_000;

export class Absences {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Since when a session has been gone, as far as anybody knows: from now on when nobody has noted it. */
  since(session: string, nowMs: number): number {
    const noted = this.#store.item(KIND, session) as { readonly sinceMs: number } | undefined;
    if (noted !== undefined) return noted.sinceMs;
    this.#store.attempt("note that a session has gone", () => {
      this.#store.putItem(KIND, session, { session, sinceMs: nowMs });
      this.#store.trimItems(KIND, KEPT);
    });
    return nowMs;
  }

  /** It is there again, or nothing of it is left. */
  forget(session: string): void {
    this.#store.attempt("note that a session is there", () => this.#store.dropItem(KIND, session));
  }

  /** Forgets all sessions but these. */
  keepOnly(sessions: ReadonlySet<string>): void {
    for (const { session } of this.#store.items(KIND) as { readonly session: string }[]) {
      if (!sessions.has(session)) this.forget(session);
    }
  }
}
