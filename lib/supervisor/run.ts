/** One instance of a service or of its build, from its start, or from where it was found, to its end. @module */
import { processStart } from "../../ffi/ring/mod.ts";
import { reapChild, signalName } from "../../ffi/sys/mod.ts";
import { abortable, sleep } from "../async/mod.ts";
import {
  endLeftOver,
  type FollowOptions,
  type Heard,
  InstanceFollower,
  type InstanceStatus,
  isPassing,
  isStartedHere,
  KeeperControl,
  type KeeperOptions,
  type StartedKeeper,
  startInstance,
} from "../keeper/mod.ts";
import { type Doorbell } from "../ring/mod.ts";
import { inspectPlace, markEnded, type Place } from "./ledger.ts";
import type { Outcome } from "./machine.ts";

/** What all runs of a manager share. */
export interface RunContext {
  readonly doorbell: Doorbell;
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Fires when the manager lets go of its instances; they go on. */
  readonly signal: AbortSignal;
}

/** How long a keeper needs at most from its claim to its log, on the slowest of machines. */
const LOG_WITHIN_MS = 10_000;
const LOG_EVERY_MS = 5;
const REAP_TRIES = 20;

/** Exit code of a shell whose command cannot be run. */
const NOT_RUN = 126;

export class Run {
  readonly place: Place;
  /** Resolves when it and its descendants have ended and all of its output was told. @throws The context's reason. */
  readonly ended: Promise<Outcome>;
  /** Resolves when its keeper is at work, or is known not to come. */
  readonly begun: Promise<void>;
  #follower: InstanceFollower | undefined;

  /** Starts a keeper in an empty place. What cannot be started ends with code 126 and says why. */
  static start(
    place: Place,
    options: Omit<KeeperOptions, "folder">,
    follow: { readonly context: RunContext; readonly tell: (heard: Heard) => void },
  ): Run {
    const keeper = startOrFail({ ...options, folder: place.folder });
    return new Run(place, follow, { keeper, from: "oldest" });
  }

  /** Follows an instance that another manager started; tells what is new from now on, or everything. */
  static adopt(
    place: Place,
    follow: { readonly context: RunContext; readonly tell: (heard: Heard) => void },
    from: "oldest" | "end",
  ): Run {
    return new Run(place, follow, { keeper: undefined, from });
  }

  private constructor(
    place: Place,
    { context, tell }: { readonly context: RunContext; readonly tell: (heard: Heard) => void },
    { keeper, from }: { readonly keeper: StartedKeeper | Error | undefined; readonly from: "oldest" | "end" },
  ) {
    this.place = place;
    // That it could not begin is what `ended` tells.
    this.begun = keeper === undefined || keeper instanceof Error
      ? Promise.resolve()
      : keeper.begun.catch(() => undefined);
    this.ended = this.#follow(context, tell, { keeper, from });
  }

  /** What is known now. */
  status(): InstanceStatus {
    return this.#follower?.status() ?? inspectPlace(this.place);
  }

  /** Ends it: `signal` now, SIGKILL for the whole tree after `graceMs`. Resolves when the keeper has been told. */
  async stop(graceMs: number, signal: Deno.Signal = "SIGTERM"): Promise<void> {
    try {
      // A full disk keeps nothing from being ended.
      let told = false;
      try {
        // What has ended by itself was not ended.
        if (this.status().kind !== "exited") markEnded(this.place);
      } finally {
        told = await this.control((keeper) => keeper.stop(graceMs, signal));
      }
      // One whose folder was removed cannot be talked to.
      const status = told ? undefined : this.status();
      if (status?.kind === "running") Deno.kill(status.keeperPid, "SIGTERM");
    } catch (error) {
      // No descriptor left, for example: the keeper ends it after a grace period of its own.
      const status = this.status();
      if (status.kind === "running") Deno.kill(status.keeperPid, "SIGTERM");
      throw error;
    }
  }

