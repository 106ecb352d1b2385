/**
 * What processes use, as the telemetry agent of this host counts it in the kernel, to the nanosecond. Where no agent
 * answers nothing is known, and it is asked again later.
 * @module
 */
import { type AgentAddress, AgentClient } from "../agent_client/mod.ts";
import { decodeSnapshot, SchemaCache, type Snapshot, wordsToNumber } from "../metrics/mod.ts";

/** A larger answer is that of a host with thousands of cgroups: its reading would cost more than it tells. */
const ANSWER_BYTES = 4 << 20;
/** An agent of this host answers in milliseconds. */
const ANSWER_MS = 500;
/** Whoever asks sooner is told what was found last. */
const EVERY_MS = 500;
/** One that did not answer is asked again after so long. */
const RETRY_MS = 10_000;
const METRIC = "task_cpu_usage";

/** The CPU time of tasks between two looks. */
export interface TaskUsage {
  /** Between the two looks. */
  readonly elapsedNs: number;
  /** By id of the process (tgid). */
  readonly byProcess: ReadonlyMap<string, number>;
}

/** A task's time, and whose it is. */
interface Task {
  readonly ns: number;
  readonly process: string;
}

/** Asks one agent. */
export class AgentUsage implements Disposable {
  readonly #client: AgentClient;
  readonly #now: () => number;
  #cache = new SchemaCache();
  #tasks: { readonly atNs: number; readonly byId: ReadonlyMap<string, Task> } | undefined;
  #last: TaskUsage | undefined;
  #askMs = -Infinity;
  #asking: Promise<TaskUsage | undefined> | undefined;

  /** `now` is in milliseconds of any steady clock. */
  constructor(address: AgentAddress, now: () => number = () => performance.now()) {
    this.#client = new AgentClient(address, { responseBytes: ANSWER_BYTES, timeoutMs: ANSWER_MS });
    this.#now = now;
  }

  /** What was used since the look before; undefined at the first look, and where no agent answers. */
  read(): Promise<TaskUsage | undefined> {
    if (this.#now() < this.#askMs) return Promise.resolve(this.#last);
    return this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #ask(): Promise<TaskUsage | undefined> {
    const snapshot = await this.#snapshot();
    if (snapshot === undefined) {
      this.#cache = new SchemaCache();
      this.#last = this.#tasks = undefined;
      this.#askMs = this.#now() + RETRY_MS;
      return undefined;
    }
    const now = tasksOf(snapshot);
    this.#last = this.#tasks === undefined ? undefined : usedBetween(this.#tasks, now);
    this.#tasks = now;
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

function tasksOf({ groups }: Snapshot): { readonly atNs: number; readonly byId: ReadonlyMap<string, Task> } {
  const byId = new Map<string, Task>();
  let atNs = 0;
  for (const { schema, window, counters: { words, missing } } of groups) {
    if (schema.counters[0]?.metadata.metric !== METRIC) continue;
    atNs = Number(window?.beginNs ?? 0n);
    for (const [at, { metadata }] of schema.counters.entries()) {
      if (missing?.[at] === 1 || metadata.metric !== METRIC) continue;
      const { pid = "", start = "", tgid = pid } = metadata;
      const id = `${pid} ${start}`;
      const before = byId.get(id)?.ns ?? 0;
      byId.set(id, { ns: before + wordsToNumber(words, at), process: tgid });
    }
  }
  return { atNs, byId };
}

/** A task that was not there before has begun since. */
function usedBetween(
  before: { readonly atNs: number; readonly byId: ReadonlyMap<string, Task> },
  now: { readonly atNs: number; readonly byId: ReadonlyMap<string, Task> },
): TaskUsage | undefined {
  const elapsedNs = now.atNs - before.atNs;
  if (elapsedNs <= 0 || now.byId.size === 0) return undefined;
  const byProcess = new Map<string, number>();
  for (const [id, { ns, process }] of now.byId) {
    const used = Math.max(0, ns - (before.byId.get(id)?.ns ?? 0));
    byProcess.set(process, (byProcess.get(process) ?? 0) + used);
  }
  return { elapsedNs, byProcess };
}
