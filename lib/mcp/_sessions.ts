/** Sessions of clients of 2025 and before over HTTP: bounded in number, and ended when nobody uses them. @module */
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { Engine } from "./_engine.ts";
import { HouseServer } from "./_server.ts";
import { boundUnread } from "./unread.ts";

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  usedMs: number;
  /** Requests that are being answered: a session with a stream open is in use however long it is silent. */
  active: number;
}

/** All sessions of one server, the one unused for the longest time first. */
export class Sessions implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, Session>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Answers a request of a session, or the one that begins it; `undefined` when there is no such session. */
  async handle(
    request: Request,
    id: string | undefined,
    parsedBody: unknown,
    nowMs: number,
  ): Promise<Response | undefined> {
    this.#expire(nowMs);
    const session = id === undefined ? await this.#begin(nowMs) : this.#sessions.get(id);
    if (session === undefined) return undefined;
    this.#use(id, session, nowMs);
    session.active++;
    const response = await session.transport.handleRequest(request, { parsedBody });
    return boundUnread(response, this.#engine.limits.unreadBytes, () => session.active--);
  }

  async #begin(nowMs: number): Promise<Session> {
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      keepAliveMs: this.#engine.limits.heartbeatMs,
      onsessioninitialized: (id) => {
        this.#makeRoom();
        this.#sessions.set(id, session);
      },
      onsessionclosed: (id) => void this.#sessions.delete(id),
    });
    const session: Session = { transport, usedMs: nowMs, active: 0 };
    await new HouseServer(this.#engine, "legacy").connect(transport);
    return session;
  }

  #use(id: string | undefined, session: Session, nowMs: number): void {
    session.usedMs = nowMs;
    if (id === undefined) return;
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
  }

  #expire(nowMs: number): void {
    for (const [id, session] of this.#sessions) {
      if (session.usedMs > nowMs - this.#engine.limits.sessionIdleMs) return;
      if (session.active === 0) this.#end(id, session);
    }
  }

  #makeRoom(): void {
    if (this.#sessions.size < this.#engine.limits.sessions) return;
    const all = [...this.#sessions];
    const [id, session] = all.find(([, { active }]) => active === 0) ?? all[0]!;
    this.#end(id, session);
  }

  #end(id: string, { transport }: Session): void {
    this.#sessions.delete(id);
    transport.close().catch(this.#engine.onError);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(all.map(({ transport }) => transport.close()));
  }
}
