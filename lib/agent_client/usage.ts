/**
 * What processes use, as the telemetry agent of this host counts it in the kernel, to the nanosecond. Where no agent
 * answers nothing is known, and it is asked again later.
 * @module
 */
import type { AgentAddress } from "./address.ts";
import { AgentClient } from "./client.ts";
import { decodeSnapshot, SchemaCache, type Snapshot, wordsToNumber } from "../metrics/mod.ts";

/** A larger answer is that of a host with thousands of cgroups: its reading would cost more than it tells. */
const ANSWER_BYTES = 4 << 20;
/** An agent of this host answers in milliseconds. */
const ANSWER_MS = 500;
/** Whoever asks sooner is told what was found last. */
const EVERY_MS = 500;
/** One that did not answer is asked again after so long. */
const RETRY_MS = 10_000;

/** What was used between two looks, in nanoseconds. */
export interface CountedUsage {
  /** Between the two looks. */
  readonly elapsedNs: number;
  /** CPU by id of the process (tgid), of tasks that are there or ended a moment ago. */
  readonly byProcess: ReadonlyMap<string, number>;
  /** CPU by path of the cgroup, of all that ever ran in it. */
  readonly byCgroup: ReadonlyMap<string, number>;
  /** Time in which tasks of a cgroup could have run and had no CPU. */
  readonly waitedByCgroup: ReadonlyMap<string, number>;
  /** Time in which tasks of a cgroup waited for something else than a CPU. */
  readonly offCpuByCgroup: ReadonlyMap<string, number>;
  /** How often a cgroup's tasks gave up a CPU, and moved to another one. */
  readonly switchesByCgroup: ReadonlyMap<string, number>;
  readonly migrationsByCgroup: ReadonlyMap<string, number>;
  /** System calls by path of the cgroup and kind, as `/a read`. */
  readonly syscallsByCgroup: ReadonlyMap<string, number>;
}

/** What is told by owner. */
export type Table = Exclude<keyof CountedUsage, "elapsedNs">;

/** Which counters are added up, by which of their labels, and where. */
const METRICS: Readonly<Record<string, { readonly table: Table; readonly owner: readonly string[] }>> = {
  task_cpu_usage: { table: "byProcess", owner: ["tgid"] },
  cgroup_cpu_usage: { table: "byCgroup", owner: ["name"] },
  cgroup_scheduler_runqueue_wait: { table: "waitedByCgroup", owner: ["name"] },
  cgroup_scheduler_offcpu: { table: "offCpuByCgroup", owner: ["name"] },
  cgroup_scheduler_context_switch: { table: "switchesByCgroup", owner: ["name"] },
  cgroup_cpu_migrations: { table: "migrationsByCgroup", owner: ["name"] },
  cgroup_syscall: { table: "syscallsByCgroup", owner: ["name", "op"] },
};

/** One counter at one look. */
interface Counted {
  readonly count: number;
  readonly table: Table;
  readonly owner: string;
}

interface Look {
  readonly atNs: number;
  /** By the column's name and the start of its task: what bears a name again is another one. */
  readonly counters: ReadonlyMap<string, Counted>;
}

/** Asks one agent. */
export class AgentUsage implements Disposable {
  readonly #client: AgentClient;
  readonly #now: () => number;
  #cache = new SchemaCache();
  #before: Look | undefined;
  #last: CountedUsage | undefined;
  #askMs = -Infinity;
  #asking: Promise<CountedUsage | undefined> | undefined;

  /** `now` is in milliseconds of any steady clock. */
  constructor(address: AgentAddress, now: () => number = () => performance.now()) {
    this.#client = new AgentClient(address, { responseBytes: ANSWER_BYTES, timeoutMs: ANSWER_MS });
    this.#now = now;
  }

