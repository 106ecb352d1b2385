/** What usually follows what: counted from starts, so that the next step can be proposed. Pure. @module */

/** How often one process was started after another one. */
export interface Habit {
  readonly first: string;
  readonly next: string;
  readonly count: number;
}

/** A proposal; `confidence` is the share of the times that it was so. */
export interface Suggestion {
  readonly process: string;
  readonly message: string;
  readonly action: string;
  readonly confidence: number;
  readonly reason: string;
}

/** Starts that lie further apart have nothing to do with each other. */
export const TOGETHER_MS = 600_000;
const LEAST_COUNT = 2;
const LEAST_CONFIDENCE = 0.3;
const MOST = 5;

/** What to start after `current`, the likeliest first. @param starts How often each process was started. */
export function suggestionsAfter(
  current: string,
  habits: readonly Habit[],
  starts: ReadonlyMap<string, number>,
  isWanted: (process: string) => boolean,
): Suggestion[] {
  const times = Math.max(1, starts.get(current) ?? 0);
  return habits.filter(({ first, next, count }) =>
    first === current && count >= LEAST_COUNT && isWanted(next)
  )
    .map(({ next, count }) => ({ next, count, confidence: Math.min(1, count / times) }))
    .filter(({ confidence }) => confidence >= LEAST_CONFIDENCE)
    .sort((a, b) => b.confidence - a.confidence || (a.next < b.next ? -1 : 1))
    .slice(0, MOST)
    .map(({ next, count, confidence }) => ({
      process: next,
      message: `Start process '${next}'`,
      action: `start_process ${next}`,
      confidence,
      reason: `Started after '${current}' ${count} of ${times} times`,
    }));
}

/** Upstream's lines. */
export function suggestionsText(suggestions: readonly Suggestion[]): string {
  if (suggestions.length === 0) return "No suggestions available at this time.";
  const items = suggestions.map(({ message, action, confidence, reason }, at) =>
    `${at + 1}. ${message}\n   Action: ${action}\n   Confidence: ${
      Math.round(100 * confidence)
    }%\n   Reason: ${reason}\n\n`
  );
  return `Smart Suggestions:\n\n${items.join("")}`;
}
