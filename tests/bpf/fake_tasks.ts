/**
 * The scheduler's programs with a scheduler that tests play: tasks are written into memory that the programs read, and
 * events happen when the test says so. Nothing is attached, so nothing else is counted.
 */
import { BpfObject } from "../../ffi/bpf/mod.ts";
import { assetPath } from "../../ffi/assets.ts";
import { TEST_BUILD } from "../../lib/build/paths.ts";
import { wordsToNumber } from "../../lib/metrics/mod.ts";
import type { Layout } from "../../lib/telemetry/bpf/layout.ts";
import { SCHED, SCHED_CPU, SCHED_TASK } from "../../lib/telemetry/bpf/sched.ts";

/** Members that a test can write, as `struct members` has them. */
const FIELDS = ["pid", "tgid", "start", "utime", "stime", "runtime", "state", "comm", "bytes"] as const;
type Field = typeof FIELDS[number];
const NARROW: ReadonlySet<string> = new Set(["pid", "tgid", "state"]);

/** States of a task (include/linux/sched.h). */
export const RUNNING = 0;
export const SLEEPING = 1;
export const DEAD = 0x80;

const BUCKETS = 496;
/** Everything happens on this CPU. */
const CPU = 0;

/** A task that exists only here. */
export interface FakeTask {
  readonly address: bigint;
  set(fields: Partial<Record<Exclude<Field, "bytes" | "comm">, number>> & { comm?: string }): void;
}

/** The memory of tasks, and the programs that look at it. */
export class FakeScheduler implements Disposable {
  readonly idle: FakeTask;
  readonly #memory: BpfObject;
  readonly #sched: BpfObject;
  readonly #offsets: Readonly<Record<Field, number>>;
  #made = 0;

  constructor() {
    this.#memory = new BpfObject(Deno.readFileSync(`${TEST_BUILD}bpf/fake_tasks.bpf.o`), { name: "fake" });
    this.#memory.load();
    this.#memory.runOn("describe", CPU, BigUint64Array.of(0n));
    const members = new BigUint64Array(this.#memory.map("members").memory!);
    this.#offsets = Object.fromEntries(FIELDS.map((field, at) => [field, Number(members[at])])) as Record<
      Field,
      number
    >;
    this.#sched = new BpfObject(Deno.readFileSync(assetPath("bpf/sched.bpf.o")), { name: "sched" });
    for (const { event } of SCHED.hooks) this.#sched.setProgram(`${event}__tp_btf`, false);
    this.#sched.setProgram("flush", false);
    this.#sched.setProgram("flush__storage", false);
    this.#sched.setMap("storage", false);
    this.#sched.load();
    SCHED.fill!(this.#sched);
    this.idle = this.task({ pid: 0 });
  }

  /** Makes a task; four at most, the idle one included. */
  task(fields: Parameters<FakeTask["set"]>[0]): FakeTask {
    const index = this.#made++;
    const { memory, valueBytes } = this.#memory.map("fakes", { writable: true });
    const view = new DataView(memory!, index * valueBytes, valueBytes);
    const address = new BigUint64Array(this.#memory.map("addresses").memory!)[index]!;
    const offsets = this.#offsets;
    const task: FakeTask = {
      address,
      set({ comm, ...numbers }) {
        for (const [field, value] of Object.entries(numbers) as [Field, number][]) {
          if (NARROW.has(field)) view.setUint32(offsets[field], value, true);
          else view.setBigUint64(offsets[field], BigInt(value), true);
        }
        if (comm !== undefined) {
          new Uint8Array(memory!, index * valueBytes + offsets.comm, 16).fill(0).set(
            new TextEncoder().encode(comm),
          );
        }
      },
    };
    task.set(fields);
    return task;
  }

  /** Something wakes the task, or it is new. */
  wakeUp(task: FakeTask, options: { isNew?: boolean } = {}): void {
    this.#run(options.isNew === true ? "sched_wakeup_new" : "sched_wakeup", task.address);
  }

  /** The CPU goes from one task to another. */
  switchTo(next: FakeTask, from: FakeTask, options: { preempt?: boolean } = {}): void {
    this.#run("sched_switch", BigInt(options.preempt === true), from.address, next.address);
  }

  exit(task: FakeTask): void {
    this.#run("sched_process_exit", task.address);
  }

  /** A counter of the CPU. */
  cpu(field: keyof typeof SCHED_CPU.index): number {
    return this.#value("cpus", SCHED_CPU, CPU, field);
  }

  /** A field of a slot of `tasks`; `ids` is pid, and tgid times 2³². */
  slot(index: number, field: keyof typeof SCHED_TASK.index): number {
    return this.#value("tasks", SCHED_TASK, index, field);
  }

  /** What user space does with the slot of a task that has exited. */
  release(index: number): void {
    const { memory } = this.#sched.map("tasks", { writable: true });
    new Uint8Array(memory!).fill(0, index * 8 * SCHED_TASK.size, (index + 1) * 8 * SCHED_TASK.size);
    this.#sched.push("free_tasks", Uint32Array.of(index));
  }

  /** How many values a row of `histograms` has. */
  count(row: number): number {
    const words = new Uint32Array(this.#sched.map("histograms").memory!);
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) sum += wordsToNumber(words, row * BUCKETS + bucket);
    return sum;
  }

  [Symbol.dispose](): void {
    this.#sched.close();
    this.#memory.close();
  }

  #run(event: string, ...args: bigint[]): void {
    this.#sched.runOn(`${event}__raw_tp`, CPU, BigUint64Array.from(args));
  }

  #value<F extends string>(map: string, layout: Layout<F>, row: number, field: F): number {
    const { memory } = this.#sched.map(map, { writable: map === "tasks" });
    return wordsToNumber(new Uint32Array(memory!), row * layout.size + layout.index[field]);
  }
}
