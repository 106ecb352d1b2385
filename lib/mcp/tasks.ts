/**
 * Tasks of the extension `io.modelcontextprotocol/tasks` (SEP-2663): calls that outlive their request and are polled
 * for. Time is passed in; nothing here waits.
 * @module
 */
import { type Answers, answersTo, type Questions } from "./ask.ts";
import type { Call, Outcome } from "./calls.ts";
import type { McpLimits } from "./limits.ts";
import type { ToolResult } from "./tool.ts";

/** How a client declares that it can poll, and a server that it may have to. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** How often clients should ask. */
const POLL_INTERVAL_MS = 500;

/** What a task is now. */
export type TaskState =
  | { readonly status: "working" }
  | { readonly status: "input_required"; readonly questions: Questions }
  | { readonly status: "completed"; readonly result: ToolResult }
  | { readonly status: "failed"; readonly message: string }
  | { readonly status: "cancelled" };

/** What is told of a task when it begins and with each answer. */
export interface TaskHead {
  readonly taskId: string;
  readonly status: TaskState["status"];
  readonly statusMessage?: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
}

interface Waiting {
  readonly questions: Questions;
  readonly answers: Record<string, Answers[string]>;
  resolve(answers: Answers): void;
}

interface Task {
  readonly id: string;
  readonly call: Call;
  readonly createdMs: number;
  updatedMs: number;
  state: TaskState;
  message?: string;
  waiting: Waiting[];
}

/** The tasks of one server. */
export class Tasks {
  readonly #limits: McpLimits;
  readonly #now: () => number;
  readonly #newId: (call: Call, nowMs: number) => string;
  readonly #tasks = new Map<string, Task>();

  /** `now` is Unix milliseconds; an id must not be guessable, since knowing it is all that reading a task takes. */
  constructor(limits: McpLimits, now: () => number, newId: (call: Call, nowMs: number) => string) {
    this.#limits = limits;
    this.#now = now;
    this.#newId = newId;
  }

  /**
   * Makes a task of a call; `undefined` at the limit, when the caller must wait for the call itself. `before` is what it
   * was at a server that has gone.
   */
  adopt(call: Call, before?: { readonly id: string; readonly createdMs: number }): TaskHead | undefined {
    this.#expire();
    if (this.#tasks.size >= this.#limits.tasks) return undefined;
    const now = this.#now();
    const task: Task = {
      id: before?.id ?? this.#newId(call, now),
      call,
      createdMs: before?.createdMs ?? now,
      updatedMs: now,
      state: { status: "working" },
      waiting: [],
    };
    this.#tasks.set(task.id, task);
    call.detach({
      progress: (done, total, message) => {
        task.message = message ?? (total === undefined ? `${done}` : `${done} of ${total}`);
        task.updatedMs = this.#now();
      },
      ask: (questions) => this.#ask(task, questions),
    });
    void call.outcome.then((outcome) => this.#end(task, endOf(outcome)));
    return this.#head(task);
  }

  /** The task now; `undefined` when there is none of this id, or no longer. */
  get(id: string): { readonly head: TaskHead; readonly state: TaskState } | undefined {
    this.#expire();
    const task = this.#tasks.get(id);
    return task === undefined ? undefined : { head: this.#head(task), state: task.state };
  }

  /** Gives answers to a task's questions; those to questions that nobody asked are ignored. False: no such task. */
  answer(id: string, answers: Answers): boolean {
    this.#expire();
    const task = this.#tasks.get(id);
    if (task === undefined) return false;
    for (const waiting of [...task.waiting]) {
      for (const [key, answer] of Object.entries(answers)) {
        if (Object.hasOwn(waiting.questions, key)) waiting.answers[key] = answer;
      }
      if (Object.keys(waiting.questions).some((key) => !Object.hasOwn(waiting.answers, key))) continue;
      task.waiting.splice(task.waiting.indexOf(waiting), 1);
      waiting.resolve(answersTo(waiting.questions, waiting.answers));
    }
    this.#showQuestions(task);
    return true;
  }

  /** Cancels a task; one that has ended stays as it ended. False: no such task. */
  cancel(id: string): boolean {
    this.#expire();
    const task = this.#tasks.get(id);
    if (task === undefined) return false;
    this.#end(task, { status: "cancelled" });
    task.call.cancel(new DOMException("The task was cancelled", "AbortError"));
    return true;
  }

  #ask(task: Task, questions: Questions): Promise<Answers> {
    const { promise, resolve } = Promise.withResolvers<Answers>();
    task.waiting.push({ questions, answers: {}, resolve });
    this.#showQuestions(task);
    return promise;
  }

  #showQuestions(task: Task): void {
    if (hasEnded(task)) return;
    const open = task.waiting.flatMap(({ questions, answers }) =>
      Object.entries(questions).filter(([key]) => !Object.hasOwn(answers, key))
    );
    task.state = open.length === 0
      ? { status: "working" }
      : { status: "input_required", questions: Object.fromEntries(open) };
    task.updatedMs = this.#now();
  }

  #end(task: Task, state: TaskState): void {
    if (hasEnded(task)) return;
    task.state = state;
    task.updatedMs = this.#now();
  }

  #head(task: Task): TaskHead {
    return {
      taskId: task.id,
      status: task.state.status,
      ...(task.message === undefined ? {} : { statusMessage: task.message }),
      createdAt: new Date(task.createdMs).toISOString(),
      lastUpdatedAt: new Date(task.updatedMs).toISOString(),
      ttlMs: this.#limits.taskMs,
      pollIntervalMs: POLL_INTERVAL_MS,
    };
  }

  /** A task must be there for its whole time. */
  #expire(): void {
    const oldest = this.#now() - this.#limits.taskMs;
    for (const task of this.#tasks.values()) {
      if (task.createdMs > oldest) continue;
      task.call.cancel(new DOMException("The task's time is over", "AbortError"));
      this.#tasks.delete(task.id);
    }
  }
}

function hasEnded({ state }: Task): boolean {
  return state.status !== "working" && state.status !== "input_required";
}

function endOf(outcome: Outcome): TaskState {
  switch (outcome.kind) {
    case "result":
      return { status: "completed", result: outcome.result };
    case "cancelled":
      return { status: "cancelled" };
    case "failed":
      return { status: "failed", message: outcome.message };
    case "asks":
      return { status: "failed", message: "the tool asked in a way that a task does not know" };
    default:
      return outcome satisfies never;
  }
}
