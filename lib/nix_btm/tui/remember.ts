/**
 * Rows are made anew only where something that they are made of has changed: by moving a cursor nothing is. Pure but for
 * the last answers, which are kept.
 * @module
 */

interface Kept {
  readonly of: readonly unknown[];
  readonly made: unknown;
}

const kept = new Map<string, Kept>();

/** What `make` made before, where all of `of` is the same as then. */
export function remember<T>(name: string, of: readonly unknown[], make: () => T): T {
  const before = kept.get(name);
  if (
    before !== undefined && before.of.length === of.length && before.of.every((each, at) => each === of[at])
  ) {
    return before.made as T;
  }
  const made = make();
  kept.set(name, { of, made });
  return made;
}
