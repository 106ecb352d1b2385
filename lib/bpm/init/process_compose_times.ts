/** When process-compose starts a process by the clock, or anew since files have changed. Pure. @module */
import { cronProblem } from "../../supervisor/mod.ts";
import { parseDuration } from "../../config/mod.ts";
import { joinPath, type ScheduleKeys, type WatchKeys } from "./found.ts";
import { isTable, Keys } from "./keys.ts";

/** A shorter interval is no schedule here. */
const INTERVAL_MIN_MS = 1_000;

export interface FoundSchedule {
  readonly keys: ScheduleKeys;
  /** Whether it is started with the manager, too. */
  readonly onStart: boolean;
}

/** The schedule, taken; `undefined` when there is none that can be kept. */
export function scheduleOf(keys: Keys): FoundSchedule | undefined {
  if (!keys.has("schedule")) return undefined;
  const schedule = keys.table("schedule");
  const cron = schedule.text("cron");
  const zone = schedule.text("timezone");
  const every = schedule.duration("interval");
  const onStart = schedule.toggle("run_on_start") === true;
  if ((schedule.number("max_concurrent") ?? 1) > 1) {
    schedule.notes.push("schedule.max_concurrent: while one runs no other is started");
  }
  schedule.untaken();
  if (cron !== undefined) {
    const problem = cronProblem(cron, zone);
    if (problem === undefined) return { keys: { cron, time_zone: zone }, onStart };
    schedule.notes.push(`schedule.cron = "${cron}": cannot be read: ${problem}`);
  }
  if (every === undefined) return undefined;
  if (parseDuration(every)! >= INTERVAL_MIN_MS) return { keys: { every }, onStart };
  schedule.notes.push(`schedule.interval = "${every}": is too short, and is left out`);
  return undefined;
}

/** What is watched, taken; `folder` is what its paths are relative to. */
export function watchOf(keys: Keys, folder: string): WatchKeys | undefined {
  if (!keys.has("watch")) return undefined;
  const watch = keys.table("watch");
  const list = watch.take("paths");
  const debounce = watch.duration("debounce");
  const cascade = watch.toggle("cascade") || undefined;
  watch.note(
    "disable_default_excludes",
    "node_modules, target and what begins with a dot are watched where a glob names them",
  );
  watch.pass("max_entries", "buffer_size");
  watch.untaken();
  const found = (Array.isArray(list) ? list : []).flatMap((each) => {
    const root = new Keys(isTable(each) ? each : { path: each }, "watch.paths", watch.notes);
    const path = joinPath(folder, root.text("path") ?? ".");
    const include = root.texts("include") ?? [];
    const exclude = root.texts("exclude") ?? [];
    root.untaken();
    if (/^(?:\/|~|\.\.(?:\/|$))|\$/.test(path)) {
      watch.notes.push(`watch.paths: "${path}" is not inside the project, and is not watched`);
      return [];
    }
    return [{
      paths: (include.length === 0 ? ["**"] : include).map((glob) => below(path, glob)),
      ignore: exclude.flatMap((glob) => [below(path, glob), `${below(path, glob)}/**`]),
    }];
  });
  const paths = found.flatMap((each) => each.paths);
  if (paths.length === 0) return undefined;
  const ignore = found.flatMap((each) => each.ignore);
  return { paths, ignore: ignore.length === 0 ? undefined : ignore, debounce, cascade };
}

/** A pattern without a slash is one of names, at any depth. */
function below(folder: string, glob: string): string {
  return joinPath(folder, glob.includes("/") || glob === "**" ? glob : `**/${glob}`);
}
