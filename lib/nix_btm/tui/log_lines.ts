/** Lines of the build that is looked at: the whole log where it was read, and what comes. Pure. @module */
import { stripAnsi } from "../../tui/mod.ts";
import { type LogView, type Model, worldOf } from "./model.ts";
import { remember } from "./remember.ts";

/** As many newest lines are moved to the others: so seldom that a line costs nothing in a log of any length. */
const MORE_MAX = 4_096;

/** How many there are. */
export function lineCount({ log }: Model): number {
  return log === undefined ? 0 : log.lines.length + log.more.length;
}

/** One of them; `undefined` beyond the end. */
export function lineAt({ log }: Model, at: number): string | undefined {
  if (log === undefined) return undefined;
  return at < log.lines.length ? log.lines[at] : log.more[at - log.lines.length];
}

/**
 * The log of a build that is opened: its last lines, until all were read. Of another host's builds they are all that is
 * here: whole logs are asked of this host's daemon, which has other builds by the same numbers.
 */
export function openedLog(model: Model, job: number): LogView {
  const world = worldOf(model);
  const lines = [...world.tails.get(job) ?? []];
  return {
    job,
    lines,
    more: [],
    count: world.jobs.get(job)?.lineCount ?? 0,
    isReading: model.host === "",
    failure: undefined,
  };
}

/**
 * A log with the last lines of now put behind it, of which some are in it already.
 * @param tail The last lines of the build; `count` of all its lines.
 * @returns The same when nothing is new, `undefined` when lines between are missing: more came than the tail has.
 */
export function continued(
  log: LogView,
  { tail, count }: { readonly tail: readonly string[]; readonly count: number },
): LogView | undefined {
  const fresh = count - log.count;
  if (fresh <= 0) return log;
  if (fresh > tail.length) return undefined;
  const more = [...log.more, ...tail.slice(tail.length - fresh)];
  return more.length <= MORE_MAX
    ? { ...log, more, count }
    : { ...log, lines: [...log.lines, ...more], more: [], count };
}

/**
 * The log as it was read, with what came while it was.
 * @param read All lines; the build may have printed some of the tail meanwhile, or before they reached the file.
 */
export function joined(
  read: readonly string[],
  { tail, count }: { readonly tail: readonly string[]; readonly count: number },
): Pick<LogView, "lines" | "more" | "count"> {
  const missing = count - read.length;
  // More was read than is known of: the news of it comes, and is not new then.
  if (missing <= 0) return { lines: read, more: [], count: read.length };
  if (missing <= tail.length) return { lines: read, more: tail.slice(tail.length - missing), count };
  if (read.length === 0 && tail.length > 0) return { lines: tail, more: [], count };
  return { lines: read, more: [`[${missing - tail.length} lines are not kept]`, ...tail], count };
}

/** Numbers of the lines that have what is searched, in their order; case does not matter. */
export function matches(model: Model): readonly number[] {
  const { search, log } = model;
  return remember("matches", [search, log], () => {
    const wanted = search.toLowerCase();
    if (wanted === "" || log === undefined) return [];
    const old = remember("old matches", [wanted, log.lines], () => matching(log.lines, wanted));
    return [...old, ...matching(log.more, wanted).map((at) => at + log.lines.length)];
  });
}

function matching(lines: readonly string[], wanted: string): number[] {
  const found: number[] = [];
  for (const [at, line] of lines.entries()) {
    // Most lines have no colours, and nothing to take out.
    const text = line.includes("\x1b") ? stripAnsi(line) : line;
    if (text.toLowerCase().includes(wanted)) found.push(at);
  }
  return found;
}
