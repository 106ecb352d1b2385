/** A monitor of this very process as a source for the terminal client: for `standalone` and `replay`. @module */
import { History } from "./history.ts";
import { logName, LogStore } from "./log_store.ts";
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

/** Keeps history and logs in `stateFolder`; looks at this host's processes when asked to. */
export function localSource(
  { stateFolder, looks, ...options }: MonitorOptions & {
    readonly stateFolder: string;
    readonly looks: boolean;
  },
): LocalSource {
  using stack = new DisposableStack();
  const history = stack.use(History.open(`${stateFolder}/history.sqlite`));
  const logs = stack.use(new LogStore(`${stateFolder}/logs`));
  const monitor = new Monitor({
    durationsOf: history.durationsOf,
    onLine: (job, line) => keep(() => logs.add(job.id, { name: logName(job), line })),
    onBuildEnd: (job, command) =>
      keep(() => {
        const log = logs.end(job.id);
        if (job.startedMs !== undefined) history.add(job, { command, log });
      }),
    ...options,
  });
  const worlds: ReadonlyMap<string, World> = new Map([["", monitor.world]]);
  const owned = stack.move();
  return {
    monitor,
    worlds,
    standing: { kind: "live" },
    history: (query) => Promise.resolve(history.find(query)),
    async log(of) {
      logs.flush();
      const name = "file" in of ? of.file : logs.nameOf(of.job);
      if (name === undefined) throw new Error("its log is not kept");
      return await logs.read(name);
    },
    follow(changed, signal) {
      const watch = looks ? new BuilderWatch() : undefined;
      const look = () => {
        if (watch !== undefined) monitor.see(watch.scan());
      };
      look();
      const flushing = setInterval(() => {
        keep(() => {
          logs.flush();
          history.flush();
        });
        if (monitor.flush() !== undefined) changed();
      }, FLUSH_MS);
      const looking = setInterval(look, LOOK_MS);
      signal.addEventListener("abort", () => {
        clearInterval(flushing);
        clearInterval(looking);
      }, { once: true });
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** A full disk costs history and logs, and nothing of what is shown: whoever looks at it sees that they are not there. */
function keep(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
