/** Runs a command for each build that is over: a few at a time, and not more than anybody can want. @module */
import { deadline } from "../async/mod.ts";
import type { Job } from "../nix/mod.ts";
import { isBlocked } from "./world.ts";

/** Hooks that run at the same time. */
const AT_A_TIME = 4;
/** Builds whose hook has not begun; of more that end at once the hook is not run, which is told. */
const WAITING_MAX = 1_000;

/** A hook that takes longer is ended, whatever it uploads; others wait for its place. */
const HOOK_MS = 10 * 60_000;

/**
 * A shell command and what it is told: `NIX_BTM_NAME`, `_DERIVATION`, `_MACHINE`, `_OUTCOME`, `_FAILURE` and `_SECONDS` in
 * its environment. The outcome of what could not begin, since something that it needs failed, is `blocked`.
 */
export class BuildHook {
  readonly #command: string;
  readonly #limitMs: number;
  readonly #tell: (text: string) => void;
  readonly #waiting: Job[] = [];
  #running = 0;

  /** @param tell Hears of hooks that failed or were left out. */
  constructor(command: string, tell: (text: string) => void, limitMs = HOOK_MS) {
    this.#command = command;
    this.#limitMs = limitMs;
    this.#tell = tell;
  }

  /** A build is over. */
  run(job: Job): void {
    if (this.#waiting.length >= WAITING_MAX) {
      return this.#tell(`Cannot run the hook of ${job.name}: ${WAITING_MAX} wait already`);
    }
    this.#waiting.push(job);
    this.#next();
  }

  #next(): void {
    if (this.#running >= AT_A_TIME) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#running++;
    void this.#spawn(job).catch((error) => this.#tell(`Cannot run the hook of ${job.name}: ${error.message}`))
      .finally(() => {
        this.#running--;
        this.#next();
      });
  }

  async #spawn({ name, subject, host, state, startedMs, endedMs }: Job): Promise<void> {
    const env = {
      NIX_BTM_NAME: name,
      NIX_BTM_DERIVATION: subject,
      NIX_BTM_MACHINE: host,
      NIX_BTM_OUTCOME: isBlocked({ state }) ? "blocked" : state.kind,
      NIX_BTM_FAILURE: state.kind === "failed" ? state.failure.text : "",
      NIX_BTM_SECONDS: String(((endedMs ?? 0) - (startedMs ?? endedMs ?? 0)) / 1_000),
    };
    using limit = deadline(this.#limitMs);
    const { code } = await new Deno.Command("/bin/sh", {
      args: ["-c", this.#command],
      env,
      stdin: "null",
      stdout: "null",
      signal: limit.signal,
    })
      .spawn().status;
    if (limit.signal.aborted) this.#tell(`The hook of ${name} took over ${this.#limitMs} ms, and was ended`);
    else if (code !== 0) this.#tell(`The hook of ${name} has ended with code ${code}`);
  }
}
