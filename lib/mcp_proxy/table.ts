/**
 * Requests without an answer yet: the client's, the proxy's own, and those of servers. Ids of the two sides are kept
 * apart, since each side counts by itself, and a server that comes after another begins anew. Pure.
 * @module
 */
import type { Message } from "./message.ts";
import { type Id, isId, metaOf, named } from "./message.ts";
import type { ListKind } from "./session.ts";

/** A request of the client. */
export interface Call {
  readonly id: Id;
  readonly message: Message;
  /** For messages. */
  readonly what: string;
  readonly token: Id | undefined;
  readonly takenMs: number;
  /** Until when it may wait for a server. */
  waitUntilMs: number;
  /** When it is given up. */
  limitMs: number;
  /** How often it was given to a server. */
  sends: number;
  /** The server that has it now. */
  generation: number | undefined;
  /** What was told last of how far it is: it may only grow, also when it is begun anew. */
  progress: number;
  /** Of `subscriptions/listen`: what is to be told, once that was confirmed. */
  heard: Message | undefined;
}

/** What a request of the proxy's own is for. */
export type Purpose =
  | { readonly kind: "greeting" | "probe"; readonly what: string }
  /** `uri`: a resource that is subscribed to. */
  | { readonly kind: "state"; readonly what: string; readonly uri: unknown }
  | {
    readonly kind: "page";
    readonly what: string;
    readonly list: ListKind;
    readonly before: readonly unknown[];
  };

/** A request of the proxy's own. */
export interface Ask {
  readonly purpose: Purpose;
  /** When it is missed. */
  limitMs: number;
}

type Entry = { readonly generation: number } & ({ readonly call: Call } | { readonly ask: Ask });

export class Table {
  /** All that the client waits for, also what no server has. */
  readonly #calls = new Set<Call>();
  readonly #byId = new Map<Id, Call>();
  readonly #byToken = new Map<Id, Call>();
  readonly #sent = new Map<number, Entry>();
  readonly #idOfCall = new Map<Call, number>();
  readonly #inFlight = new Map<number, number>();
  #lastId = 0;

  get calls(): ReadonlySet<Call> {
    return this.#calls;
  }

  /** How many requests of the client a server has. */
  inFlight(generation: number): number {
    return this.#inFlight.get(generation) ?? 0;
  }

  /** Takes a request of the client. */
  add(id: Id, message: Message, { nowMs, waitUntilMs }: { nowMs: number; waitUntilMs: number }): Call {
    const { progressToken } = metaOf(message);
    const token = isId(progressToken) ? progressToken : undefined;
    const call: Call = {
      ...{ id, message, what: named(message), token, takenMs: nowMs, waitUntilMs, limitMs: waitUntilMs },
      ...{ sends: 0, generation: undefined, progress: -Infinity, heard: undefined },
    };
    this.#calls.add(call);
    this.#byId.set(id, call);
    if (token !== undefined) this.#byToken.set(token, call);
    return call;
  }

  /** Gives a request to a server; returns its id there. */
  send(call: Call, generation: number): number {
    this.release(call);
    const id = ++this.#lastId;
    this.#sent.set(id, { generation, call });
    this.#idOfCall.set(call, id);
    this.#inFlight.set(generation, this.inFlight(generation) + 1);
    call.generation = generation;
    call.sends++;
    return id;
  }

  /** Makes a request of the proxy's own; returns its id. */
  ask(ask: Ask, generation: number): number {
    const id = ++this.#lastId;
    this.#sent.set(id, { generation, ask });
    return id;
  }

  /** Who is answered by an id of a server; it is answered once. */
  answered(id: unknown, generation: number): Call | Ask | undefined {
    const entry = this.#sent.get(id as number);
    if (entry?.generation !== generation) return undefined;
    if ("call" in entry) {
      this.end(entry.call);
      return entry.call;
    }
    this.#sent.delete(id as number);
    return entry.ask;
  }

  /** The call that a server knows by an id. */
  callAt(id: unknown, generation: number): Call | undefined {
    const entry = this.#sent.get(id as number);
    return entry?.generation === generation && "call" in entry ? entry.call : undefined;
  }

