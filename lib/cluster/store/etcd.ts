/** The store of a cluster: etcd, of one member or several. @module */
import { Buffer } from "node:buffer";
import { noop } from "cockatiel";
import { Etcd3, type IKeyValue, type IWatchResponse } from "etcd3";
import { abortable, deadline, sleep } from "../../async/mod.ts";
import {
  type Change,
  type Changes,
  checkTransaction,
  type Committed,
  type Condition,
  endOf,
  type Entry,
  type Lease,
  type Page,
  PAGE_LIMIT,
  type PageOptions,
  type Store,
  StoreError,
  type Transaction,
  type Write,
} from "./store.ts";

/** Certificates in PEM, as etcd's `--trusted-ca-file` and its fellows want them. */
export interface EtcdTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where the members are. */
export interface EtcdOptions {
  /** `http://10.0.0.1:2379`, or `https://…` with `tls`. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
}

/**
 * A call that takes longer is given up. Without it a request that a dying leader took along is told after etcd's own
 * 7 s (measured; 2 s with this).
 */
const CALL_MS = 1_000;
/** A member that does not answer may not be the one that the next try meets. */
const TRIES = 5;
const PAUSE_MS = 200;
/** 1,000 values of nearly a kilobyte are more than gRPC's 4 MiB. */
const ANSWER_BYTES = 64 << 20;

export class EtcdStore implements Store {
  readonly #client: Etcd3;
  #alive: KeepAlive | undefined;
  readonly #closed = new AbortController();

  constructor({ endpoints, tls }: EtcdOptions) {
    this.#client = new Etcd3({
      hosts: [...endpoints],
      ...tls === undefined ? {} : { credentials: credentialsOf(tls) },
      grpcOptions: { "grpc.max_receive_message_length": ANSWER_BYTES },
      defaultCallOptions: ({ isStream }) => isStream ? {} : { deadline: Date.now() + CALL_MS },
      // It would send a transaction again of which nobody knows whether it was done.
      faultHandling: { global: noop, host: () => noop },
    });
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.#look(`get "${key}"`, () => this.#client.kv.range({ key: Buffer.from(key) }));
    return kvs[0] && entryOf(kvs[0]);
  }

  async list(prefix: string, { after, limit = PAGE_LIMIT, revision = 0 }: PageOptions = {}): Promise<Page> {
    const request = {
      key: Buffer.from(after === undefined ? prefix : `${after}\0`),
      range_end: Buffer.from(endOf(prefix)),
      limit,
      revision,
    };
    const { kvs, more, header } = await this.#look(`list "${prefix}"`, () => this.#client.kv.range(request));
    return { entries: kvs.map(entryOf), revision: revision || Number(header.revision), more };
  }

  async commit(transaction: Transaction): Promise<Committed> {
    checkTransaction(transaction);
    const { when = [], then } = transaction;
    const request = {
      compare: when.map(compareOf),
      success: then.map(requestOf),
      failure: when.map(({ key }) => ({ request_range: { key: Buffer.from(key) } })),
    };
    const { succeeded, header, responses } = await this.#ask(
      "commit",
      () => this.#client.kv.txn(request),
      "unknown",
    );
    const revision = Number(header.revision);
    if (succeeded) return { ok: true, revision };
    const found = new Map(when.map(({ key }, at) => {
      const entry = responses[at]?.response_range?.kvs[0];
      return [key, entry && entryOf(entry)];
    }));
    return { ok: false, revision, found };
  }

  async *watch(
    prefix: string,
    { after, signal }: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<Changes> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    for (let seen = after; !ended.aborted;) {
      try {
        for await (const changes of this.#watchOnce(prefix, seen, ended)) {
          seen = changes.revision;
          yield changes;
        }
      } catch (error) {
        if (ended.aborted) return;
        const failure = failureOf(`watch "${prefix}"`, error, "unavailable");
        if (failure.problem !== "unavailable") throw failure;
      }
      // It goes on where it was, at a member that is there.
      await sleep(PAUSE_MS, { signal: ended }).catch(() => "The loop ends.");
    }
  }

  async grant(ttlMs: number): Promise<Lease> {
    const request = { TTL: Math.ceil(ttlMs / 1_000) };
    const { ID: id, TTL: seconds } = await this.#ask(
      "grant a lease",
      () => this.#client.leaseClient.leaseGrant(request),
      "unknown",
    );
    return { id, ttlMs: Number(seconds) * 1_000 };
  }

  async renew(lease: Lease): Promise<void> {
    this.#alive ??= new KeepAlive(this.#client, () => this.#alive = undefined);
    using limit = deadline(CALL_MS, this.#closed.signal);
    let seconds: number;
    try {
      seconds = await abortable(this.#alive.renew(lease.id), limit.signal);
    } catch (error) {
      throw failureOf(`renew lease ${lease.id}`, error, "unavailable");
    }
    if (seconds <= 0) throw new StoreError(`Cannot renew lease ${lease.id}: it has run out`, "no lease");
  }

  async revoke({ id }: Lease): Promise<void> {
    try {
      await this.#ask("revoke a lease", () => this.#client.leaseClient.leaseRevoke({ ID: id }), "unknown");
    } catch (error) {
      if (!(error instanceof StoreError) || error.problem !== "no lease") throw error;
    }
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#ask("compact", () => this.#client.kv.compact({ revision: `${revision}` }), "unknown");
    } catch (error) {
      // Somebody has done it.
      if (!(error instanceof StoreError) || error.problem !== "compacted") throw error;
    }
  }

  // deno-lint-ignore require-await -- the interface's
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new StoreError("The store is closed", "unavailable"));
    this.#alive?.end();
    this.#client.close();
  }

  /** What changes nothing is tried again. */
  async #look<T>(what: string, ask: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#ask(what, ask, "unavailable");
      } catch (error) {
        const isPassing = error instanceof StoreError && error.problem === "unavailable";
        if (!isPassing || tries === TRIES) throw error;
        await sleep(PAUSE_MS, { signal: this.#closed.signal });
      }
    }
  }

  /** @param lost What a connection that breaks leaves behind. */
  async #ask<T>(what: string, ask: () => Promise<T>, lost: "unavailable" | "unknown"): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw failureOf(what, error, lost);
    }
  }

  async *#watchOnce(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<Changes> {
    const stream = await this.#client.watchClient.watch();
    // The library types less of it than there is.
    const readable = stream as unknown as AsyncIterable<IWatchResponse>;
    const leave = () => stream.cancel();
    signal.addEventListener("abort", leave, { once: true });
    try {
      stream.write({
        create_request: {
          key: Buffer.from(prefix),
          range_end: Buffer.from(endOf(prefix)),
          start_revision: after + 1,
        },
      });
      for await (const { canceled, compact_revision: kept, cancel_reason: reason, events } of readable) {
        if (canceled) {
          if (Number(kept) === 0) throw new StoreError(`Cannot watch "${prefix}": ${reason}`, "unavailable");
          throw new StoreError(
            `Cannot watch "${prefix}" from revision ${after}: what was before ${kept} is compacted, list anew`,
            "compacted",
          );
        }
        for (const changes of byRevision(events)) {
          if (changes.revision > after) yield changes;
        }
      }
    } finally {
      signal.removeEventListener("abort", leave);
      stream.cancel();
    }
  }
}

