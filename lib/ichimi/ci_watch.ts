/** Watches runs of GitHub Actions in the background, and keeps what becomes of them. @module */
import { sleep } from "../async/mod.ts";
import type { ResourceProvider } from "../mcp/mod.ts";
import { ciChanges, type CiPlace, type CiRun, ciRuns } from "./ci.ts";
import { timeText } from "./state.ts";

const RUNS = 20;
const CHANGES_KEPT = 100;

/** What has become of a run, or why none are to be had. */
export interface CiChange {
  /** RFC 3339. */
  readonly time: string;
  readonly text: string;
  /** Of the clients that hear of it. */
  readonly folder: string | undefined;
}

/** What a watch needs to know of others. */
export interface CiWatchOptions {
  /** Told each change. */
  readonly tell: (text: string) => void;
  /** Whether somebody works in a folder still: nobody else's runs are looked at. */
  readonly isWanted: (folder: string | undefined) => boolean;
}

export class CiWatch implements AsyncDisposable {
  readonly #options: CiWatchOptions;
  readonly #ended = new AbortController();
  /** By folder and repository. */
  readonly #watched = new Map<string, AbortController>();
  readonly #work = new Set<Promise<void>>();
  readonly #listeners = new Set<(change: CiChange) => void>();
  #changes: CiChange[] = [];

  constructor(options: CiWatchOptions) {
    this.#options = options;
  }

  /** Looks now, and so long after each look, in place of what was asked for that place before. */
  watch(place: CiPlace, everyMs: number): void {
    const key = JSON.stringify([place.folder, place.repo]);
    this.#watched.get(key)?.abort();
    const other = new AbortController();
    this.#watched.set(key, other);
    const work = this.#follow(place, everyMs, AbortSignal.any([other.signal, this.#ended.signal]))
      .finally(() => {
        this.#work.delete(work);
        if (this.#watched.get(key) === other) this.#watched.delete(key);
      });
    this.#work.add(work);
  }

  /** What has become of the runs of a folder lately, oldest first. */
  changes(folder: string | undefined): CiChange[] {
    return this.#changes.filter((each) => each.folder === folder);
  }

  /** Hears of each change; returns how to stop listening. */
  listen(listener: (change: CiChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#work);
  }

  async #follow(place: CiPlace, everyMs: number, signal: AbortSignal): Promise<void> {
    const { folder } = place;
    let known: ReadonlyMap<number, CiRun> = new Map();
    let trouble: string | undefined;
    while (!signal.aborted && this.#options.isWanted(folder)) {
      try {
        const runs = await ciRuns(place, RUNS, signal);
        for (const text of ciChanges(known, runs)) this.#add(text, folder);
        known = new Map(runs.map((run) => [run.id, run]));
        trouble = undefined;
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) return;
        // Each look may find the same.
        if (error.message !== trouble) this.#add(error.message, folder);
        trouble = error.message;
      }
      await sleep(everyMs, { signal }).catch(() => "The loop ends.");
    }
  }

  #add(text: string, folder: string | undefined): void {
    const change = { time: timeText(Date.now()), text, folder };
    this.#changes = [...this.#changes, change].slice(-CHANGES_KEPT);
    this.#options.tell(text);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** What becomes of the runs that are watched, as JSON. */
export const CI_URI = "ichimi://ci";

/** The changes of a folder as a resource, for a client that would rather be told than ask. */
export function ciResources(
  ci: Pick<CiWatch, "changes" | "listen">,
  folder: string | undefined,
): ResourceProvider {
  const mimeType = "application/json";
  return {
    list: () => [{
      uri: CI_URI,
      name: "CI runs",
      description: "What became of the CI runs of this folder since start_ci_monitoring",
      mimeType,
    }],
    read(uri) {
      if (uri !== CI_URI) return Promise.resolve(undefined);
      const changes = ci.changes(folder).map(({ time, text }) => ({ time, text }));
      return Promise.resolve([{ uri, mimeType, text: JSON.stringify({ changes }, null, 2) }]);
    },
    watch: (changed) =>
      ci.listen((change) => {
        if (change.folder === folder) changed({ kind: "updated", uri: CI_URI });
      }),
  };
}
