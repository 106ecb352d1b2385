/** A run with agents and a clock of the test's own. @module */
import { StatusError } from "../../lib/agent_client/mod.ts";
import { encodeSnapshotV3, type Snapshot } from "../../lib/metrics/mod.ts";
import {
  type Endpoint,
  inlineSealer,
  type RecordClock,
  type RecordOptions,
  type RecordResult,
  runRecord,
  type SnapshotSource,
} from "../../lib/recording/mod.ts";

/** A clock that goes on to the next moment somebody waits for, when nobody has anything else to do. */
export class SharedClock implements RecordClock {
  now = 1_700_000_000_250;
  #waiting: { readonly atMs: number; readonly wake: () => void }[] = [];
  #scheduled = false;
  nowMs = () => this.now;
  monotonicNs = () => BigInt(this.now) * 1_000_000n;
  sleepUntil = (atMs: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ atMs, wake: resolve });
    if (!this.#scheduled) setTimeout(this.#goOn, 0);
    this.#scheduled = true;
    return promise;
  };
  #goOn = () => {
    this.#scheduled = false;
    this.now = Math.max(this.now, Math.min(...this.#waiting.map(({ atMs }) => atMs)));
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.now);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > this.now);
    for (const { wake } of due) wake();
    if (this.#waiting.length > 0 && !this.#scheduled) {
      this.#scheduled = true;
      setTimeout(this.#goOn, 0);
    }
  };
}

/** An agent; `look` gives the snapshot of the n-th asking, or what goes wrong. */
export function agent(
  host: string,
  look: (asking: number) => Snapshot | Error | Promise<never>,
): SnapshotSource {
  let asked = 0;
  return {
    async get(path) {
      if (path === "/systeminfo") return new TextEncoder().encode(`{"hostname":"${host}"}`);
      if (path === "/samplers") return new TextEncoder().encode(`[{"name":"cpu","state":"ok"}]`);
      if (path !== "/metrics/binary") throw new StatusError(path, 404);
      const found = await look(asked++);
      if (found instanceof Error) throw found;
      return encodeSnapshotV3(found);
    },
    [Symbol.dispose]: () => {},
  };
}

/** What is recorded, by the endpoints' URLs. */
export interface Setting extends Partial<RecordOptions> {
  readonly output: string;
  readonly sources: Readonly<Record<string, SnapshotSource>>;
}

/** Records half a minute; `lines` is what people are told. */
export function record(
  { sources, ...options }: Setting,
): { readonly lines: string[]; readonly result: Promise<RecordResult> } {
  const lines: string[] = [];
  const endpoints: Endpoint[] = options.endpoints?.slice() ?? Object.keys(sources).map((url) => ({ url }));
  const result = runRecord({
    clock: new SharedClock(),
    sealer: inlineSealer(),
    durationMs: 30_000,
    log: (line, level) => level === "info" && lines.push(line),
    connect: ({ url }) => sources[url]!,
    ...options,
    endpoints,
  }, new AbortController().signal);
  return { lines, result };
}
