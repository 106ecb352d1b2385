/**
 * Where each message goes: the proxy's decisions, without pipes, clock or chance. What comes in is told by calling a
 * method; what is to be done comes back as effects, in order. Servers are told apart by their generation, which grows.
 * Pure.
 * @module
 */
import { idOf, isRecord, RPC, rpcError } from "../mcp/json_rpc.ts";
import { type Ending, failure, lateAnswer, lostAnswer, PROXY_ERRORS, unservedAnswer } from "./ending.ts";
import type { Effect } from "./effect.ts";
import { Inquiries } from "./inquiries.ts";
import { MOST_SENDS, type ProxyLimits } from "./limits.ts";
import { changedList } from "./lists.ts";
import { type Id, isAnswer, kindOf, type Message, META, metaOf, paramsOf, withParams } from "./message.ts";
import { learnTools, mayRepeat } from "./repeat.ts";
import { Session } from "./session.ts";
import { shownError, shownFilter, shownResult, updatesFor } from "./shown.ts";
import { type Call, Questions, Table } from "./table.ts";

/** Settings of a router. */
export interface RouterOptions {
  /** How the server is named in errors. */
  readonly server: string;
  readonly limits: ProxyLimits;
  /** Tools of the proxy's own as `tools/list` shows them. */
  readonly ownTools?: readonly Message[];
}