  /** Talks to the keeper; false when it has ended. */
  async control(talk: (keeper: KeeperControl) => Promise<void>): Promise<boolean> {
    await this.begun;
    try {
      using keeper = await KeeperControl.open(this.place.folder);
      await talk(keeper);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  async #follow(
    { doorbell, buffer, signal }: RunContext,
    tell: (heard: Heard) => void,
    { keeper, from }: { readonly keeper: StartedKeeper | Error | undefined; readonly from: "oldest" | "end" },
  ): Promise<Outcome> {
    try {
      if (keeper instanceof Error) throw keeper;
      await keeper?.begun;
    } catch (error) {
      tell({
        kind: "event",
        timeMs: Date.now(),
        text: error instanceof Error ? error.message : String(error),
      });
      return { kind: "exited", code: NOT_RUN };
    }
    const found = await logOf(this.place.folder, { doorbell, buffer, signal, from });
    if (found === undefined) return { kind: "lost" };
    using follower = found;
    this.#follower = follower;
    const before = follower.status();
    const ours = keeper === undefined ? adoptedKeeper(before) : undefined;
    try {
      const end = await follower.run(tell);
      // A keeper that this process started before it became what it is now, nobody else waits for.
      if (ours !== undefined) await reap(ours);
      // It ends a moment after its log does.
      if (keeper !== undefined) await abortable(keeper.ended, signal);
      if (end.kind === "unreadable") return { kind: "lost" };
      if (!follower.isClosed()) await endAll(this.place, end.kind === "lost" ? before : undefined, tell);
      if (end.kind === "lost") return { kind: "lost" };
      const { code, signal: number } = end.exit;
      return number === undefined
        ? { kind: "exited", code }
        : { kind: "exited", code, signal: signalName(number) };
    } finally {
      this.#follower = undefined;
    }
  }
}

/**
 * The log of an instance whose keeper has come, a moment after that: a keeper that another manager started may just have
 * begun. Undefined when it never comes: the keeper was killed before its child began.
 */
async function logOf(folder: string, options: FollowOptions): Promise<InstanceFollower | undefined> {
  for (let waitedMs = 0;; waitedMs += LOG_EVERY_MS) {
    try {
      return new InstanceFollower(folder, options);
    } catch (error) {
      const isMissing = error instanceof Deno.errors.NotFound;
      // Without a descriptor to look, the instance runs all the same.
      if (!isMissing && !(error instanceof Error && isPassing(error))) throw error;
      if (isMissing && waitedMs >= LOG_WITHIN_MS) return undefined;
      await sleep(LOG_EVERY_MS, { signal: options.signal });
    }
  }
}

/** The keeper of an instance that was found, unless it is waited for already. */
function adoptedKeeper(status: InstanceStatus): number | undefined {
  return status.kind === "running" && !isStartedHere(status.keeperPid) ? status.keeperPid : undefined;
}

/** As for keepers that are waited for, without a promise. */
async function reap(pid: number): Promise<void> {
  for (let tries = 0; tries < REAP_TRIES && !reapChild(pid) && processStart(pid) !== 0n; tries++) {
    await sleep(LOG_EVERY_MS);
  }
}

function startOrFail(options: KeeperOptions): StartedKeeper | Error {
  try {
    return startInstance(options);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** What nobody keeps would be there twice once the service is started again. */
async function endAll(
  place: Place,
  before: InstanceStatus | undefined,
  tell: (heard: Heard) => void,
): Promise<void> {
  const session = before?.kind === "running" ? { session: before.pid } : {};
  const count = await endLeftOver({ folder: place.folder, ...session });
  const left = count === 0 ? "" : `; of what it kept ${count} processes were left, and are ended`;
  tell({ kind: "event", timeMs: Date.now(), text: `its keeper was killed${left}` });
}

/** Whether a control socket belongs to a keeper that has ended. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}
