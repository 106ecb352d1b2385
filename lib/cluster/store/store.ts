/**
 * What the cluster keeps its state in: keys in order, each change with the next revision of the whole, transactions on
 * conditions, leases that take their keys along, and watches that go on from any revision that is kept. etcd has it by
 * nature (`etcd.ts`), SQLite is made to (`sqlite.ts`); one suite of tests holds for both.
 * @module
 */

/** A key as it is, or was. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Of its last change; counts from 1. */
  readonly revision: number;
  /** Of the change that made it. */
  readonly created: number;
  /** With which it goes. */
  readonly lease?: string;
}

/** What must be for a transaction to be done. */
export type Condition =
  | { readonly key: string; readonly is: "absent" }
  /** It was not changed since. */
  | { readonly key: string; readonly revision: number };

/** What a transaction does. */
export type Write =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  /** Nothing happens where there is no such key. */
  | { readonly delete: string };

/** All or nothing. */
export interface Transaction {
  readonly when?: readonly Condition[];
  readonly then: readonly Write[];
}

/** What became of a transaction. */
export type Committed =
  | { readonly ok: true; readonly revision: number }
  /** Nothing was done: what the keys of the conditions are instead, so that it can be tried again at once. */
  | {
    readonly ok: false;
    readonly revision: number;
    readonly found: ReadonlyMap<string, Entry | undefined>;
  };

/** Part of a list, in the order of its keys. */
export interface Page {
  readonly entries: readonly Entry[];
  /** At which all of it was so. */
  readonly revision: number;
  /** Whether there are more behind it. */
  readonly more: boolean;
}

/** Which part of a list. */
export interface PageOptions {
  /** Only keys behind this one. */
  readonly after?: string;
  /** At most so many; `PAGE_LIMIT` when left out. */
  readonly limit?: number;
  /** As it was then. */
  readonly revision?: number;
}

/** What happened to a key. */
export type Change =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "deleted"; readonly key: string; readonly revision: number };

/** All that one revision has changed below a prefix. */
export interface Changes {
  readonly revision: number;
  readonly changes: readonly Change[];
}

/** How long somebody who is not heard of is taken to live. */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
}

/** Writes of one transaction, as etcd limits them. */
export const WRITES_LIMIT = 128;
/** Characters of a value; etcd takes 1.5 MB a request. */
export const VALUE_LIMIT = 1 << 20;
export const PAGE_LIMIT = 1_000;

/** Why the store did not do what it was asked for. */
export type StoreProblem =
  /** Nothing was done; it may be there again soon. */
  | "unavailable"
  /** Nobody knows whether it was done: look, or repeat what is guarded by its conditions. */
  | "unknown"
  /** What is asked for lies before what is kept: list anew, and watch from there. */
  | "compacted"
  /** There is no such lease any more. */
  | "no lease"
  /** It can never be done. */
  | "refused";

/** A failure of the store, not of a condition. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly problem: StoreProblem;

  constructor(message: string, problem: StoreProblem, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** All methods throw {@linkcode StoreError}. */
export interface Store extends AsyncDisposable {
  get(key: string): Promise<Entry | undefined>;
  list(prefix: string, options?: PageOptions): Promise<Page>;
  commit(transaction: Transaction): Promise<Committed>;
  /**
   * What happens to keys with a prefix, each revision once and in order, until the signal fires; then it just ends.
   * @param after The revision from which on: that of a list, for all that came behind it.
   */
  watch(
    prefix: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<Changes>;
  /** A lease that runs out when it is not renewed for so long; its keys are deleted then, in one revision. */
  grant(ttlMs: number): Promise<Lease>;
  /** It runs from now on anew. */
  renew(lease: Lease): Promise<void>;
  /** Its keys are deleted. Nothing happens when it has run out. */
  revoke(lease: Lease): Promise<void>;
  /** Forgets what was before a revision. */
  compact(revision: number): Promise<void>;
}

/** All keys with a prefix as they were at one revision, a page at a time. */
export async function* pagesOf(
  store: Pick<Store, "list">,
  prefix: string,
  { limit = PAGE_LIMIT }: { readonly limit?: number } = {},
): AsyncGenerator<Page> {
  let page = await store.list(prefix, { limit });
  yield page;
  while (page.more) {
    const after = page.entries.at(-1)!.key;
    page = await store.list(prefix, { limit, after, revision: page.revision });
    yield page;
  }
}

/** @throws {StoreError} When a transaction can be none of any store. */
export function checkTransaction({ when = [], then }: Transaction): void {
  const keys = then.map((write) => "put" in write ? write.put : write.delete);
  const refuse = (message: string): never => {
    throw new StoreError(`Cannot commit: ${message}`, "refused");
  };
  if (then.length > WRITES_LIMIT || when.length > WRITES_LIMIT) {
    refuse(`${Math.max(then.length, when.length)} writes or conditions, at most ${WRITES_LIMIT} are taken`);
  }
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) refuse(`"${twice}" is written twice`);
  for (const write of then) {
    if ("put" in write && write.value.length > VALUE_LIMIT) {
      refuse(
        `the value of "${write.put}" has ${write.value.length} characters, at most ${VALUE_LIMIT} are taken`,
      );
    }
  }
}

/** The first key behind all that begin with a prefix. */
export function endOf(prefix: string): string {
  // Keys are of ASCII, where the next character is the next key.
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