  /** What was used since the look before; undefined at the first look, and where no agent answers. */
  read(): Promise<CountedUsage | undefined> {
    if (this.#now() < this.#askMs) return Promise.resolve(this.#last);
    return this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #ask(): Promise<CountedUsage | undefined> {
    const snapshot = await this.#snapshot();
    if (snapshot === undefined) {
      this.#cache = new SchemaCache();
      this.#last = this.#before = undefined;
      this.#askMs = this.#now() + RETRY_MS;
      return undefined;
    }
    const now = lookOf(snapshot);
    this.#last = this.#before === undefined ? undefined : usedBetween(this.#before, now);
    this.#before = now;
    this.#askMs = this.#now() + EVERY_MS;
    return this.#last;
  }

  /** Undefined when none is there, or what answers is none: what /proc tells is enough then. */
  async #snapshot(): Promise<Snapshot | undefined> {
    try {
      return decodeSnapshot(await this.#client.get("/metrics/binary?format=v3"), this.#cache);
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    }
  }
}

function lookOf({ groups }: Snapshot): Look {
  const found = new Map<string, Counted>();
  let atNs = 0;
  for (const { schema, window, counters: { words, missing } } of groups) {
    for (const [at, { name, metadata }] of schema.counters.entries()) {
      const metric = METRICS[metadata.metric ?? ""];
      if (metric === undefined || missing?.[at] === 1) continue;
      if (metric.table === "byProcess") atNs = Number(window?.beginNs ?? 0n);
      found.set(`${name} ${metadata.start ?? ""}`, {
        count: wordsToNumber(words, at),
        table: metric.table,
        owner: metric.owner.map((label) => metadata[label] ?? "").join(" "),
      });
    }
  }
  return { atNs, counters: found };
}

/** A counter that was not there before has begun since. */
function usedBetween(before: Look, now: Look): CountedUsage | undefined {
  const elapsedNs = now.atNs - before.atNs;
  if (elapsedNs <= 0) return undefined;
  const used = {
    byProcess: new Map(),
    byCgroup: new Map(),
    waitedByCgroup: new Map(),
    offCpuByCgroup: new Map(),
    switchesByCgroup: new Map(),
    migrationsByCgroup: new Map(),
    syscallsByCgroup: new Map(),
  } satisfies Record<Table, Map<string, number>>;
  for (const [key, { count, table, owner }] of now.counters) {
    const more = Math.max(0, count - (before.counters.get(key)?.count ?? 0));
    used[table].set(owner, (used[table].get(owner) ?? 0) + more);
  }
  return { elapsedNs, ...used };
}

/**
 * Whether these are the pids of this host: the one that asks uses the CPU at this moment. An agent may be another
 * machine's, or look from within a container.
 */
export function isOfThisHost(counted: CountedUsage, pid: number): boolean {
  return counted.byProcess.has(`${pid}`);
}

/** What the kernel did for the tasks of a cgroup, each second. */
export interface KernelView {
  readonly contextSwitches: number;
  readonly migrations: number;
  /** Seconds of waiting for something else than a CPU, of all tasks together. */
  readonly offCpu: number;
  /** System calls by kind, those that there were. */
  readonly syscalls: Readonly<Record<string, number>>;
}

/** Undefined when the agent counts nothing by that cgroup. */
export function kernelView(counted: CountedUsage, cgroup: string): KernelView | undefined {
  const seconds = counted.elapsedNs / 1e9;
  const rate = (table: Table) => (counted[table].get(cgroup) ?? 0) / seconds;
  const prefix = `${cgroup} `;
  const calls = [...counted.syscallsByCgroup].filter(([owner, count]) =>
    owner.startsWith(prefix) && count > 0
  );
  if (!counted.switchesByCgroup.has(cgroup) && calls.length === 0) return undefined;
  return {
    contextSwitches: rate("switchesByCgroup"),
    migrations: rate("migrationsByCgroup"),
    offCpu: rate("offCpuByCgroup") / 1e9,
    syscalls: Object.fromEntries(
      calls.map(([owner, count]) => [owner.slice(prefix.length), count / seconds]),
    ),
  };
}

/** Of one CPU's time, added up. Undefined when the agent has counted none of them: it came later, or its table is full. */
export function countedRatio<T extends Table>(
  counted: Pick<CountedUsage, "elapsedNs" | T>,
  table: T,
  owners: readonly (string | number)[],
): number | undefined {
  const found = owners.flatMap((owner) => counted[table].get(`${owner}`) ?? []);
  return found.length === 0 ? undefined : found.reduce((sum, ns) => sum + ns, 0) / counted.elapsedNs;
}
