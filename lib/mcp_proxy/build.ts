/** What makes a server before it is started. @module */
import { endGuarded, endText, readText, spawnGuarded } from "./child.ts";
import { type Ending, LastLines } from "./ending.ts";

/** Lines of a build that are kept for errors, and characters of each. */
const KEPT_LINES = 20;
const KEPT_CHARS = 500;

export interface BuildSpec {
  /** Words of a shell. */
  readonly words: string;
  readonly cwd?: string | undefined;
}

export interface BuildEvents {
  /** It waits for this: two builds at a time would get in each other's way. */
  readonly after?: Promise<void> | undefined;
  said(text: string): void;
  /** `undefined`: it has succeeded. Not called once it was stopped. */
  ended(ending: Ending | undefined): void;
}

/** One build. */
export class Build {
  /** Resolves when nothing of it is left. Never rejects. */
  readonly ended: Promise<void>;
  #child: Deno.ChildProcess | undefined;
  #isStopped = false;

  constructor(spec: BuildSpec, events: BuildEvents) {
    this.ended = this.#run(spec, events);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#child !== undefined) endGuarded(this.#child, "kill");
  }

  async #run({ words, cwd }: BuildSpec, events: BuildEvents): Promise<void> {
    await events.after;
    if (this.#isStopped) return;
    const last = new LastLines(KEPT_LINES, KEPT_CHARS);
    const said = (text: string) => {
      last.push(text);
      events.said(text);
    };
    let status: Deno.CommandStatus;
    try {
      const child = spawnGuarded({ argv: ["/bin/sh", "-c", words], cwd }, "null");
      this.#child = child;
      [status] = await Promise.all([
        child.status,
        readText(child.stdout, said),
        readText(child.stderr, said),
      ]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return events.ended({ what: `could not be started: ${error.message}`, lines: [] });
    }
    if (this.#isStopped) return;
    const { success, code, signal } = status;
    const by = signal === null ? { code } : { signal };
    events.ended(success ? undefined : { what: endText(status), ...by, lines: last.lines });
  }
}
