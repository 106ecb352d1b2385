/**
 * What a client has told its server, to be told again to the one that comes after it: in the era of sessions the
 * beginning, subscriptions and the level of the log; in the era without, who it is. Pure.
 * @module
 */
import { isRecord } from "../mcp/json_rpc.ts";
import { envelopeOf, type Message, paramsOf } from "./message.ts";

/** Subscriptions that are remembered; those beyond are not told to the next server. */
const MOST_SUBSCRIPTIONS = 4_096;

/** Kinds of lists that a client keeps, by the capability that tells of them. */
export const LISTS = ["tools", "resources", "prompts"] as const;
export type ListKind = typeof LISTS[number];

/** A request of the proxy's own, without its id. */
export interface Told {
  readonly method: string;
  readonly params: Message;
}

/** One client's side of the conversation. */
export class Session {
  /** Params of the `initialize` that was answered, and the version that both agreed on. */
  #hello: { readonly params: Message; readonly version: string } | undefined;
  #initialized = false;
  #level: Message | undefined;
  readonly #subscribed = new Set<string>();
  #envelope: Message | undefined;
  /** A client may only try whether its server knows the era without sessions: this one does. */
  #isStateless = false;
  /** What the server said that it can, in its own words. */
  #capabilities: Message | undefined;

  /** `undefined` as long as the client has said nothing that tells. */
  get era(): "sessions" | "stateless" | undefined {
    if (this.#hello !== undefined) return "sessions";
    return this.#envelope === undefined ? undefined : "stateless";
  }

  /** Whether requests of the proxy's own may be made. */
  get isOpen(): boolean {
    return this.#hello === undefined ? this.#isStateless : this.#initialized;
  }

  /** Whether the server may have lists of a kind: as long as it has said nothing, it may. */
  has(kind: ListKind): boolean {
    return this.#capabilities === undefined || isRecord(this.#capabilities[kind]);
  }

  /** Whether the client expects messages of a log that it has not asked for: in the other era it says so with each request. */
  get hears(): boolean {
    return this.isInitialized && isRecord(this.#capabilities?.logging);
  }

  /** Takes notice of what the client sends. */
  note(message: Message): void {
    this.#envelope = envelopeOf(message) ?? this.#envelope;
    if (message.method === "notifications/initialized") this.#initialized = true;
    const { uri } = paramsOf(message);
    if (message.method === "resources/unsubscribe" && typeof uri === "string") this.#subscribed.delete(uri);
  }

  /** Takes notice of what a server answered to a client's request. */
  noteResult(request: Message, result: Message): void {
    const params = paramsOf(request);
    if (envelopeOf(request) !== undefined) this.#isStateless = true;
    if (request.method === "initialize") {
      this.#hello = { params, version: String(result.protocolVersion ?? params.protocolVersion) };
    }
    if (request.method === "initialize" || request.method === "server/discover") this.noteServer(result);
    if (request.method === "logging/setLevel") this.#level = params;
    if (request.method === "resources/subscribe" && typeof params.uri === "string") {
      if (this.#subscribed.size < MOST_SUBSCRIPTIONS) this.#subscribed.add(params.uri);
    }
  }

  /** Takes notice of what a server says of itself. */
  noteServer({ capabilities }: Message): void {
    this.#capabilities = isRecord(capabilities) ? capabilities : undefined;
  }

  /**
   * What a new server is asked first, and must answer before it is given anything to do; `undefined` when the client
   * has not begun. It is asked for the version that the client speaks already.
   */
  greeting(): Told | undefined {
    if (this.#hello !== undefined) {
      const { params, version } = this.#hello;
      return { method: "initialize", params: { ...params, protocolVersion: version } };
    }
    return this.#envelope === undefined ? undefined : { method: "server/discover", params: this.#stamped() };
  }

  /** What is wrong with the answer to the greeting, as far as the client is concerned. */
  objection(result: Message): string | undefined {
    if (this.#hello === undefined || result.protocolVersion === this.#hello.version) return undefined;
    return `it speaks version ${result.protocolVersion} of the protocol, its client ${this.#hello.version}`;
  }

  /** Whether it is a notification that the session begins. */
  get isInitialized(): boolean {
    return this.#initialized && this.#hello !== undefined;
  }

  /** What is told a new server next. */
  state(): Told[] {
    if (!this.isInitialized) return [];
    return [
      ...(this.#level === undefined ? [] : [{ method: "logging/setLevel", params: this.#level }]),
      ...[...this.#subscribed].map((uri) => ({ method: "resources/subscribe", params: { uri } })),
    ];
  }

  /** Asks whether it is alive; `undefined` when there is no way to ask. */
  probe(): Told | undefined {
    if (this.#hello !== undefined) return { method: "ping", params: {} };
    return this.#envelope === undefined ? undefined : { method: "server/discover", params: this.#stamped() };
  }

  /** Asks for a page of a list. */
  page(kind: ListKind, cursor: string | undefined): Told {
    return {
      method: `${kind}/list`,
      params: { ...this.#stamped(), ...(cursor === undefined ? {} : { cursor }) },
    };
  }

  #stamped(): Message {
    return this.#hello !== undefined || this.#envelope === undefined ? {} : { _meta: this.#envelope };
  }
}
