/** What processes have used between two looks, with those that have ended in between. Pure. @module */
import { processKey } from "./stat.ts";

/** One process at one look, in any unit that only grows. */
export interface Counted {
  readonly pid: number;
  readonly ppid: number;
  readonly startTicks: number;
  readonly own: number;
  /** Of children that it has waited for, with theirs; already in `own` where the kernel adds both up. */
  readonly ended: number;
}

/**
 * When a child ends its count moves to the parent that waits for it: what was seen of the child before is taken off there,
 * so that it counts once. A process that was not there before counts whole.
 */
export function gainOf(before: readonly Counted[], now: readonly Counted[]): number {
  const live = new Set(now.map(processKey));
  const older = new Map(before.map((each) => [processKey(each), each]));
  const byPid = new Map(before.map((each) => [each.pid, each]));
  const moved = new Map<string, number>();
  for (const gone of before.filter((each) => !live.has(processKey(each)))) {
    const heir = livingAbove(gone, byPid, live);
    if (heir !== undefined) moved.set(heir, (moved.get(heir) ?? 0) + gone.own + gone.ended);
  }
  let gained = 0;
  for (const each of now) {
    const key = processKey(each);
    const last = older.get(key);
    gained += Math.max(0, each.own - (last?.own ?? 0));
    gained += Math.max(0, each.ended - (last?.ended ?? 0) - (moved.get(key) ?? 0));
  }
  return gained;
}

function livingAbove(
  gone: Counted,
  byPid: ReadonlyMap<number, Counted>,
  live: ReadonlySet<string>,
): string | undefined {
  const passed = new Set<Counted>();
  for (
    let next = byPid.get(gone.ppid);
    next !== undefined && !passed.has(next);
    next = byPid.get(next.ppid)
  ) {
    if (live.has(processKey(next))) return processKey(next);
    passed.add(next);
  }
  return undefined;
}
