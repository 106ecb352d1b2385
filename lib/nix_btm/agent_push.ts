/**
 * Pushes the daemon's metrics, what each build uses, and marks for charts to the telemetry agent of this host, where one
 * takes them.
 * @module
 */
import { AgentPush, type PushedRow } from "../agent_client/mod.ts";
import type { Job } from "../nix/mod.ts";
import { type Mark, Markers } from "./markers.ts";
import { NIX_METRICS_HELP } from "./metrics.ts";
import type { Update, World } from "./world.ts";

/** Where it goes, and what. */
export interface DaemonPushOptions {
  /** The agent's socket. */
  readonly path: string;
  /** All values as they are now. */
  readonly rows: () => readonly PushedRow[];
}

/** Tells the agent until it is disposed; one that is not there, or comes and goes, is no problem. */
export class DaemonPush implements AsyncDisposable {
  readonly #push: AgentPush;
  readonly #markers = new Markers();

  constructor({ path, rows }: DaemonPushOptions) {
    this.#push = new AgentPush({ path, rows, source: "nix-btm", help: NIX_METRICS_HELP });
  }

  /** An update that is in the world already. */
  take(update: Update, world: World): void {
    this.#tell(this.#markers.take(update, world));
  }

  buildEnded(job: Job): void {
    this.#tell(this.#markers.buildEnded(job, Date.now()));
  }

  /** To be called each second. */
  tick(): void {
    this.#tell(this.#markers.tick(Date.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#push[Symbol.asyncDispose]();
  }

  #tell(marks: readonly Mark[]): void {
    for (const mark of marks) this.#push.tell(mark);
  }
}
