/** What is kept of builds in a folder: their history and their logs. @module */
import type { Command, Job } from "../nix/mod.ts";
import { makeFolder } from "../cli/make_folder.ts";
import { STATE_FOLDER } from "./folders.ts";
import { History } from "./history.ts";
import { logName, LogStore } from "./log_store.ts";

/** What a build used in all. */
export interface Used {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** A full disk costs what is kept, and nothing of what is shown: `onProblem` hears of it, and all goes on. */
export class KeptBuilds implements Disposable {
  readonly history: History;
  readonly logs: LogStore;
  readonly #stack: DisposableStack;
  readonly #onProblem: (error: Error) => void;

  /** @throws {Error} When the folder cannot be used. */
  constructor(folder: string, onProblem: (error: Error) => void) {
    using stack = new DisposableStack();
    makeFolder(folder, STATE_FOLDER);
    this.history = stack.use(History.open(`${folder}/history.sqlite`, (text) => onProblem(new Error(text))));
    this.logs = stack.use(new LogStore(`${folder}/logs`));
    this.#onProblem = onProblem;
    this.#stack = stack.move();
  }

  /** A build has printed a line. */
  line(job: Job, line: string): void {
    this.#try(() => this.logs.add(job.id, { name: logName(job), line }));
  }

  /** A build is over. */
  end(
    job: Job,
    { command, used }: { readonly command: Command | undefined; readonly used?: Used | undefined },
  ): void {
    const log = this.#try(() => this.logs.end(job.id));
    if (job.startedMs !== undefined) this.#try(() => this.history.add(job, { command, log, used }));
  }

  /** Writes what it was told. */
  flush(): void {
    this.#try(() => this.logs.flush());
    this.#try(() => this.history.flush());
  }

  /** The name of a running build's log, which is written as far as it goes. @throws {Error} When it cannot be. */
  logOf(job: number): string | undefined {
    this.logs.flush();
    return this.logs.nameOf(job);
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }

  #try<T>(write: () => T): T | undefined {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#onProblem(error);
      return undefined;
    }
  }
}