export class Router {
  readonly #options: RouterOptions;
  readonly #session = new Session();
  readonly #table = new Table();
  readonly #questions = new Questions();
  readonly #harmless = new Set<string>();
  readonly #inquiries: Inquiries;
  readonly #ownNames: ReadonlySet<unknown>;
  /** The server that gets what is new. */
  #current: number | undefined;
  /** When a server has last said anything, or has last been given something after a silence. */
  readonly #heardMs = new Map<number, number>();
  /** Servers that have said anything: one that has not has done nothing either, it did not come up. */
  readonly #spoke = new Set<number>();
  #lastEnding: Ending | undefined;
  #effects: Effect[] = [];

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#inquiries = new Inquiries({
      ...{ session: this.#session, table: this.#table, harmless: this.#harmless },
      ...{ limits: options.limits, emit: (effect: Effect) => this.#do(effect) },
    });
    this.#ownNames = new Set((options.ownTools ?? []).map(({ name }) => name));
  }

  get current(): number | undefined {
    return this.#current;
  }

  /** Requests of the client that are not answered, streams that only listen left out. */
  get open(): number {
    return [...this.#table.calls].filter((call) => !isListen(call)).length;
  }

  /** Requests that a server has yet to answer. */
  inFlight(generation: number): number {
    return this.#table.inFlight(generation);
  }

  /** A server has been started: it is ready once it has answered a greeting, or at once when there is none yet. */
  started(generation: number, nowMs: number): Effect[] {
    this.#heardMs.set(generation, nowMs);
    this.#inquiries.greet(generation, nowMs);
    return this.#take();
  }

  /** From now on this server is given what comes; what waits is given to it first. */
  serve(generation: number, nowMs: number): Effect[] {
    this.#current = generation;
    for (const call of this.#table.calls) {
      if (call.generation === undefined || (isListen(call) && call.generation !== generation)) {
        this.#give(call, generation, nowMs);
      }
    }
    this.#inquiries.served(generation, nowMs);
    return this.#take();
  }

  /** A server is given nothing more. */
  retire(generation: number): void {
    if (this.#current === generation) this.#current = undefined;
  }

  /** The client does not read what servers say: that they are silent means nothing. */
  waitsForClient(nowMs: number): void {
    for (const generation of this.#heardMs.keys()) this.#heardMs.set(generation, nowMs);
    this.#inquiries.putOff(nowMs);
  }

  /** A server has ended. What it had is asked again where that does no harm, and answered with an error elsewhere. */
  gone(
    generation: number,
    { ending, unheard }: { readonly ending: Ending; readonly unheard: ReadonlySet<number> },
    nowMs: number,
  ): Effect[] {
    if (this.#current === generation) this.#current = undefined;
    this.#heardMs.delete(generation);
    this.#inquiries.gone(generation);
    this.#lastEnding = ending;
    for (const id of unheard) {
      const call = this.#table.callAt(id, generation);
      if (call !== undefined) call.sends = 0;
    }
    const spoke = this.#spoke.delete(generation);
    for (const call of this.#table.lose(generation)) {
      if (!spoke && mayRepeat(call.message, this.#harmless)) call.sends = 0;
      this.#repeat(call, ending, { nowMs, isNewWait: spoke && call.sends > 0 });
    }
    for (const id of this.#questions.lose(generation)) {
      const params = { requestId: id, reason: `${this.#options.server} ${ending.what}` };
      this.#toClient({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    }
    return this.#take();
  }

  /** One request has got lost, and its server goes on; `heard` tells whether that may have had it. */
  lost(id: number, generation: number, reason: string, heard: boolean, nowMs: number): Effect[] {
    const call = this.#table.callAt(id, generation);
    if (call !== undefined) {
      this.#table.release(call);
      if (!heard) call.sends--;
      this.#repeat(call, { what: reason, lines: [] }, { nowMs, isNewWait: heard });
    } else if (this.#table.answered(id, generation) !== undefined) {
      this.#do({ kind: "told", text: `${this.#options.server} ${reason}` });
    }
    return this.#take();
  }

  /** There is no new server. Those who wait for one are told so when their time is over, others may hear it now. */
  failed(ending: Ending): Effect[] {
    this.#lastEnding = ending;
    const data = [`${this.#options.server} ${ending.what}`, ...ending.lines].join("\n");
    const params = { level: "error", logger: "proxy", data };
    if (this.#session.hears) this.#toClient({ jsonrpc: "2.0", method: "notifications/message", params });
    return this.#take();
  }

  fromClient(value: unknown, nowMs: number): Effect[] {
    const found = kindOf(value);
    const message = value as Message;
    if (found.kind === "none") this.#refuse(value, found.reason);
    else if (found.kind === "answer") this.#answerQuestion(found.id, message);
    else if (found.kind === "notification") this.#notify(message, nowMs);
    else this.#call(found.id, message, nowMs);
    return this.#take();
  }

  fromServer(generation: number, value: unknown, nowMs: number): Effect[] {
    this.#heardMs.set(generation, nowMs);
    this.#spoke.add(generation);
    const found = kindOf(value);
    const message = value as Message;
    if (found.kind === "none") {
      this.#do({ kind: "told", text: `what it said is no message: ${found.reason}` });
    } else if (found.kind === "answer") this.#answer(generation, found.id, message, nowMs);
    else if (found.kind === "notification") this.#hear(generation, message, nowMs);
    else this.#question(generation, found.id, message);
    return this.#take();
  }

  /** A message of a server was too long to be read, and this is the id in it. */
  tooLong(generation: number, id: number, nowMs: number): Effect[] {
    const call = this.#table.callAt(id, generation);
    if (call === undefined) return [];
    const { server, limits } = this.#options;
    const message =
      `${call.what}: the answer of ${server} has more than ${limits.messageBytes} bytes, the limit`;
    const error = { code: PROXY_ERRORS.badAnswer, message };
    return this.fromServer(generation, { jsonrpc: "2.0", id, error }, nowMs);
  }

  /** Looks what is late; to be called every now and then. */
  tick(nowMs: number): Effect[] {
    const { server, limits } = this.#options;
    for (const call of this.#table.calls) {
      if (isListen(call) && call.generation === undefined && this.#current !== undefined) {
        this.#give(call, this.#current, nowMs);
        // At an address another server may stand by now.
        this.#inquiries.served(this.#current, nowMs);
      }
      if (call.limitMs > nowMs) continue;
      const { generation } = call;
      if (generation === undefined) this.#toClient(unservedAnswer(call, server, this.#lastEnding, nowMs));
      else {
        const params = { requestId: this.#table.idAt(call), reason: "it takes too long" };
        this.#toServer(generation, { jsonrpc: "2.0", method: "notifications/cancelled", params });
        this.#toClient(lateAnswer(call, server, nowMs));
        this.#inquiries.probe(generation, nowMs);
      }
      this.#table.end(call);
    }
    for (const { generation, ask } of this.#table.overdue(nowMs)) this.#inquiries.missing(generation, ask);
    if (limits.pingMs === 0) return this.#take();
    for (const [generation, heardMs] of this.#heardMs) {
      const isDue = nowMs - heardMs >= limits.pingMs && this.inFlight(generation) > 0;
      if (isDue && generation === this.#current) this.#inquiries.probe(generation, nowMs);
    }
    return this.#take();
  }

  /** A tool of the proxy's own has something to say. */
  ownAnswer(id: Id, message: Message, result: Message): Effect[] {
    const isStateless = metaOf(message)[META.version] !== undefined;
    const whole = isStateless ? { resultType: "complete", ...result } : result;
    this.#toClient({ jsonrpc: "2.0", id, result: whole });
    return this.#take();
  }

  // Requests of the client.

  #call(id: Id, message: Message, nowMs: number): void {
    const { limits } = this.#options;
    const { name } = paramsOf(message);
    if (message.method === "tools/call" && this.#ownNames.has(name)) {
      return this.#do({ kind: "ownCall", id, message });
    }
    if (this.#table.calls.size >= limits.calls) {
      const text = `${limits.calls} requests wait for an answer, the limit`;
      return this.#toClient(failure(id, PROXY_ERRORS.busy, text));
    }
    this.#session.note(message);
    const call = this.#table.add(id, message, { nowMs, waitUntilMs: nowMs + limits.waitMs });
    if (this.#current !== undefined) this.#give(call, this.#current, nowMs);
    this.#inquiries.readLists(nowMs);
  }

  #give(call: Call, generation: number, nowMs: number): void {
    if (this.inFlight(generation) === 0) this.#heardMs.set(generation, nowMs);
    const id = this.#table.send(call, generation);
    call.limitMs = isListen(call) ? Infinity : nowMs + this.#options.limits.callMs;
    this.#toServer(generation, { ...call.message, jsonrpc: "2.0", id });
  }

  #repeat(
    call: Call,
    ending: Ending,
    { nowMs, isNewWait }: { readonly nowMs: number; readonly isNewWait: boolean },
  ): void {
    const { limits, server } = this.#options;
    if (!isListen(call)) {
      const mayBe = call.sends === 0 ||
        (call.sends < MOST_SENDS && mayRepeat(call.message, this.#harmless));
      if (!mayBe) {
        this.#table.end(call);
        return this.#toClient(lostAnswer(call, server, ending, nowMs));
      }
      if (isNewWait) call.waitUntilMs = nowMs + limits.waitMs;
      call.limitMs = call.waitUntilMs;
      // Servers that come and go may have it whenever it is looked.
      if (call.limitMs <= nowMs) {
        this.#table.end(call);
        return this.#toClient(unservedAnswer(call, server, ending, nowMs));
      }
    }
    if (this.#current !== undefined) this.#give(call, this.#current, nowMs);
  }

  #refuse(value: unknown, reason: string): void {
    this.#toClient({ ...rpcError(idOf(value), RPC.invalidRequest, `Invalid request: ${reason}`) });
  }

  #notify(message: Message, nowMs: number): void {
    this.#session.note(message);
    const params = paramsOf(message);
    if (message.method === "notifications/cancelled") {
      const call = this.#table.byId(params.requestId);
      if (call === undefined) return; // It is answered already.
      const { generation } = call;
      const id = this.#table.idAt(call);
      this.#table.end(call);
      if (generation === undefined) return;
      return this.#toServer(generation, withParams(message, { requestId: id }));
    }
    const isProgress = message.method === "notifications/progress";
    const to = isProgress ? this.#questions.generationOf(params.progressToken) : this.#current;
    if (to !== undefined) this.#toServer(to, message);
    this.#inquiries.readLists(nowMs);
  }

  #answerQuestion(id: Id, message: Message): void {
    const question = this.#questions.answered(id);
    // The server that has asked has gone, or nobody has.
    if (question === undefined) return;
    this.#toServer(question.generation, { ...message, jsonrpc: "2.0", id: question.id });
  }

  // What servers say.

  #answer(generation: number, id: Id, message: Message, nowMs: number): void {
    const call = this.#table.callAt(id, generation);
    // A server that ends in order ends what listens to it; the next one, or the next look, takes it up again.
    if (call?.heard !== undefined && isRecord(message.result)) return this.#table.release(call);
    const to = this.#table.answered(id, generation);
    if (to === undefined) return; // It was given up, cancelled or answered before.
    if ("purpose" in to) return this.#inquiries.answered(generation, to, message, nowMs);
    if (!isAnswer(message)) {
      const text = `${to.what}: what ${this.#options.server} answered is neither a result nor an error`;
      return this.#toClient(failure(to.id, PROXY_ERRORS.badAnswer, text));
    }
    const { result, error } = message;
    const { ownTools = [] } = this.#options;
    if (isRecord(result)) this.#note(to, result);
    const shown = isRecord(result)
      ? { result: shownResult(to, result, ownTools) }
      : shownError(to, error as Message, ownTools);
    this.#toClient({ ...message, ...shown, jsonrpc: "2.0", id: to.id });
    this.#inquiries.readLists(nowMs);
  }

  /** Takes notice of a result. */
  #note({ message }: Call, result: Message): void {
    this.#session.noteResult(message, result);
    this.#inquiries.given(message.method);
    if (message.method === "tools/list") learnTools(result.tools, this.#harmless);
  }

  #hear(generation: number, message: Message, nowMs: number): void {
    const params = paramsOf(message);
    const subscription = metaOf(message)[META.subscription];
    if (subscription !== undefined) return this.#hearListened(generation, message, subscription, nowMs);
    if (message.method === "notifications/progress") {
      const call = this.#table.byToken(params.progressToken, generation);
      const { progress } = params;
      if (call === undefined || typeof progress !== "number" || progress <= call.progress) return;
      call.progress = progress;
    } else if (message.method === "notifications/cancelled") {
      const requestId = this.#questions.withdrawn(generation, params.requestId);
      if (requestId === undefined) return;
      return this.#toClient(withParams(message, { requestId }));
    }
    const list = changedList(message.method);
    const isOfState = list !== undefined || message.method === "notifications/resources/updated";
    // One that is being replaced, or does not serve yet, has nothing to say of what there is.
    if (isOfState && generation !== this.#current) return;
    this.#toClient(message);
    if (list !== undefined) this.#inquiries.relist(generation, list, nowMs);
  }

  /** To a client of the era without sessions, which has asked for it. */
  #hearListened(generation: number, message: Message, subscription: unknown, nowMs: number): void {
    const call = this.#table.callAt(subscription, generation);
    if (call === undefined) return;
    const _meta = { ...metaOf(message), [META.subscription]: call.id };
    const list = changedList(message.method);
    if (list !== undefined) this.#inquiries.relist(generation, list, nowMs);
    if (message.method !== "notifications/subscriptions/acknowledged") {
      return this.#toClient(withParams(message, { _meta }));
    }
    const isRepeated = call.heard !== undefined;
    call.heard = shownFilter(call, message);
    const first = withParams(message, { _meta, notifications: call.heard });
    for (const told of isRepeated ? updatesFor(call) : [first]) this.#toClient(told);
  }

  #question(generation: number, id: Id, message: Message): void {
    if (!this.#heardMs.has(generation)) return;
    const isOurs = message.method === "ping" && generation !== this.#current;
    if (isOurs) return this.#toServer(generation, { jsonrpc: "2.0", id, result: {} });
    const { calls } = this.#options.limits;
    if (this.#questions.open >= calls) {
      const text = `The client has ${calls} questions to answer, the limit`;
      return this.#toServer(generation, { ...rpcError(id, PROXY_ERRORS.busy, text) });
    }
    this.#toClient({ ...message, jsonrpc: "2.0", id: this.#questions.add(generation, id, message) });
  }

  #toClient(message: Message): void {
    this.#do({ kind: "toClient", message });
  }

  #toServer(generation: number, message: Message): void {
    this.#do({ kind: "toServer", generation, message });
  }

  #do(effect: Effect): void {
    this.#effects.push(effect);
  }

  #take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

function isListen({ message }: Call): boolean {
  return message.method === "subscriptions/listen";
}
