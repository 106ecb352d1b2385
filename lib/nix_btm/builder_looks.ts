/** Looks at the processes of builds, and knows what each build has used so far. @module */
import {
  type AgentAddress,
  AgentUsage,
  type CountedUsage,
  isOfThisHost,
  type PushedRow,
} from "../agent_client/mod.ts";
import type { Used } from "./kept_builds.ts";
import { BuildUse } from "./build_use.ts";
import { type BuilderSnapshot, BuilderWatch, withAgentUsage } from "./processes/mod.ts";
import { processesOf } from "./build_processes.ts";
import type { World } from "./world.ts";

/** Looks while nothing is built, in ticks: builds of a Nix that tells nothing are found by them. */
const IDLE_TICKS = 5;

/** One a daemon: what builds use is counted from look to look. */
export class BuilderLooks implements Disposable {
  readonly #watch = new BuilderWatch();
  readonly #agent: AgentUsage | undefined;
  readonly #buildUse = new BuildUse();
  /** Of builds that run, by their jobs. */
  readonly #used = new Map<number, Used>();
  /** What the agent told last. */
  #counted: CountedUsage | undefined;
  #idleTicks = 0;

  /** @param usageFrom The telemetry agent that is asked what processes use. */
  constructor(usageFrom: AgentAddress | undefined) {
    if (usageFrom !== undefined) this.#agent = new AgentUsage(usageFrom);
  }

  /**
   * Each tick while something is built, else now and then; `undefined` where it is not looked.
   * @throws {Error} When descriptors ran out: they come back, and builds are shown without their processes as long.
   */
  tick(world: World): BuilderSnapshot | undefined {
    const isBusy = (world.builders?.builds.length ?? 0) > 0 ||
      [...world.jobs.values()].some(({ kind, state }) => kind === "build" && state.kind === "running");
    if (!isBusy && ++this.#idleTicks % IDLE_TICKS !== 1) return undefined;
    if (isBusy) this.#idleTicks = 0;
    const scanned = this.#watch.scan();
    // It is asked beside: a slow agent has nobody wait.
    void this.#agent?.read().then((counted) => this.#counted = counted);
    const counted = this.#counted;
    const isOurs = counted !== undefined && isOfThisHost(counted, Deno.pid);
    const seen = isOurs ? withAgentUsage(scanned, counted) : scanned;
    this.#count({ ...world, builders: seen });
    return seen;
  }

  /** What a build has used that is over now; it is forgotten. */
  takeUsed(job: number): Used | undefined {
    const used = this.#used.get(job);
    this.#used.delete(job);
    return used;
  }

  /** What running builds use, for metrics. */
  rows(): PushedRow[] {
    return this.#buildUse.rows();
  }

  [Symbol.dispose](): void {
    this.#agent?.[Symbol.dispose]();
  }

  #count(world: World): void {
    const found = processesOf(world);
    this.#buildUse.see(world, { found, hostname: Deno.hostname() });
    for (const [job, { usage }] of found) {
      const peakBytes = Math.max(usage.residentBytes, this.#used.get(job)?.peakBytes ?? 0);
      this.#used.set(job, { cpuSeconds: usage.cpuSeconds, peakBytes });
    }
  }
}
