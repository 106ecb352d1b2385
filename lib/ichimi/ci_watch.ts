/** Watches runs of GitHub Actions in the background, and tells what becomes of them. @module */
import { ciChanges, type CiPlace, type CiRun, ciRuns } from "./ci.ts";

const RUNS = 20;

export class CiWatch implements AsyncDisposable {
  readonly #tell: (text: string) => void;
  readonly #ended = new AbortController();
  /** By folder and repository. */
  readonly #watched = new Map<string, ReturnType<typeof setInterval>>();
  readonly #work = new Set<Promise<void>>();

  /** @param tell Told each change, and once why there are none to be had. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Looks now and then, in place of what was asked for that place before. */
  watch(place: CiPlace, everyMs: number): void {
    const key = JSON.stringify([place.folder, place.repo]);
    clearInterval(this.#watched.get(key));
    let known: ReadonlyMap<number, CiRun> = new Map();
    let trouble: string | undefined;
    const look = async () => {
      try {
        const runs = await ciRuns(place, RUNS, this.#ended.signal);
        for (const text of ciChanges(known, runs)) this.#tell(text);
        known = new Map(runs.map((run) => [run.id, run]));
        trouble = undefined;
      } catch (error) {
        if (this.#ended.signal.aborted || !(error instanceof Error)) return;
        if (error.message !== trouble) this.#tell(error.message);
        trouble = error.message;
      }
    };
    const begin = () => {
      const work = look().finally(() => this.#work.delete(work));
      this.#work.add(work);
    };
    this.#watched.set(key, setInterval(begin, everyMs));
    begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#watched.values()) clearInterval(timer);
    this.#ended.abort();
    await Promise.all(this.#work);
  }
}
