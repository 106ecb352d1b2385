/** Why a derivation is not the one from before: what differs between the two. Pure. @module */
import type { Derivation } from "./derivation.ts";
import { nameOf } from "./store_path.ts";

/** One difference between two derivations; what exists on one side alone is `undefined` on the other. */
export interface Difference {
  readonly what: "builder" | "system" | "argument" | "environment" | "input" | "source" | "output";
  /** Of the variable, the argument's number, the input's name. */
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Differences between a derivation and the one before it, the causes first: an input that differs explains the
 * variables that name its outputs, which are left out.
 */
export function whyRebuilt(before: Derivation, after: Derivation): Difference[] {
  const inputs = differing(
    "input",
    byName(before.inputs.map(({ path }) => path)),
    byName(after.inputs.map(({ path }) => path)),
  );
  const sources = differing("source", byName(before.sources), byName(after.sources));
  const plain: Difference[] = [];
  for (const what of ["builder", "system"] as const) {
    if (before[what] !== after[what]) {
      plain.push({ what, name: what, before: before[what], after: after[what] });
    }
  }
  const explained = [...inputs, ...sources].map(({ name }) => name);
  const own = new Set([...before.outputs, ...after.outputs].map(({ name }) => name));
  const env = differing("environment", before.env, after.env)
    .filter(({ name, before: was, after: is }) =>
      !own.has(name) && stripped(was, explained) !== stripped(is, explained)
    );
  const args = differing("argument", numbered(before.args), numbered(after.args))
    .filter(({ before: was, after: is }) => stripped(was, explained) !== stripped(is, explained));
  const outputs = differing(
    "output",
    new Map(before.outputs.map(({ name, hashAlgorithm, hash }) => [name, `${hashAlgorithm}:${hash}`])),
    new Map(after.outputs.map(({ name, hashAlgorithm, hash }) => [name, `${hashAlgorithm}:${hash}`])),
  );
  return [...plain, ...inputs, ...sources, ...env, ...args, ...outputs];
}

/** By name; of two of one name by name and number. */
function byName(paths: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of [...paths].sort()) {
    const name = nameOf(path);
    let key = name;
    for (let count = 2; found.has(key); count++) key = `${name} (${count})`;
    found.set(key, path);
  }
  return found;
}

function numbered(args: readonly string[]): Map<string, string> {
  return new Map(args.map((arg, at) => [String(at + 1), arg]));
}

function differing(
  what: Difference["what"],
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({ what, name, before: before.get(name), after: after.get(name) }));
}

/** Without the hashes of store paths whose difference is told already. */
function stripped(text: string | undefined, explained: readonly string[]): string | undefined {
  return text?.replaceAll(
    /\/[0-9a-df-np-sv-z]{32}-([^/\s:"']+)/g,
    (path, name: string) =>
      explained.some((each) => name === each || name.startsWith(`${each}-`)) ? `/-${name}` : path,
  );
}
