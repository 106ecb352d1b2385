/** Looks into the store for what Nix does not say of a build: whether its outputs are there. @module */
import type { Command, Graph, Job } from "../nix/mod.ts";

/** How it is looked; each may be missing where there is no store. */
export interface StoreLooks {
  /** Whether something lies at a path of the store. */
  readonly exists?: ((path: string) => Promise<boolean>) | undefined;
  /** Whether Nix has registered a path of the store; what a builder writes there now it has not. */
  readonly isRegistered?: ((path: string) => Promise<boolean>) | undefined;
}

/** Nothing is waited for: what is found is told later. */
export class OutputLooks {
  readonly #looks: StoreLooks;
  readonly #graph: () => Promise<Graph>;
  readonly #looking = new Set<Promise<void>>();

  /** @param graph What derivations make, as soon as all that is read now has been. */
  constructor(looks: StoreLooks, graph: () => Promise<Graph>) {
    this.#looks = looks;
    this.#graph = graph;
  }

  /** Resolves when nothing is looked for any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#looking);
  }

  /**
   * Whether the outputs are there of a build of which Nix does not say how it ended, told by `found`.
   * Returns whether it is looked: else nothing is told.
   */
  ended(job: Job, found: (areThere: boolean) => void): boolean {
    const { exists } = this.#looks;
    if (exists === undefined) return false;
    this.#look(this.#areThere(job, exists).then(found));
    return true;
  }

  /**
   * Of what it was asked for Nix tells the end only when all of that is over: of several builds the first seems to run as
   * long as the last one. It counts them before, and what it counted lies in the store: `found` is told of it.
   * @param jobs Of all commands.
   */
  overdue(
    commands: readonly Command[],
    { jobs, found }: { readonly jobs: Iterable<Job>; readonly found: (job: Job) => void },
  ): void {
    const { isRegistered } = this.#looks;
    if (isRegistered === undefined) return;
    const counts = commands.filter(({ state, builds }) => state === "running" && builds.done > 0);
    const running = new Map(counts.map(({ id }): [number, Job[]] => [id, []]));
    if (running.size === 0) return;
    for (const job of jobs) {
      if (job.kind === "build" && job.state.kind === "running") running.get(job.command)?.push(job);
    }
    for (const { id, builds } of counts) {
      const candidates = running.get(id)!;
      const overCount = candidates.length - builds.running;
      if (overCount > 0) this.#look(this.#among(candidates, { overCount, isRegistered, found }));
    }
  }

  /** So many of these builds are over, which seem to run. */
  async #among(
    jobs: readonly Job[],
    { overCount, isRegistered, found }: {
      readonly overCount: number;
      readonly isRegistered: (path: string) => Promise<boolean>;
      readonly found: (job: Job) => void;
    },
  ): Promise<void> {
    const areThere = await Promise.all(jobs.map((job) => this.#areThere(job, isRegistered)));
    const built = jobs.filter((_, at) => areThere[at]);
    // Outputs that are built once more, to check them, were there before: they do not tell which ones are over.
    if (built.length <= overCount) built.forEach(found);
  }

  /** Whether this is so of all outputs of a build. */
  async #areThere({ subject }: Job, isThere: (path: string) => Promise<boolean>): Promise<boolean> {
    const graph = await this.#graph();
    const paths = Object.values(graph.node(subject)?.outputs ?? {});
    return paths.length > 0 && !paths.includes("") && (await Promise.all(paths.map(isThere))).every(Boolean);
  }

  #look(look: Promise<void>): void {
    const looking = look.finally(() => this.#looking.delete(looking));
    this.#looking.add(looking);
  }
}