  byId(id: unknown): Call | undefined {
    return this.#byId.get(id as Id);
  }

  byToken(token: unknown, generation: number): Call | undefined {
    const call = this.#byToken.get(token as Id);
    return call?.generation === generation ? call : undefined;
  }

  /** The id by which the server that has it knows it. */
  idAt(call: Call): number | undefined {
    return this.#idOfCall.get(call);
  }

  /** No server has it any more. */
  release(call: Call): void {
    const id = this.#idOfCall.get(call);
    if (id === undefined || call.generation === undefined) return;
    this.#idOfCall.delete(call);
    this.#sent.delete(id);
    const left = this.inFlight(call.generation) - 1;
    if (left > 0) this.#inFlight.set(call.generation, left);
    else this.#inFlight.delete(call.generation);
    call.generation = undefined;
  }

  /** Nobody waits for it any more. */
  end(call: Call): void {
    this.release(call);
    this.#calls.delete(call);
    if (this.#byId.get(call.id) === call) this.#byId.delete(call.id);
    if (call.token !== undefined && this.#byToken.get(call.token) === call) this.#byToken.delete(call.token);
  }

  /** Takes back what a server had of the client's, and forgets what it was asked besides. */
  lose(generation: number): Call[] {
    const lost: Call[] = [];
    for (const [id, entry] of [...this.#sent]) {
      if (entry.generation !== generation) continue;
      if ("call" in entry) {
        this.release(entry.call);
        lost.push(entry.call);
      } else this.#sent.delete(id);
    }
    return lost;
  }

  /** The requests of the proxy's own without an answer. */
  asks(): Ask[] {
    return [...this.#sent.values()].flatMap((entry) => "ask" in entry ? [entry.ask] : []);
  }

  /** The requests of the proxy's own that were not answered in time; they are forgotten. */
  overdue(nowMs: number): { readonly generation: number; readonly ask: Ask }[] {
    const found: { readonly generation: number; readonly ask: Ask }[] = [];
    for (const [id, entry] of this.#sent) {
      if (!("ask" in entry) || entry.ask.limitMs > nowMs) continue;
      this.#sent.delete(id);
      found.push(entry);
    }
    return found;
  }
}

/** What servers ask the client. */
export class Questions {
  readonly #open = new Map<number, { generation: number; id: Id; token: Id | undefined }>();
  readonly #tokens = new Map<Id, number>();
  #lastId = 0;

  /** How many are not answered. */
  get open(): number {
    return this.#open.size;
  }

  /** Returns the id by which the client is asked. */
  add(generation: number, id: Id, message: Message): number {
    const { progressToken } = metaOf(message);
    const token = isId(progressToken) ? progressToken : undefined;
    this.#open.set(++this.#lastId, { generation, id, token });
    if (token !== undefined) this.#tokens.set(token, generation);
    return this.#lastId;
  }

  /** Who has asked; it is answered once. */
  answered(id: Id): { readonly generation: number; readonly id: Id } | undefined {
    const question = this.#open.get(id as number);
    if (question !== undefined) this.#forget(id as number, question.token);
    return question;
  }

  /** The server whose question has this token. */
  generationOf(token: unknown): number | undefined {
    return this.#tokens.get(token as Id);
  }

  /** A server takes a question back; returns its id. */
  withdrawn(generation: number, id: unknown): number | undefined {
    for (const [ours, question] of this.#open) {
      if (question.generation !== generation || question.id !== id) continue;
      this.#forget(ours, question.token);
      return ours;
    }
    return undefined;
  }

  /** All questions of a server that has gone. */
  lose(generation: number): number[] {
    const lost = [...this.#open].filter(([, question]) => question.generation === generation);
    for (const [id, { token }] of lost) this.#forget(id, token);
    return lost.map(([id]) => id);
  }

  #forget(id: number, token: Id | undefined): void {
    this.#open.delete(id);
    if (token !== undefined) this.#tokens.delete(token);
  }
}
