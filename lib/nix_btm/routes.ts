/** The daemon's state over HTTP: on its control socket for clients, and on a port where one is configured. @module */
import { Hono } from "hono";
import { encodeMessage } from "../ring/mod.ts";
import { errorResponse, guardBrowsers, HttpError } from "../web/mod.ts";
import type { KeptBuilds } from "./kept_builds.ts";
import type { LogStore } from "./log_store.ts";
import type { HostUpdate, Snapshot } from "./publisher.ts";

/** What the routes show. */
export interface RouteSources {
  snapshot(): Snapshot;
  /** Calls `tell` with each update that is published; returns how to stop it. */
  follow(tell: (message: HostUpdate) => void): () => void;
  readonly kept: Pick<KeptBuilds, "history" | "logs" | "logOf">;
  status(): Record<string, unknown>;
  /** Of the daemon, in the format of Prometheus. */
  metrics(): string;
}

const LIMIT_MAX = 1_000;
/** A client of events that reads nothing is let go when so much waits for it; a snapshot of a busy host fits. */
const WAITING_MAX_BYTES = 32 * 2 ** 20;
/** Clients of events at a time. */
const STREAMS_MAX = 64;
/** Clients of events hear so often that the daemon lives; where nothing comes for longer it is gone. */
export const BEAT_MS = 10_000;
/** Nothing has changed. */
const BEAT: HostUpdate = { host: "", update: {} };

/** Routes below `/api/v1`; with a `token` every request has to carry it. */
export function nixRoutes(
  sources: RouteSources,
  { token, beatMs = BEAT_MS }: { readonly token?: string | undefined; readonly beatMs?: number } = {},
): Hono {
  const app = new Hono();
  app.onError(errorResponse);
  app.use(guardBrowsers());
  if (token !== undefined) {
    app.use(async (c, next) => {
      if (c.req.header("authorization") !== `Bearer ${token}`) {
        throw new HttpError(401, "the token is missing or wrong");
      }
      await next();
    });
  }
  app.get("/api/v1/status", (c) => c.json(sources.status()));
  app.get("/api/v1/snapshot", () => bytesResponse(encodeMessage(sources.snapshot())));
  app.get("/api/v1/state", (c) => c.json(plain(sources.snapshot().hosts)));
  const streams = new Set<ReadableStream>();
  app.get("/api/v1/events", (c) => {
    if (streams.size >= STREAMS_MAX) throw new HttpError(503, `${STREAMS_MAX} clients follow already`);
    return eventStream(sources, { streams, signal: c.req.raw.signal, beatMs });
  });
  const { history } = sources.kept;
  app.get("/api/v1/history", (c) => {
    const query = { ...queryOf(c.req.query()), limit: limitOf(c.req.query("limit")) };
    return c.json(readable(() => history.find(query)));
  });
  app.get("/api/v1/statistics", (c) => {
    const limit = limitOf(c.req.query("limit"));
    return c.json(readable(() => history.statistics({ limit })));
  });
  app.get("/api/v1/jobs/:id/log", async (c) => {
    const name = sources.kept.logOf(Number(c.req.param("id")));
    if (name === undefined) throw new HttpError(404, `there is no log of job ${c.req.param("id")}`);
    return c.json(await linesOf(sources.kept.logs, name));
  });
  app.get("/api/v1/logs/:file", async (c) => c.json(await linesOf(sources.kept.logs, c.req.param("file"))));
  app.get("/metrics", (c) => c.text(sources.metrics()));
  app.notFound((c) => c.text(`there is nothing at ${c.req.path}\n`, 404));
  return app;
}

/** A file that is broken, or that another process has for too long. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new HttpError(503, `the history cannot be read: ${error.message}`);
  }
}

async function linesOf(logs: LogStore, name: string): Promise<readonly string[]> {
  try {
    return await logs.read(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new HttpError(404, `the log ${name} is not kept`);
    if (!(error instanceof Error)) throw error;
    throw new HttpError(503, `the log ${name} cannot be read: ${error.message}`);
  }
}

function queryOf({ name, outcome, derivation, before, since }: Record<string, string>) {
  return { name, outcome, derivation, before: numberOf("before", before), sinceMs: numberOf("since", since) };
}

function limitOf(text: string | undefined): number {
  return Math.min(LIMIT_MAX, numberOf("limit", text) ?? 100);
}

function numberOf(what: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new HttpError(400, `${what} is "${text}", expected a whole number`);
}

/** A snapshot, then what changes; JSON in server-sent events. It is among `streams` while it lasts. */
function eventStream(
  { snapshot, follow }: RouteSources,
  { streams, signal, beatMs }: {
    readonly streams: Set<ReadableStream>;
    readonly signal: AbortSignal;
    readonly beatMs: number;
  },
): Response {
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (message: HostUpdate) => {
        if ((controller.desiredSize ?? 0) > 0) return controller.enqueue(eventOf(message));
        stop();
        // What waits for it is let go with it.
        controller.error(new RangeError("the client of events reads too slowly"));
      };
      for (const message of snapshot().hosts) controller.enqueue(eventOf(message));
      const unfollow = follow(send);
      const beating = setInterval(() => send(BEAT), beatMs);
      stop = () => {
        clearInterval(beating);
        unfollow();
        streams.delete(body);
      };
      signal.addEventListener("abort", () => stop(), { once: true });
    },
    cancel: () => stop(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: WAITING_MAX_BYTES }));
  streams.add(body);
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

/** Of a message that goes to many clients there is one. */
const events = new WeakMap<HostUpdate, Uint8Array>();

function eventOf(message: HostUpdate): Uint8Array {
  const known = events.get(message);
  if (known !== undefined) return known;
  const bytes = new TextEncoder().encode(`data: ${JSON.stringify(plain(message))}\n\n`);
  events.set(message, bytes);
  return bytes;
}

function bytesResponse(bytes: Uint8Array): Response {
  return new Response(new Uint8Array(bytes), { headers: { "content-type": "application/cbor" } });
}

/** What JSON cannot say is said in digits. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each) => typeof each === "bigint" ? String(each) : each));
}
