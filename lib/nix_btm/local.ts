/** A monitor of this very process as a source for the terminal client: for `standalone` and `replay`. @module */
import { History } from "./history.ts";
import { Monitor, type MonitorOptions } from "./monitor.ts";
import { BuilderWatch } from "./processes/mod.ts";
import type { TuiSource } from "./tui/mod.ts";
import type { World } from "./world.ts";

/** What has come waits so long for more of it. */
const FLUSH_MS = 100;
const LOOK_MS = 1_000;

export interface LocalSource extends TuiSource, Disposable {
  readonly monitor: Monitor;
}

/** Keeps the history in `historyPath`, or nowhere; looks at this host's processes when asked to. */
export function localSource(
  { historyPath, looks, ...options }: MonitorOptions & {
    readonly historyPath?: string | undefined;
    readonly looks: boolean;
  },
): LocalSource {
  const history = History.open(historyPath ?? ":memory:");
  const monitor = new Monitor({
    durationsOf: history.durationsOf,
    onBuildEnd: (job, command) => {
      if (job.startedMs !== undefined) history.add(job, { command });
    },
    ...options,
  });
  const worlds: ReadonlyMap<string, World> = new Map([["", monitor.world]]);
  return {
    monitor,
    worlds,
    standing: { kind: "live" },
    history: (query) => Promise.resolve(history.find(query)),
    log: (of) => Promise.resolve("job" in of ? monitor.world.tails.get(of.job) ?? [] : []),
    follow(changed, signal) {
      const watch = looks ? new BuilderWatch() : undefined;
      const look = () => {
        if (watch !== undefined) monitor.see(watch.scan());
      };
      look();
      const flushing = setInterval(() => {
        if (monitor.flush() !== undefined) changed();
      }, FLUSH_MS);
      const looking = setInterval(look, LOOK_MS);
      signal.addEventListener("abort", () => {
        clearInterval(flushing);
        clearInterval(looking);
      }, { once: true });
    },
    [Symbol.dispose]: () => history[Symbol.dispose](),
  };
}
