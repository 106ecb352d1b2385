/** Finding what was meant by a few letters. Pure. @module */

/** Where the letters of a query stand in a text; a higher score is a better match. */
export interface FuzzyMatch {
  readonly score: number;
  /** Indices into the text's characters. */
  readonly at: readonly number[];
}

const FIRST = 8;
const AFTER_BREAK = 6;
const IN_A_ROW = 5;
const GAP_COST = 1;
const NEVER = -Infinity;

/** No text is looked at beyond so many characters. */
const MAX_TEXT = 256;

/**
 * The best way to find the letters of `query` in this order in `text`, without regard to case; `undefined` when there
 * is none. Letters in a row and at the beginning of words count more, so `rw` finds "restart web" before "forward".
 */
export function fuzzyMatch(query: string, text: string): FuzzyMatch | undefined {
  const wanted = [...query.toLowerCase()].filter((char) => char !== " ");
  const chars = [...text].slice(0, MAX_TEXT);
  if (wanted.length === 0) return { score: 0, at: [] };
  if (wanted.length > chars.length) return undefined;
  // best[i][j]: the score with letter i at character j; from[i][j]: where the letter before it stood.
  const best: number[][] = [];
  const from: number[][] = [];
  for (const [i, letter] of wanted.entries()) {
    const scores = new Array<number>(chars.length).fill(NEVER);
    const origins = new Array<number>(chars.length).fill(-1);
    let reach = NEVER;
    let reachFrom = -1;
    for (let j = i; j < chars.length; j++) {
      // Best end of the letters before, each character between costing a little.
      const before = i === 0 ? 0 : best[i - 1]![j - 1] ?? NEVER;
      if (i > 0) {
        reach -= GAP_COST;
        const distant = j >= 2 ? (best[i - 1]![j - 2] ?? NEVER) - GAP_COST : NEVER;
        if (distant > reach) [reach, reachFrom] = [distant, j - 2];
      }
      if (chars[j]!.toLowerCase() !== letter) continue;
      const bonus = j === 0 ? FIRST : isBreak(chars[j - 1]!, chars[j]!) ? AFTER_BREAK : 0;
      const inRow = i === 0 ? NEVER : before + IN_A_ROW;
      const base = i === 0 ? -Math.min(j, 10) * 0.1 : Math.max(inRow, reach);
      if (base === NEVER) continue;
      scores[j] = base + bonus + 1;
      origins[j] = i === 0 ? -1 : inRow >= reach ? j - 1 : reachFrom;
    }
    best.push(scores);
    from.push(origins);
  }
  const last = best.at(-1)!;
  let j = last.reduce((top, score, at) => score > last[top]! ? at : top, 0);
  if (last[j] === NEVER) return undefined;
  const score = last[j]!;
  const at: number[] = [];
  for (let i = wanted.length - 1; i >= 0; i--) {
    at.unshift(j);
    j = from[i]![j]!;
  }
  return { score, at };
}

function isBreak(before: string, char: string): boolean {
  return /[\s\-_/.:]/.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(char));
}

/** The items that match, best first; of equals those that stand first. */
export function fuzzyFilter<T>(
  items: readonly T[],
  query: string,
  textOf: (item: T) => string,
): { readonly item: T; readonly match: FuzzyMatch }[] {
  return items.flatMap((item) => {
    const match = fuzzyMatch(query, textOf(item));
    return match === undefined ? [] : [{ item, match }];
  }).sort((one, other) => other.match.score - one.match.score);
}