/** One stream renews all leases. */
class KeepAlive {
  readonly #stream: ReturnType<Etcd3["leaseClient"]["leaseKeepAlive"]>;
  readonly #waiting = new Map<string, PromiseWithResolvers<number>>();

  /** @param ended It is of no use any more. */
  constructor(client: Etcd3, ended: () => void) {
    this.#stream = client.leaseClient.leaseKeepAlive();
    const fail = (error: unknown) => {
      ended();
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#stream.then((stream) => {
      stream.on("data", ({ ID: id, TTL: seconds }) => {
        this.#waiting.get(id)?.resolve(Number(seconds));
        this.#waiting.delete(id);
      });
      stream.on("error", fail);
      stream.on("end", () => fail(new Error("the stream has ended")));
    }).catch(fail);
  }

  /** Seconds that the lease has from now on; 0 when it has run out. */
  async renew(id: string): Promise<number> {
    let waiting = this.#waiting.get(id);
    if (waiting === undefined) {
      this.#waiting.set(id, waiting = Promise.withResolvers());
      // Whoever has stopped waiting hears of nothing.
      waiting.promise.catch(() => "Told to whoever waits.");
      (await this.#stream).write({ ID: id });
    }
    return await waiting.promise;
  }

  end(): void {
    this.#stream.then((stream) => stream.cancel(), () => "It never began.");
  }
}

function credentialsOf({ ca, cert, key }: EtcdTls) {
  return {
    rootCertificate: Buffer.from(ca),
    ...cert === undefined ? {} : { certChain: Buffer.from(cert) },
    ...key === undefined ? {} : { privateKey: Buffer.from(key) },
  };
}

function compareOf(condition: Condition) {
  const key = Buffer.from(condition.key);
  return "is" in condition
    ? { key, target: "Version" as const, result: "Equal" as const, version: 0 }
    : { key, target: "Mod" as const, result: "Equal" as const, mod_revision: condition.revision };
}

function requestOf(write: Write) {
  if ("delete" in write) return { request_delete_range: { key: Buffer.from(write.delete) } };
  const { put: key, value, lease } = write;
  return {
    request_put: {
      key: Buffer.from(key),
      value: Buffer.from(value),
      ...lease === undefined ? {} : { lease },
    },
  };
}

function entryOf({ key, value, mod_revision, create_revision, lease }: IKeyValue): Entry {
  return {
    key: key.toString(),
    value: value.toString(),
    revision: Number(mod_revision),
    created: Number(create_revision),
    ...lease === "0" ? {} : { lease },
  };
}

function byRevision(events: IWatchResponse["events"]): Changes[] {
  const found = new Map<number, Change[]>();
  for (const { type, kv } of events) {
    const entry = entryOf(kv);
    const changes = found.get(entry.revision) ?? [];
    found.set(entry.revision, changes);
    const { key, revision } = entry;
    changes.push(type === "Delete" ? { kind: "deleted", key, revision } : { kind: "put", entry });
  }
  return [...found].map(([revision, changes]) => ({ revision, changes }));
}

/** etcd's words for what can be told apart (api/v3rpc/rpctypes/error.go of etcd 3.4). */
const PROBLEMS = [
  [/required revision has been compacted/, "compacted"],
  [/requested lease not found/, "no lease"],
  [/future revision|too many operations|duplicate key|request is too large|invalid argument/i, "refused"],
  [/permission denied|authentication failed|invalid auth token|certificate/i, "refused"],
  // Of these nothing has come to the log.
  [/no leader|too many requests|No connection established|ECONNREFUSED|not capable/i, "unavailable"],
] as const;

function failureOf(what: string, cause: unknown, lost: "unavailable" | "unknown"): StoreError {
  if (cause instanceof StoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const problem = PROBLEMS.find(([words]) => words.test(reason))?.[1] ?? lost;
  return new StoreError(`Cannot ${what} in etcd: ${reason}`, problem, { cause });
}
