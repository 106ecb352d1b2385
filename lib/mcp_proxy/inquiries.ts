/** What a proxy asks servers of its own accord: whether they are there, whether they live, what they have. Pure. @module */
import { isRecord } from "../mcp/json_rpc.ts";
import type { Effect } from "./effect.ts";
import type { ProxyLimits } from "./limits.ts";
import { changedMethod, filterField, Lists, MOST_PAGES, pageOf } from "./lists.ts";
import { type Message, META } from "./message.ts";
import { learnTools } from "./repeat.ts";
import { type ListKind, LISTS, type Session, type Told } from "./session.ts";
import { updated } from "./shown.ts";
import type { Ask, Table } from "./table.ts";

/** What inquiries share with the router. */
export interface InquiryOptions {
  readonly session: Session;
  readonly table: Table;
  /** Names of tools that may be called twice. */
  readonly harmless: Set<string>;
  readonly limits: ProxyLimits;
  readonly emit: (effect: Effect) => void;
}

export class Inquiries {
  readonly #options: InquiryOptions;
  readonly #lists = new Lists();
  readonly #probed = new Set<number>();
  /** The server that is asked for its lists. */
  #current: number | undefined;
  #isListed = false;

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  /** Asks a new server the first question; without one it is ready. */
  greet(generation: number, nowMs: number): void {
    const { session, limits, emit } = this.#options;
    const greeting = session.greeting();
    if (greeting === undefined) return emit({ kind: "ready", generation });
    const purpose = { kind: "greeting", what: greeting.method } as const;
    this.#ask(generation, greeting, { purpose, limitMs: nowMs + limits.startMs });
  }

  /** Asks whether it lives, unless that is being asked. */
  probe(generation: number, nowMs: number): void {
    const probe = this.#options.session.probe();
    if (probe === undefined || this.#probed.has(generation)) return;
    this.#probed.add(generation);
    const purpose = { kind: "probe", what: probe.method } as const;
    this.#ask(generation, probe, { purpose, limitMs: nowMs + this.#options.limits.hangMs });
  }

  /** Another server serves. */
  served(generation: number, nowMs: number): void {
    this.#current = generation;
    this.#isListed = false;
    this.#lists.serverChanged();
    this.readLists(nowMs);
  }

  /** The client has been given a list. */
  given(method: unknown): void {
    const kind = LISTS.find((each) => method === `${each}/list`);
    if (kind !== undefined) this.#lists.given(kind);
  }

  gone(generation: number): void {
    this.#probed.delete(generation);
    if (this.#current === generation) this.#current = undefined;
  }

  /** Reads all lists of the server that serves, once the client has begun. */
  readLists(nowMs: number): void {
    const { session } = this.#options;
    if (this.#isListed || this.#current === undefined || !session.isOpen) return;
    this.#isListed = true;
    for (const kind of LISTS) {
      if (session.has(kind)) this.#readPage(this.#current, { list: kind, before: [] }, nowMs);
    }
  }

  /** The client was told by the server that a list is another one. */
  relist(generation: number, kind: ListKind, nowMs: number): void {
    if (!this.#isListed) return;
    this.#lists.forget(kind);
    this.#readPage(generation, { list: kind, before: [] }, nowMs);
  }

  /** An answer to one of the questions here. */
  answered(generation: number, { purpose }: Ask, { result, error }: Message, nowMs: number): void {
    if (purpose.kind === "probe") this.#probed.delete(generation);
    if (purpose.kind === "page") this.#takePage(generation, purpose, result, nowMs);
    if (purpose.kind === "state" && purpose.uri !== undefined && isRecord(result)) {
      // Nobody has watched it while there was no server.
      this.#options.emit({ kind: "toClient", message: updated({ uri: purpose.uri }) });
    }
    if (purpose.kind === "greeting") this.#greeted(generation, purpose.what, { result, error }, nowMs);
  }

  /** Nobody can answer just now: what is asked gets its time anew. */
  putOff(nowMs: number): void {
    const { table, limits: { hangMs, startMs } } = this.#options;
    for (const ask of table.asks()) ask.limitMs = Math.max(ask.limitMs, nowMs + Math.min(hangMs, startMs));
  }

  /** A question that was not answered in time. */
  missing(generation: number, { purpose: { kind, what } }: Ask): void {
    const { limits: { hangMs, startMs }, emit } = this.#options;
    if (kind !== "greeting" && kind !== "probe") return;
    const reason = `did not answer ${what} within ${(kind === "probe" ? hangMs : startMs) / 1_000} s`;
    emit({ kind: "unfit", generation, reason });
  }

  #greeted(generation: number, what: string, { result, error }: Message, nowMs: number): void {
    const { session, limits, emit } = this.#options;
    // In the era without sessions whatever it answers shows that it is there.
    const isHello = what === "initialize";
    if (isHello && !isRecord(result)) {
      const why = isRecord(error) ? error.message : "it does not say why";
      return emit({ kind: "unfit", generation, reason: `refused ${what} (${why})` });
    }
    if (isRecord(result)) {
      session.noteServer(result);
      const objection = isHello ? session.objection(result) : undefined;
      if (objection !== undefined) emit({ kind: "told", text: objection });
    }
    if (session.isInitialized) {
      const message = { jsonrpc: "2.0", method: "notifications/initialized" };
      emit({ kind: "toServer", generation, message });
    }
    for (const told of session.state()) {
      const purpose = { kind: "state", what: told.method, uri: told.params.uri } as const;
      this.#ask(generation, told, { purpose, limitMs: nowMs + limits.callMs });
    }
    emit({ kind: "ready", generation });
  }

  #readPage(
    generation: number,
    { list, before, cursor }: { list: ListKind; before: readonly unknown[]; cursor?: string },
    nowMs: number,
  ): void {
    const told = this.#options.session.page(list, cursor);
    const purpose = { kind: "page", what: told.method, list, before } as const;
    this.#ask(generation, told, { purpose, limitMs: nowMs + this.#options.limits.callMs });
  }

  #takePage(
    generation: number,
    { list, before }: Extract<Ask["purpose"], { kind: "page" }>,
    result: unknown,
    nowMs: number,
  ): void {
    if (generation !== this.#current) return;
    // One that has no such list any more has an empty one.
    const { entries, next } = pageOf(list, isRecord(result) ? result : {});
    if (list === "tools") learnTools(entries, this.#options.harmless);
    const all = [...before, entries];
    if (next !== undefined && all.length < MOST_PAGES) {
      return this.#readPage(generation, { list, before: all, cursor: next }, nowMs);
    }
    if (this.#lists.take(list, all.flat())) this.#announce(list);
  }

  /** Tells the client, as its era wants it. */
  #announce(kind: ListKind): void {
    const { session, table, emit } = this.#options;
    const method = changedMethod(kind);
    if (session.era === "sessions") return emit({ kind: "toClient", message: { jsonrpc: "2.0", method } });
    for (const call of table.calls) {
      if (call.heard?.[filterField(kind)] !== true) continue;
      const params = { _meta: { [META.subscription]: call.id } };
      emit({ kind: "toClient", message: { jsonrpc: "2.0", method, params } });
    }
  }

  #ask(generation: number, { method, params }: Told, ask: Ask): void {
    const id = this.#options.table.ask(ask, generation);
    this.#options.emit({ kind: "toServer", generation, message: { jsonrpc: "2.0", id, method, params } });
  }
}
