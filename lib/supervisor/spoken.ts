/** Which of the lines that others wait for were said. Pure. @module */

import { plainText } from "../tui/plain_text.ts";

/** Minds the output of one instance at a time. */
export class Spoken {
  readonly #awaited = new Map<string, { readonly pattern: RegExp; said: boolean }>();

  /** Begins to wait for a line; it counts from now on. */
  await(pattern: RegExp): void {
    if (!this.#awaited.has(keyOf(pattern))) this.#awaited.set(keyOf(pattern), { pattern, said: false });
  }

  hear(text: string): void {
    const plain = this.#awaited.size === 0 ? "" : plainText(text);
    for (const each of this.#awaited.values()) each.said ||= each.pattern.test(plain);
  }

  /** Another instance begins, which has said nothing; or one is followed on whose words nobody heard. */
  begin(said: boolean): void {
    for (const each of this.#awaited.values()) each.said = said;
  }

  has(pattern: RegExp): boolean {
    return this.#awaited.get(keyOf(pattern))?.said === true;
  }
}

function keyOf({ source, flags }: RegExp): string {
  return `${flags}/${source}`;
}
