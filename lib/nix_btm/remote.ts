/**
 * Another host's daemon, followed from here. What was known of a host that is lost stays, and is said to be of before.
 * @module
 */
import { sleep } from "../async/mod.ts";
import type { HostUpdate } from "./publisher.ts";
import type { RemoteAddress } from "./remote_address.ts";
import { checkSize, readRemoteMessage } from "./remote_message.ts";
import { remoteMessages } from "./remote_stream.ts";
import { applyUpdate, emptyWorld, type Update, type World } from "./world.ts";

/** Until a host that was lost is asked again, the first time and at most. */
const RETRY_MS = [1_000, 30_000] as const;
/** From a host that lives something comes within three of its beats. */
const SILENT_MS = 35_000;

/** A host, and who hears of it. */
export interface RemoteOptions {
  readonly name: string;
  readonly address: RemoteAddress;
  readonly signal: AbortSignal;
  /** Hears what changed, with the host's name in it. */
  readonly tell: (message: HostUpdate) => void;
  /** A host of which nothing is heard for so long is lost. */
  readonly silentMs?: number;
}

/** Follows a host until the signal fires; `world` is what is known of it. */
export class RemoteHost {
  readonly world: World = emptyWorld();
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** Resolves when the signal has fired. */
  async follow(): Promise<void> {
    const { signal, name } = this.#options;
    let waitMs: number = RETRY_MS[0];
    while (!signal.aborted) {
      let why = "it has ended";
      try {
        for await (const text of this.#messages()) {
          waitMs = RETRY_MS[0];
          this.#take(text);
        }
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (signal.aborted) return;
      this.#apply({ host: name, update: { notes: [why] } });
      await sleep(waitMs, { signal }).catch(() => "The loop's head looks at the signal.");
      waitMs = Math.min(2 * waitMs, RETRY_MS[1]);
    }
  }

  /** Of the host itself: what it knows of others is asked of them. */
  #take(text: string): void {
    const message = readRemoteMessage(text);
    if (message === undefined) return;
    const { name } = this.#options;
    this.#apply({ host: name, isNew: message.isNew, update: { ...message.update, notes: [""] } });
    checkSize(name, this.world);
  }

  #apply(message: HostUpdate): void {
    if (message.isNew === true) {
      const { commands, jobs } = this.world;
      const gone: Update = { removedCommands: [...commands.keys()], removedJobs: [...jobs.keys()] };
      applyUpdate(this.world, gone);
    }
    applyUpdate(this.world, message.update);
    this.#options.tell(message);
  }

  #messages(): AsyncGenerator<string> {
    const { address, signal, silentMs = SILENT_MS } = this.#options;
    return remoteMessages(address, { signal, silentMs });
  }
}

/** Follows hosts until it is disposed; `worlds` gets what is known of each. */
export function followHosts(
  hosts: readonly { readonly name: string; readonly address: RemoteAddress }[],
  { worlds, tell }: { readonly worlds: Map<string, World>; readonly tell: RemoteOptions["tell"] },
): AsyncDisposable {
  const over = new AbortController();
  const following = hosts.map(({ name, address }) => {
    const host = new RemoteHost({ name, address, signal: over.signal, tell });
    worlds.set(name, host.world);
    return host.follow();
  });
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(following);
    },
  };
}
