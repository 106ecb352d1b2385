/** What was said before, and is not said again. Pure. @module */
import { BOUNDS, cutText } from "../../nix/mod.ts";

/** Texts that are remembered; of more the oldest are forgotten. */
export const TEXTS_MAX = 1_000;

/** Texts that were seen before, as far as their begins tell them apart. */
export class Seen {
  readonly #texts = new Set<string>();

  has(text: string): boolean {
    return this.#texts.has(cutText(text, BOUNDS.reason));
  }

  add(text: string): void {
    this.#texts.add(cutText(text, BOUNDS.reason));
    if (this.#texts.size > TEXTS_MAX) this.#texts.delete(this.#texts.values().next().value!);
  }
}
