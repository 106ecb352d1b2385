/** Polls an agent into a `LiveStore`. @module */
import {
  type AgentAddress,
  AgentClient,
  checkInterval,
  parseAgentAddress,
  untilNextTick,
} from "../agent_client/mod.ts";
import type { LoggedEvent } from "../events/mod.ts";
import { decodeSnapshot, SchemaCache } from "../metrics/mod.ts";
import { LiveStore } from "../tsdb/mod.ts";
import type { ViewerSource } from "./viewer_source.ts";

/** How often an agent is asked when nothing else is said. */
export const POLL_INTERVAL_MS = 1_000;

/** Help texts, and whether there are events, are asked for again after so many polls. */
const ASK_AGAIN_POLLS = 60;

/** Events that are kept for the page; the oldest go for others. */
const EVENTS_KEPT = 2_000;

/** Where an agent is and how it is followed. */
export interface AgentOptions {
  /** Its address, or what `parseAgentAddress` reads: `http://127.0.0.1:4241`, `/run/agent.sock`. */
  readonly agent: AgentAddress | string;
  readonly intervalMs?: number;
  /** Points kept of each series. */
  readonly points?: number;
  /** Where to tell that the agent went away or came back. */
  readonly log?: (line: string) => void;
}

/** A source that follows an agent until it is disposed. */
export interface AgentSource extends ViewerSource, AsyncDisposable {
  /** Resolves with the first snapshot. */
  readonly ready: Promise<void>;
}

/**
 * Starts to follow an agent. An agent that does not answer is asked again at each tick; what came of it before stays
 * and `state().problem` says why nothing new comes.
 * @throws {RangeError} When the interval is too short, or longer than a timer holds.
 */
export function followAgent(options: AgentOptions): AgentSource {
  const intervalMs = options.intervalMs ?? POLL_INTERVAL_MS;
  checkInterval(intervalMs, "ask agent");
  const store = new LiveStore({
    intervalSeconds: intervalMs / 1000,
    ...(options.points ? { points: options.points } : {}),
  });
  const { agent } = options;
  const client = new AgentClient(typeof agent === "string" ? parseAgentAddress(agent) : agent);
  const abort = new AbortController();
  const first = Promise.withResolvers<void>();
  let problem: string | undefined;
  const poll = new Poller(client, store);
  const loop = (async () => {
    using _connections = client;
    while (!abort.signal.aborted) {
      try {
        await poll.once(abort.signal);
        const recovered = problem !== undefined;
        problem = undefined;
        if (recovered) options.log?.(`Agent ${client.name} answers again`);
        first.resolve();
      } catch (error) {
        if (abort.signal.aborted) break;
        poll.lost();
        const found = `Cannot poll agent ${client.name}: ${error instanceof Error ? error.message : error}`;
        const known = problem === found;
        problem = found;
        if (!known) options.log?.(found);
      }
      await untilNextTick(intervalMs, abort.signal);
    }
  })();
  return {
    series: store,
    ready: first.promise,
    events: (id) => poll.events.filter((event) => event.id > id),
    state: () => ({
      title: poll.title ?? client.name,
      mode: "live",
      intervalSeconds: store.intervalSeconds,
      ...store.range(),
      ...poll.newestEvent === 0 ? {} : { newestEvent: poll.newestEvent },
      ...(problem === undefined ? {} : { problem }),
    }),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await loop;
    },
  };
}

/** Asks once, and keeps what is known of the agent between asks. */
class Poller {
  readonly #schemas = new SchemaCache();
  #polls = 0;
  #hasEvents = true;
  title: string | undefined;
  events: LoggedEvent[] = [];

  constructor(readonly client: AgentClient, readonly store: LiveStore) {}

  get newestEvent(): number {
    return this.events.at(-1)?.id ?? 0;
  }

  async once(signal: AbortSignal): Promise<void> {
    const snapshot = decodeSnapshot(await this.client.get("/metrics/binary", signal), this.#schemas);
    this.store.append(snapshot);
    const { source, version } = snapshot.metadata;
    this.title ??= [source, version].filter(Boolean).join(" ") || undefined;
    const asksAgain = this.#polls++ % ASK_AGAIN_POLLS === 0;
    if (asksAgain) await this.#describe(signal);
    if (asksAgain || this.#hasEvents) await this.#takeEvents(signal);
  }

  /** The agent did not answer: whoever answers next may be another one. */
  lost(): void {
    this.#polls = 0;
  }

  /** An agent of another kind, or one that takes none, has no such page. */
  async #takeEvents(signal: AbortSignal): Promise<void> {
    const page = await this.#optional(`/events?since=${this.newestEvent}`, signal) as
      | { readonly events?: unknown }
      | undefined;
    this.#hasEvents = Array.isArray(page?.events);
    if (!Array.isArray(page?.events)) return;
    const found = page.events.filter(isEvent).filter(({ id }) => id > this.newestEvent);
    if (found.length > 0) this.events = [...this.events, ...found].slice(-EVENTS_KEPT);
  }

  /** Help texts and the host's name; an agent without them is none the worse. */
  async #describe(signal: AbortSignal): Promise<void> {
    const help = await this.#optional("/metrics/descriptions", signal);
    if (help !== undefined) this.store.describe(help as Record<string, string>);
    const info = await this.#optional("/systeminfo", signal) as { hostname?: unknown } | undefined;
    if (typeof info?.hostname === "string" && info.hostname !== "") this.title = info.hostname;
  }

  /** The JSON object at a path that an agent need not have. */
  async #optional(path: string, signal: AbortSignal): Promise<object | undefined> {
    try {
      const bytes = await this.client.getOptional(path, signal);
      const value: unknown = bytes && JSON.parse(new TextDecoder().decode(bytes));
      return typeof value === "object" && value !== null ? value : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // A page that is broken is as good as none: charts do without it.
    }
  }
}

function isEvent(value: unknown): value is LoggedEvent {
  if (typeof value !== "object" || value === null) return false;
  const { id, timeMs, text } = value as Partial<LoggedEvent>;
  return typeof id === "number" && typeof timeMs === "number" && typeof text === "string";
}
