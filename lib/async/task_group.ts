/** Tasks that end with the block that started them. @module */

/**
 * Runs tasks side by side. The first failure aborts the others; leaving the block waits for all and throws what failed.
 * A task that ends with the reason of the abort has ended as asked and is no failure.
 *
 * `await using` cannot tell a block that threw from one that ended, so it waits in both cases: where the tasks go on
 * until they are told to stop, use `TaskGroup.run`, which aborts them when its body throws.
 *
 * ```ts
 * import { TaskGroup } from "./task_group.ts";
 * const seen: string[] = [];
 * {
 *   await using group = new TaskGroup();
 *   group.start(async () => void seen.push(await Promise.resolve("done")));
 * }
 * console.assert(seen.length === 1);
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  /** Fires when the parent does, on the first failure, and on `abort`. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #closed = false;

  constructor(parent?: AbortSignal) {
    this.signal = parent === undefined
      ? this.#controller.signal
      : AbortSignal.any([parent, this.#controller.signal]);
  }

  /** Runs `body` in a group, aborts the group's tasks when it throws, and waits for them in any case. */
  static async run<T>(
    parent: AbortSignal | undefined,
    body: (group: TaskGroup) => Promise<T>,
  ): Promise<T> {
    await using group = new TaskGroup(parent);
    try {
      return await body(group);
    } catch (error) {
      group.#controller.abort(error);
      throw error;
    }
  }

  /** Starts a task, now. @throws {TypeError} When the block has been left already. */
  start(task: (signal: AbortSignal) => Promise<void>): void {
    if (this.#closed) throw new TypeError("Cannot start a task: its group has ended");
    const running = this.#watch(task);
    this.#running.add(running);
    running.then(() => this.#running.delete(running));
  }

  /** Asks all tasks to end. */
  abort(reason: unknown = new DOMException("The group was aborted", "AbortError")): void {
    this.#controller.abort(reason);
  }

  /** Waits for all tasks. @throws What failed; an `AggregateError` when it was more than one. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#closed = true;
    const failures = this.#failures.splice(0);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, messages(failures));
  }

  async #watch(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await task(this.signal);
    } catch (error) {
      if (this.signal.aborted && error === this.signal.reason) return;
      this.#failures.push(error);
      this.#controller.abort(error);
    }
  }
}

/** Each of the messages once. */
function messages(failures: readonly unknown[]): string {
  return [...new Set(failures.map((error) => error instanceof Error ? error.message : String(error)))].join(
    "; ",
  );
}
