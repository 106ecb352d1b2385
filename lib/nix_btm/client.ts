/** A client of the daemon on this host: its worlds, kept up to date through the ring. @module */
import { type AgentAddress, AgentClient } from "../agent_client/mod.ts";
import { sleep } from "../async/mod.ts";
import { decodeMessage, type Doorbell, parseMessage, type ReadResult, RingReader } from "../ring/mod.ts";
import type { HistoryQuery, PackageStatistics, PastBuild } from "./history.ts";
import type { HostUpdate, Snapshot } from "./publisher.ts";
import { applyUpdate, emptyWorld, type World } from "./world.ts";

/** Until a daemon that is not there is asked for again. */
const RETRY_MS = 500;

/** Whether the worlds are those of now. */
export type Standing =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** What is shown is what was last known. */
  | { readonly kind: "lost"; readonly why: string };

/** Asks a daemon, and keeps what it knows. @throws {Error} From each request: when there is no daemon, or it refuses. */
export class Client implements Disposable {
  /** By host; the daemon's own is the empty name. */
  readonly worlds = new Map<string, World>();
  readonly #http: AgentClient;
  #standing: Standing = { kind: "connecting" };
  #laps = 0;

  /** @param control Address of the daemon's control socket. */
  constructor(control: AgentAddress) {
    this.#http = new AgentClient(control);
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** How often the daemon was faster than this client, which then began anew. */
  get laps(): number {
    return this.#laps;
  }

  /** The worlds as they are now. @throws {Error} When there is no daemon, in one line. */
  async load(signal?: AbortSignal): Promise<Snapshot> {
    const bytes = await this.#http.get("/api/v1/snapshot", signal);
    const snapshot = parseMessage(bytes) as Snapshot;
    this.worlds.clear();
    for (const message of snapshot.hosts) this.#apply(message);
    return snapshot;
  }

  /** Keeps the worlds up to date until the signal fires; a daemon that goes and comes is followed again. */
  async follow(doorbell: Doorbell, { signal, onChange }: {
    readonly signal: AbortSignal;
    readonly onChange: () => void;
  }): Promise<void> {
    while (!signal.aborted) {
      let why: string;
      try {
        why = await this.#followOne(doorbell, { signal, onChange });
      } catch (error) {
        if (signal.aborted) return;
        why = error instanceof Error ? error.message : String(error);
      }
      if (why === "") continue;
      this.#standing = { kind: "lost", why };
      onChange();
      await sleep(RETRY_MS, { signal }).catch(() => "The loop's head looks at the signal.");
    }
  }

  /** The newest builds that are over. */
  async history(query: HistoryQuery, signal?: AbortSignal): Promise<PastBuild[]> {
    const { sinceMs, ...rest } = query;
    const entries = Object.entries({ ...rest, since: sinceMs }).filter(([, value]) => value !== undefined);
    const words = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]));
    return await this.#json(`/api/v1/history?${words}`, signal) as PastBuild[];
  }

  async statistics(limit: number, signal?: AbortSignal): Promise<PackageStatistics[]> {
    return await this.#json(`/api/v1/statistics?limit=${limit}`, signal) as PackageStatistics[];
  }

  /** All lines of a build that runs, or of one that is over by the name of its file. */
  async log(
    of: { readonly job: number } | { readonly file: string },
    signal?: AbortSignal,
  ): Promise<string[]> {
    const path = "job" in of ? `/api/v1/jobs/${of.job}/log` : `/api/v1/logs/${encodeURIComponent(of.file)}`;
    return await this.#json(path, signal) as string[];
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** Until the ring ends or overtakes; returns why, empty when a new snapshot is all that it takes. */
  async #followOne(doorbell: Doorbell, { signal, onChange }: {
    readonly signal: AbortSignal;
    readonly onChange: () => void;
  }): Promise<string> {
    const { ring, epoch, position } = await this.load(signal);
    using reader = RingReader.open(ring, { from: BigInt(position) });
    if (reader.epoch !== epoch) return "";
    this.#standing = { kind: "live" };
    onChange();
    const over = new AbortController();
    let why = "";
    const take = (result: Exclude<ReadResult, { kind: "empty" }>) => {
      if (result.kind === "records") {
        while (result.records.next()) this.#apply(decodeMessage(result.records) as HostUpdate);
        return onChange();
      }
      if (result.kind === "lapped") this.#laps++;
      if (result.kind === "ended") why = `the daemon has ${result.how === "dead" ? "died" : "ended"}`;
      over.abort();
    };
    try {
      await reader.each(doorbell, AbortSignal.any([signal, over.signal]), take);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    }
    return why;
  }

  #apply({ host, isNew, update }: HostUpdate): void {
    let world = isNew === true ? undefined : this.worlds.get(host);
    if (world === undefined) this.worlds.set(host, world = emptyWorld());
    applyUpdate(world, update);
  }

  async #json(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.#http.get(path, signal)));
  }
}
