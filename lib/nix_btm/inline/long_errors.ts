/** Errors of any length. Pure. @module */
import { BOUNDS, cutMiddle, meaningOf } from "../../nix/mod.ts";

/** Characters of all long errors together; of those that come after only begin and end are told. */
const LONG_ERRORS_MAX = 16 * 2 ** 20;

/** Errors that are longer than what a world keeps of them: whoever waits for the command sees them whole. */
export class LongErrors {
  readonly #whole = new Map<string, string>();
  #length = 0;

  add(message: string): void {
    if (message.length <= BOUNDS.problem) return;
    const meaning = meaningOf(message);
    if (meaning.kind !== "error" || this.#length + meaning.text.length > LONG_ERRORS_MAX) return;
    this.#length += meaning.text.length;
    this.#whole.set(cutMiddle(meaning.text, BOUNDS.problem), meaning.text);
  }

  /** The whole text of a problem. */
  whole(text: string): string {
    return this.#whole.get(text) ?? text;
  }
}
