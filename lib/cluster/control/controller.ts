/** What one server does by itself, all the time: places what waits, and forgets what is over. @module */
import { abortable, aborted } from "../../async/mod.ts";
import type { Clock } from "../clock.ts";
import type { Keys } from "../model/keys.ts";
import type { Refusal, Weights } from "../schedule/mod.ts";
import { type Store, StoreError } from "../store/store.ts";
import { Placer } from "./placer.ts";
import { isOver, reap } from "./reaper.ts";
import { ClusterState } from "./state.ts";

/** What a controller works with. */
export interface ControllerOptions {
  readonly store: Store;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly weights?: Weights;
  /** Told what the store does not do, and what of that is another reason than before. */
  readonly trouble: (text: string) => void;
}

/** Until what the store did not do, or what others were faster with, is tried again: nobody tells when that is possible. */
const AGAIN_MS = 1_000;

export class Controller {
  readonly state: ClusterState;
  readonly #options: ControllerOptions;
  readonly #placer: Placer;
  #refused: ReadonlyMap<string, ReadonlyMap<string, Refusal>> = new Map();

  constructor(options: ControllerOptions) {
    const { store, keys, clock, trouble } = options;
    this.#options = options;
    this.state = new ClusterState({ store, keys, clock, trouble: ({ message }) => trouble(message) });
    this.#placer = new Placer({
      store,
      keys,
      state: this.state,
      ...options.weights === undefined ? {} : { weights: options.weights },
    });
  }

  /** By instance, why no node would do when it was looked at last. */
  get refused(): ReadonlyMap<string, ReadonlyMap<string, Refusal>> {
    return this.#refused;
  }

  /** Works until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const listed = Promise.withResolvers<void>();
    const keeping = this.state.run(signal, listed.resolve);
    await abortable(listed.promise, signal).catch(() => "It has not begun.");
    while (!signal.aborted) {
      const changed = new AbortController();
      const stopListening = this.state.listen(() => changed.abort());
      try {
        const { refused, left } = await this.#placer.round();
        this.#refused = refused;
        const isReaped = await this.#reap();
        const look = AbortSignal.any([signal, changed.signal]);
        if (left === 0 && isReaped) await aborted(look);
        else {await this.#options.clock.sleep(AGAIN_MS, { signal: look }).catch(() =>
            "Something is another way."
          );}
      } finally {
        stopListening();
      }
    }
    await keeping;
  }

  /** False when something of it has to be tried again. */
  async #reap(): Promise<boolean> {
    const { store, keys, trouble } = this.#options;
    let isDone = true;
    for (const instance of [...this.state.instances.values.values()]) {
      if (!isOver(instance, this.state.status(instance.id))) continue;
      try {
        isDone = await reap(store, keys, instance.id) && isDone;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        trouble(error.message);
        isDone = false;
      }
    }
    return isDone;
  }
}
