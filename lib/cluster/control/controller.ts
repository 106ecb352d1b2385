/** What one server does by itself, all the time: places what waits, and forgets what is over. @module */
import { abortable } from "../../async/mod.ts";
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

/** It looks again, though nothing was told, since what others did may have been in its way. */
const LOOK_MS = 1_000;

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
        const { refused } = await this.#placer.round();
        this.#refused = refused;
        await this.#reap();
        const look = { signal: AbortSignal.any([signal, changed.signal]) };
        await this.#options.clock.sleep(LOOK_MS, look).catch(() => "Something is another way.");
      } finally {
        stopListening();
      }
    }
    await keeping;
  }

  async #reap(): Promise<void> {
    const { store, keys, trouble } = this.#options;
    for (const instance of [...this.state.instances.values.values()]) {
      if (!isOver(instance, this.state.status(instance.id))) continue;
      try {
        await reap(store, keys, instance.id);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        trouble(error.message);
      }
    }
  }
}
