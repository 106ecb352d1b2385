/** A monitor of this very process as a source for the terminal client: for `standalone` and `replay`. @module */
import { KeptBuilds } from "./kept_builds.ts";
import { Monitor, type MonitorOptions } from "./monitor.ts";
import { BuilderWatch } from "./processes/mod.ts";
import type { TuiSource } from "./tui/mod.ts";
import type { World } from "./world.ts";

/** What has come waits so long for more of it. */
const FLUSH_MS = 100;
const LOOK_MS = 1_000;

/** Its monitor takes logs as long as it is not disposed. */
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
  // Whoever looks at what is kept sees that it is not there.
  const kept = stack.use(new KeptBuilds(stateFolder, () => {}));
  const monitor = new Monitor({
    durationsOf: kept.history.durationsOf,
    onLine: (job, line) => kept.line(job, line),
    onBuildEnd: (job, command) => kept.end(job, { command }),
    ...options,
  });
  const worlds: ReadonlyMap<string, World> = new Map([["", monitor.world]]);
  const owned = stack.move();
  return {
    monitor,
    worlds,
    standing: { kind: "live" },
    history: (query) => Promise.resolve(kept.history.find(query)),
    async log(of) {
      const name = "file" in of ? of.file : kept.logOf(of.job);
      if (name === undefined) throw new Error("its log is not kept");
      return await kept.logs.read(name);
    },
    follow(changed, signal) {
      const watch = looks ? new BuilderWatch() : undefined;
      const look = () => {
        if (watch !== undefined) monitor.see(watch.scan());
      };
      look();
      const flushing = setInterval(() => {
        kept.flush();
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
