/** Polls an agent into a `LiveStore`. @module */
import { LONGEST_WAIT_MS } from "../async/mod.ts";
import { decodeSnapshot, SchemaCache } from "../metrics/mod.ts";
import { LiveStore } from "../tsdb/mod.ts";
import { type Address, formatAddress } from "../web/mod.ts";
import type { ViewerSource } from "./viewer_source.ts";

/** How often an agent is asked when nothing else is said. */
export const POLL_INTERVAL_MS = 1_000;

/** A shorter interval is refused: an agent's answer takes milliseconds. */
const MIN_INTERVAL_MS = 10;

/** An agent that takes longer than this to answer is given up for that tick. */
const ANSWER_LIMIT_MS = 5_000;

/** A snapshot larger than this is refused. */
const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;

/** Where an agent is and how it is followed. */
export interface AgentOptions {
  /** Its address, or a URL such as `http://127.0.0.1:4241`. */
  readonly agent: Address | string;
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
  if (!(intervalMs >= MIN_INTERVAL_MS && intervalMs <= LONGEST_WAIT_MS)) {
    throw new RangeError(
      `Cannot ask agent every ${intervalMs} ms: expected ${MIN_INTERVAL_MS} to ${LONGEST_WAIT_MS} ms`,
    );
  }
  const store = new LiveStore({
    intervalSeconds: intervalMs / 1000,
    ...(options.points ? { points: options.points } : {}),
  });
  const { agent } = options;
  const endpoint = typeof agent === "string" ? httpEndpoint(agent) : addressEndpoint(agent);
  const abort = new AbortController();
  const first = Promise.withResolvers<void>();
  let problem: string | undefined;
  const poll = new Poller(endpoint, store);
  const loop = (async () => {
    while (!abort.signal.aborted) {
      try {
        await poll.once(AbortSignal.any([abort.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]));
        const recovered = problem !== undefined;
        problem = undefined;
        if (recovered) options.log?.(`Agent ${endpoint.name} answers again`);
        first.resolve();
      } catch (error) {
        if (abort.signal.aborted) break;
        const found = `Cannot poll agent ${endpoint.name}: ${error instanceof Error ? error.message : error}`;
        const known = problem === found;
        problem = found;
        if (!known) options.log?.(found);
      }
      await untilNextTick(intervalMs, abort.signal);
    }
    endpoint.client?.close();
  })();
  return {
    series: store,
    ready: first.promise,
    state: () => ({
      title: poll.title ?? endpoint.name,
      mode: "live",
      intervalSeconds: store.intervalSeconds,
      ...store.range(),
      ...(problem === undefined ? {} : { problem }),
    }),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await loop;
    },
  };
}

interface Endpoint {
  readonly name: string;
  readonly base: string;
  readonly client?: Deno.HttpClient;
}

function httpEndpoint(text: string): Endpoint {
  if (text.startsWith("unix:") || text.startsWith("/")) {
    return addressEndpoint({ kind: "unix", path: text.replace(/^unix:(\/\/)?/, "") });
  }
  const url = new URL(/^https?:\/\//.test(text) ? text : `http://${text}`);
  return { name: url.host, base: url.origin };
}

function addressEndpoint(address: Address): Endpoint {
  if (address.kind === "tcp") {
    return { name: `${address.host}:${address.port}`, base: formatAddress(address) };
  }
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: address.path } });
  return { name: address.path, base: "http://localhost", client };
}

/** Asks once, and keeps what is known of the agent between asks. */
class Poller {
  readonly #schemas = new SchemaCache();
  #described = false;
  title: string | undefined;

  constructor(readonly endpoint: Endpoint, readonly store: LiveStore) {}

  async once(signal: AbortSignal): Promise<void> {
    const response = await this.#get("/metrics/binary", signal);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > MAX_SNAPSHOT_BYTES) throw new RangeError(`snapshot has ${bytes.length} bytes`);
    const snapshot = decodeSnapshot(bytes, this.#schemas);
    this.store.append(snapshot);
    const { source, version } = snapshot.metadata;
    this.title ??= [source, version].filter(Boolean).join(" ") || undefined;
    if (!this.#described) await this.#describe(signal);
  }

  /** Help texts and the host's name are asked for once; an agent without them is none the worse. */
  async #describe(signal: AbortSignal): Promise<void> {
    this.#described = true;
    const help = await this.#optional("/metrics/descriptions", signal);
    if (help !== undefined) this.store.describe(help as Record<string, string>);
    const info = await this.#optional("/systeminfo", signal) as { hostname?: unknown } | undefined;
    if (typeof info?.hostname === "string" && info.hostname !== "") this.title = info.hostname;
  }

  /** The JSON object at a path that an agent need not have. */
  async #optional(path: string, signal: AbortSignal): Promise<object | undefined> {
    try {
      const value: unknown = await (await this.#get(path, signal)).json();
      return typeof value === "object" && value !== null ? value : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // Upstream's answers 404 where it knows nothing.
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<Response> {
    const { base, client } = this.endpoint;
    const response = await fetch(`${base}${path}`, { signal, ...(client === undefined ? {} : { client }) });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Error(`${path} gives status ${response.status}`);
  }
}

/** Waits for the next whole multiple of the interval, so that ticks do not drift. */
function untilNextTick(intervalMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, intervalMs - Date.now() % intervalMs);
    signal.addEventListener("abort", done, { once: true });
  });
}
