/** One endpoint that is recorded: how it is asked, and what its answers are. @module */
import { AgentClient, StatusError } from "../agent_client/mod.ts";
import { decodeSnapshot, encodeSnapshotV3, SchemaCache, type Snapshot } from "../metrics/mod.ts";
import { AGENT_PAGE, endpointAddress, type NamedEndpoint, type Protocol } from "./endpoint.ts";
import { PrometheusText } from "./prometheus_text.ts";

/** What a recorder asks. */
export interface SnapshotSource extends Disposable {
  /** Returns the body at a path. @throws {Error} When the endpoint does not give it. */
  get(path: string, signal?: AbortSignal): Promise<Uint8Array>;
}

/** What an endpoint showed at one tick. */
export interface Look {
  readonly snapshot: Snapshot;
  /** Returns the snapshot as MessagePack, for raw recordings. */
  bytes(): Uint8Array;
}

/** Unix time in nanoseconds. */
type NowNs = () => bigint;

/** What a Prometheus endpoint without a path is asked for. */
const PROMETHEUS_PAGE = "/metrics";

/** Pages of an agent that are kept with a recording, by the metadata's key. */
const PAGES = [
  ["descriptions", "/metrics/descriptions"],
  ["systeminfo", "/systeminfo"],
  ["sampler_status", "/samplers"],
] as const;

/** Asks one endpoint. Owns its connections. */
export class RecordSource implements Disposable {
  readonly endpoint: NamedEndpoint;
  readonly #client: SnapshotSource;
  readonly #nowNs: NowNs;
  readonly #cache = new SchemaCache();
  readonly #prometheus = new PrometheusText();
  #protocol: Protocol | undefined;
  #last: Snapshot | undefined;

  /** @throws {SyntaxError} When the endpoint's URL is none. */
  constructor(endpoint: NamedEndpoint, nowNs: NowNs, connect?: (endpoint: NamedEndpoint) => SnapshotSource) {
    this.endpoint = endpoint;
    this.#protocol = endpoint.protocol;
    this.#nowNs = nowNs;
    this.#client = connect?.(endpoint) ?? new AgentClient(endpointAddress(endpoint));
  }

  /** How it speaks, once that is known. */
  get protocol(): Protocol | undefined {
    return this.#protocol;
  }

  /** Series whose fractions a recording cannot hold; 0 for agents, whose values are whole. */
  get roundedSeries(): number {
    return this.#prometheus.roundedSeries;
  }

  /**
   * Asks for the metrics of now. An endpoint whose protocol is not said is asked as an agent first.
   * @throws {SyntaxError} When it answers with something else. @throws {Error} When it does not answer.
   */
  async look(signal: AbortSignal): Promise<Look> {
    if (this.#protocol === "prometheus") return await this.#askPrometheus(signal);
    try {
      return await this.#askAgent(signal);
    } catch (error) {
      // Only an endpoint that answers, and not as an agent would, may be of the other kind.
      const isOther = error instanceof SyntaxError ||
        error instanceof StatusError && error.status >= 400 && error.status < 500;
      if (this.#protocol !== undefined || !isOther || signal.aborted) throw error;
      try {
        return await this.#askPrometheus(signal);
      } catch (second) {
        // A page that is there but broken is what was meant; else it is an agent's answer that is missing.
        const isPage = second instanceof SyntaxError || second instanceof RangeError;
        throw error instanceof StatusError && isPage ? second : error;
      }
    }
  }

  async #askAgent(signal: AbortSignal): Promise<Look> {
    const bytes = await this.#client.get(AGENT_PAGE, signal);
    const snapshot = decodeSnapshot(
      bytes,
      this.#cache,
      this.#last === undefined ? {} : { recycle: this.#last },
    );
    this.#last = snapshot;
    this.#protocol = "msgpack";
    return { snapshot, bytes: () => bytes };
  }

  async #askPrometheus(signal: AbortSignal): Promise<Look> {
    const beginNs = this.#nowNs();
    const text = new TextDecoder().decode(await this.#client.get(prometheusPage(this.endpoint), signal));
    const widthNs = Math.max(0, Number(this.#nowNs() - beginNs));
    const snapshot = this.#prometheus.snapshot(text, { beginNs, widthNs });
    this.#protocol = "prometheus";
    return { snapshot, bytes: () => encodeSnapshotV3(snapshot) };
  }

  /** File-level keys: what the endpoint tells of itself. It need not have these pages; `onMissing` hears of each. */
  async describe(
    signal: AbortSignal,
    onMissing: (key: string, error: unknown) => void,
  ): Promise<Record<string, string>> {
    if (this.#protocol === "prometheus") return { descriptions: JSON.stringify(this.#prometheus.help) };
    const found: Record<string, string> = {};
    for (const [key, path] of PAGES) {
      try {
        found[key] = new TextDecoder().decode(await this.#client.get(path, signal)).trim();
      } catch (error) {
        if (!signal.aborted) onMissing(key, error);
      }
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

/** The page below the client's own path: none when the endpoint names a page. */
function prometheusPage(endpoint: NamedEndpoint): string {
  const address = endpointAddress(endpoint);
  return address.kind === "tcp" && address.basePath !== undefined ? "" : PROMETHEUS_PAGE;
}
