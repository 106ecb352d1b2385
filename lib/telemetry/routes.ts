/**
 * The agent's HTTP endpoints, as upstream's: read-only, so that they need no token.
 *
 * A body is encoded once a snapshot and format, and compressed only as far as a scrape's size is worth: level 1 of
 * gzip and zstd, since a body lives for one answer.
 * @module
 */
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { Hono } from "hono";
import type { EventLog } from "../events/mod.ts";
import { encodeSnapshotJson, encodeSnapshotV2, encodeSnapshotV3, type Snapshot } from "../metrics/mod.ts";
import { errorResponse, guardBrowsers } from "../web/mod.ts";
import type { Agent } from "./agent.ts";
import { PIECE_BYTES, streamBody } from "./body_stream.ts";
import type { SystemInfo } from "./systeminfo.ts";

type Version = "v2" | "v3";
type Encoding = "identity" | "gzip" | "zstd";

/** Bodies below are sent as they are. */
const COMPRESS_FROM_BYTES = 1_024;

/** What the endpoints show. */
export interface AgentRoutesOptions {
  readonly agent: Agent;
  readonly format: Version;
  readonly systemInfo: () => SystemInfo | undefined;
  /** What other programs told of; without it there is no such page. */
  readonly events?: EventLog | undefined;
  /** Whether foreign pages are kept away: on loopback. Elsewhere hosts are scraped by names that we cannot know. */
  readonly guarded: boolean;
}

/** The application that answers for an agent. */
export function agentRoutes({ agent, format, systemInfo, events, guarded }: AgentRoutesOptions): Hono {
  const app = new Hono();
  app.onError((error) => errorResponse(error));
  if (guarded) app.use(guardBrowsers());
  app.get("/", (c) =>
    c.text(
      `Rezolus ${agent.version} agent (hostkit)\n\n` +
        "/metrics/binary       snapshot as MessagePack (?format=v2|v3)\n" +
        "/metrics/json         snapshot as JSON (?format=v2|v3)\n" +
        "/metrics/descriptions help by metric name\n" +
        "/events               what other programs told of, as JSON (?since=ID)\n" +
        "/systeminfo           hardware of this host\n" +
        "/samplers             samplers and their state\n" +
        "/status               state of every sampler and BPF program\n",
    ));

  const bodies = new BodyCache();
  app.get("/metrics/binary", (c) => {
    const version = wanted(c.req.query("format"), format);
    const snapshot = agent.snapshot();
    return bodies.respond(snapshot, `binary ${version}`, encodingOf(c.req.header("accept-encoding")), () => ({
      type: "application/msgpack",
      bytes: version === "v2" ? encodeSnapshotV2(snapshot) : encodeSnapshotV3(snapshot),
    }));
  });
  app.get("/metrics/json", (c) => {
    const version = wanted(c.req.query("format"), format);
    const snapshot = agent.snapshot();
    return bodies.respond(snapshot, `json ${version}`, encodingOf(c.req.header("accept-encoding")), () => ({
      type: "application/json",
      bytes: TEXT.encode(encodeSnapshotJson(snapshot, version === "v2" ? 2 : 3)),
    }));
  });
  app.get("/metrics/descriptions", (c) => c.json(agent.descriptions()));
  app.get("/events", (c) => {
    if (events === undefined) return c.json({ error: "this agent takes no events" }, 404);
    const since = c.req.query("since") ?? "0";
    if (!/^\d{1,16}$/.test(since)) {
      return c.json({ error: `since is "${since.slice(0, 40)}", expected the number of an event` }, 400);
    }
    const { taken: _taken, kept: _kept, ...counts } = events.counts;
    return c.json({ ...events.since(Number(since), Date.now()), ...counts });
  });
  app.get("/systeminfo", (c) => {
    const info = systemInfo();
    return info === undefined
      ? c.json({ error: "this host tells nothing of itself" }, 404)
      : c.json({ ...info });
  });
  app.get(
    "/samplers",
    (c) =>
      c.json(
        agent.status().samplers.map(({ name, state, reason }) => ({
          name,
          state,
          ...(reason ? { reason } : {}),
        })),
      ),
  );
  app.get("/status", (c) => c.json(agent.status()));
  return app;
}

const TEXT = new TextEncoder();

function wanted(query: string | undefined, usual: Version): Version {
  if (query === undefined || query === "v2" || query === "v3") return query ?? usual;
  throw new RangeError(`Cannot encode snapshot: format is "${query}", this agent has v2 and v3`);
}

/** The best encoding that the client takes; zstd is both smaller and faster than gzip. */
export function encodingOf(accept: string | undefined): Encoding {
  const taken = (name: string) => {
    const q = new RegExp(`(?:^|,)\\s*${name}\\s*(?:;\\s*q=([\\d.]+)\\s*)?(?:,|$)`, "i").exec(accept ?? "");
    return q !== null && Number(q[1] ?? 1) > 0;
  };
  return taken("zstd") ? "zstd" : taken("gzip") ? "gzip" : "identity";
}

/** Bodies of the newest snapshot, by format and encoding. */
class BodyCache {
  #snapshot: Snapshot | undefined;
  readonly #plain = new Map<string, { type: string; bytes: Uint8Array<ArrayBuffer> }>();
  readonly #packed = new Map<string, Uint8Array<ArrayBuffer>>();

  respond(
    snapshot: Snapshot,
    key: string,
    encoding: Encoding,
    make: () => { type: string; bytes: Uint8Array<ArrayBuffer> },
  ): Response {
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#plain.clear();
      this.#packed.clear();
    }
    let body = this.#plain.get(key);
    if (body === undefined) this.#plain.set(key, body = make());
    const headers: Record<string, string> = { "content-type": body.type, vary: "accept-encoding" };
    if (encoding === "identity" || body.bytes.length < COMPRESS_FROM_BYTES) {
      return answer(body.bytes, headers);
    }
    let packed = this.#packed.get(`${key} ${encoding}`);
    if (packed === undefined) this.#packed.set(`${key} ${encoding}`, packed = pack(body.bytes, encoding));
    return answer(packed, { ...headers, "content-encoding": encoding });
  }
}

/** Large bodies go out in pieces, so that clients which do not read them cost little. */
function answer(bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Response {
  if (bytes.length <= PIECE_BYTES) return new Response(bytes, { headers });
  return new Response(streamBody(bytes), { headers: { ...headers, "content-length": String(bytes.length) } });
}

function pack(bytes: Uint8Array<ArrayBuffer>, encoding: "gzip" | "zstd"): Uint8Array<ArrayBuffer> {
  const packed = encoding === "gzip"
    ? gzipSync(bytes, { level: 1 })
    : zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return new Uint8Array(packed.buffer as ArrayBuffer, packed.byteOffset, packed.byteLength);
}
