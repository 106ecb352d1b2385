/** What running builds use, as metrics that grow. Pure. @module */
import type { PushedRow } from "../agent_client/mod.ts";
import type { BuilderBuild } from "./processes/mod.ts";
import type { World } from "./world.ts";

/** Builds are told apart by at most so many sets of labels; those beyond are told together. */
const BUILDS_TOLD = 100;
/** Name of all builds beyond. */
const OTHERS = "(others)";

/** What builds of one set of labels use. */
interface Use {
  readonly labels: Readonly<Record<string, string>>;
  cpuSeconds: number;
  readBytes: number;
  writtenBytes: number;
  memoryBytes: number;
}

type Counted = Pick<Use, "cpuSeconds" | "readBytes" | "writtenBytes">;

/**
 * Counts what running builds use, by derivation, machine and user. Builds that share all three are counted together, so
 * that a counter never falls when one of them ends; it is gone with the last of them.
 */
export class BuildUse {
  readonly #uses = new Map<string, Use>();
  #before = new Map<string, Counted>();

  /** A look at the processes of a world; `found` is whose they are, `hostname` this machine's. */
  see(
    world: World,
    { found, hostname }: { readonly found: ReadonlyMap<number, BuilderBuild>; readonly hostname: string },
  ): void {
    const jobs = new Map([...found].map(([job, build]) => [build.id, world.jobs.get(job)]));
    const after = new Map<string, Counted>();
    const alive = new Set<Use>();
    for (const build of world.builders?.builds ?? []) {
      const job = jobs.get(build.id);
      const { uid, user } = job === undefined ? {} : world.commands.get(job.command)?.requester ?? {};
      const use = this.#useOf({
        derivation: job?.name ?? build.name ?? "unknown",
        machine: hostname,
        user: user ?? uid?.toString() ?? build.user,
      });
      if (!alive.has(use)) use.memoryBytes = 0;
      alive.add(use);
      const now = countedOf(build);
      addUse(use, now, this.#before.get(build.id));
      use.memoryBytes += build.usage.memoryBytes;
      after.set(build.id, now);
    }
    this.#before = after;
    for (const [key, use] of this.#uses) if (!alive.has(use)) this.#uses.delete(key);
  }

  rows(): PushedRow[] {
    return [...this.#uses.values()].flatMap((use): PushedRow[] => {
      const { labels, cpuSeconds, memoryBytes, readBytes, writtenBytes } = use;
      const io = (op: string, value: number): PushedRow => ({
        name: "nix_build_io_bytes",
        type: "counter",
        labels: { ...labels, op },
        value,
      });
      return [
        { name: "nix_build_cpu_usage", type: "counter", labels, value: cpuSeconds * 1e9 },
        { name: "nix_build_memory", type: "gauge", labels, value: memoryBytes },
        io("read", readBytes),
        io("write", writtenBytes),
      ];
    });
  }

  #useOf(labels: { readonly derivation: string; readonly machine: string; readonly user: string }): Use {
    const key = JSON.stringify(labels);
    const known = this.#uses.get(key);
    if (known !== undefined) return known;
    if (this.#uses.size >= BUILDS_TOLD && labels.derivation !== OTHERS) {
      return this.#useOf({ ...labels, derivation: OTHERS, user: OTHERS });
    }
    const use = { labels, cpuSeconds: 0, readBytes: 0, writtenBytes: 0, memoryBytes: 0 };
    this.#uses.set(key, use);
    return use;
  }
}

function countedOf({ usage: { cpuSeconds, readBytes = 0, writtenBytes = 0 } }: BuilderBuild): Counted {
  return { cpuSeconds, readBytes, writtenBytes };
}

/** What came since the look before; a process that has ended may take its count along, which is no use less than none. */
function addUse(use: Use, now: Counted, before: Counted | undefined): void {
  for (const part of ["cpuSeconds", "readBytes", "writtenBytes"] as const) {
    use[part] += Math.max(0, now[part] - (before?.[part] ?? 0));
  }
}
