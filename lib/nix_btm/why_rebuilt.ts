/** What a derivation is compared with when nobody says it, and how differences are told. @module */
import { type Difference, nameOf } from "../nix/mod.ts";
import { plainLine } from "../tui/mod.ts";
import type { HistoryQuery, PastBuild } from "./history.ts";

/** Builds of the name that are looked at; of those before nothing is known. */
const LOOKED_AT = 50;
/** Characters of a value for people and models: some are whole scripts. */
const SHOWN_CHARS = 300;

/** The derivation of the same name that was built last and is another one; `undefined` where history has none. */
export async function earlierDerivation(
  derivation: string,
  history: (query: HistoryQuery) => Promise<readonly PastBuild[]>,
): Promise<string | undefined> {
  const name = nameOf(derivation);
  const past = await history({ name, limit: LOOKED_AT });
  return past.find((each) => each.name === name && each.derivation !== derivation)?.derivation;
}

/** The same difference with values that can be shown. */
export function shortDifference(difference: Difference): Difference {
  return { ...difference, before: shown(difference.before), after: shown(difference.after) };
}

/** In a line: `input gcc-12: /nix/store/…-gcc-12.drv → none`. */
export function differenceText({ what, name, before = "none", after = "none" }: Difference): string {
  return `${what} ${plainLine(name)}: ${plainLine(before)} → ${plainLine(after)}`;
}

function shown(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= SHOWN_CHARS) return text;
  return `${text.slice(0, SHOWN_CHARS)}… (${text.length} characters)`;
}
