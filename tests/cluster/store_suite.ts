/** What holds for every store. @module */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  type Change,
  type Changes,
  pagesOf,
  type Store,
  StoreError,
  type StoreProblem,
  VALUE_LIMIT,
  type Write,
} from "../../lib/cluster/store/mod.ts";
import { seededRandom } from "../metrics/seeded.ts";

/** One kind of store, and how a member of it is made; each has keys of its own. */
export interface StoreKind {
  readonly name: string;
  readonly ignore?: boolean;
  /** The shortest lease that it knows. */
  readonly leastTtlMs: number;
  open(): Promise<{ readonly store: Store; readonly prefix: string } & AsyncDisposable>;
}

const problem = (wanted: StoreProblem) => (error: unknown) => {
  ok(error instanceof StoreError, String(error));
  strictEqual(error.problem, wanted, error.message);
  return true;
};

function keyOf(change: Change): string {
  return change.kind === "put" ? `${change.entry.key}=${change.entry.value}` : `-${change.key}`;
}

/** The next changes of a watch, as many as are asked for. */
export async function next(watch: AsyncIterator<Changes>, count: number): Promise<Changes[]> {
  const found: Changes[] = [];
  while (found.length < count) {
    const { value, done } = await watch.next();
    ok(!done, `the watch ended after ${found.length} of ${count}`);
    found.push(value);
  }
  return found;
}

export function storeSuite({ name, ignore = false, leastTtlMs, open }: StoreKind): void {
  function test(what: string, fn: (store: Store, prefix: string) => Promise<void>): void {
    Deno.test({
      name: `${name}: ${what}`,
      ignore,
      // What a client of a server keeps open is its own.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        await using opened = await open();
        await fn(opened.store, opened.prefix);
      },
    });
  }

  test("a key has the value and the revision of its last change, and that of its first", async (store, p) => {
    strictEqual(await store.get(`${p}a`), undefined);
    const first = await store.commit({ then: [{ put: `${p}a`, value: "1" }] });
    const second = await store.commit({
      then: [{ put: `${p}a`, value: "2 ü" }, { put: `${p}b`, value: "" }],
    });
    ok(first.ok && second.ok && second.revision > first.revision);
    deepStrictEqual(await store.get(`${p}a`), {
      key: `${p}a`,
      value: "2 ü",
      revision: second.revision,
      created: first.revision,
    });
    await store.commit({ then: [{ delete: `${p}a` }] });
    strictEqual(await store.get(`${p}a`), undefined);
    const again = await store.commit({ then: [{ put: `${p}a`, value: "3" }] });
    strictEqual((await store.get(`${p}a`))?.created, again.revision);
  });

  test("a transaction is done as a whole when its conditions hold, and not at all else", async (store, p) => {
    const made = await store.commit({
      when: [{ key: `${p}a`, is: "absent" }],
      then: [{ put: `${p}a`, value: "1" }, { put: `${p}b`, value: "1" }],
    });
    ok(made.ok);
    const again = await store.commit({
      when: [{ key: `${p}a`, is: "absent" }, { key: `${p}none`, is: "absent" }],
      then: [{ put: `${p}a`, value: "2" }, { delete: `${p}b` }],
    });
    ok(!again.ok);
    deepStrictEqual([...again.found].map(([key, entry]) => [key, entry?.value]), [[`${p}a`, "1"], [
      `${p}none`,
      undefined,
    ]]);
    const { revision } = (await store.get(`${p}a`))!;
    const stale = { when: [{ key: `${p}a`, revision: revision - 1 }], then: [{ delete: `${p}a` }] };
    ok(!(await store.commit(stale)).ok);
    const fresh = {
      when: [{ key: `${p}a`, revision }],
      then: [{ put: `${p}a`, value: "2" }, { delete: `${p}b` }],
    };
    ok((await store.commit(fresh)).ok);
    const { entries } = await store.list(p);
    deepStrictEqual(entries.map(({ key, value }) => [key, value]), [[`${p}a`, "2"]]);
  });

  test("of many who want the same key at once one gets it", async (store, p) => {
    const tries = await Promise.all(
      Array.from(
        { length: 20 },
        (_, at) =>
          store.commit({
            when: [{ key: `${p}leader`, is: "absent" }],
            then: [{ put: `${p}leader`, value: `${at}` }],
          }),
      ),
    );
    const winners = tries.flatMap(({ ok: isDone }, at) => isDone ? [at] : []);
    deepStrictEqual([winners.length, (await store.get(`${p}leader`))?.value], [1, `${winners[0]}`]);
  });

  test("a list comes in pages as it was at one revision, whatever happens between them", async (store, p) => {
    const keys = Array.from({ length: 25 }, (_, at) => `${p}k/${String(at).padStart(3, "0")}`);
    for (const key of keys) await store.commit({ then: [{ put: key, value: "old" }] });
    await store.commit({
      then: [{ put: `${p}k`, value: "no part of it" }, { put: `${p}l`, value: "nor this" }],
    });
    const pages = pagesOf(store, `${p}k/`, { limit: 10 });
    const found: [string, string][] = [];
    for (let at = 0;; at++) {
      const { value: page, done } = await pages.next();
      if (done) break;
      found.push(...page.entries.map(({ key, value }): [string, string] => [key, value]));
      await store.commit({
        then: [{ delete: keys[at]! }, { put: keys[20 + at]!, value: "new" }, {
          put: `${p}k/01${at}x`,
          value: "new",
        }],
      });
    }
    deepStrictEqual(found, keys.map((key) => [key, "old"]));
    const { entries, more } = await store.list(`${p}k/`, { after: keys[23]!, limit: 1 });
    deepStrictEqual([entries.map(({ key }) => key), more], [[keys[24]], false]);
  });

  test("a watch tells each revision once and in order, from any that is kept", async (store, p) => {
    const { revision: before } = await store.list(p);
    for (const value of ["1", "2"]) await store.commit({ then: [{ put: `${p}a`, value }] });
    await store.commit({ then: [{ put: `${p}b`, value: "1" }, { delete: `${p}a` }, { delete: `${p}none` }] });
    using ended = new Ended();
    const watch = store.watch(p, { after: before, signal: ended.signal })[Symbol.asyncIterator]();
    const past = await next(watch, 3);
    deepStrictEqual(past.map(({ changes }) => changes.map(keyOf).sort()), [
      [`${p}a=1`],
      [`${p}a=2`],
      [`-${p}a`, `${p}b=1`],
    ]);
    ok(past[0]!.revision < past[1]!.revision && past[1]!.revision < past[2]!.revision);
    const waiting = watch.next();
    await store.commit({ then: [{ put: `${p}c`, value: "1" }] });
    deepStrictEqual((await waiting).value.changes.map(keyOf), [`${p}c=1`]);
    using other = new Ended();
    const behind = store.watch(`${p}b`, { after: past[1]!.revision, signal: other.signal })
      [Symbol.asyncIterator]();
    deepStrictEqual((await next(behind, 1))[0]!.changes.map(keyOf), [`${p}b=1`]);
    const last = behind.next();
    other.end();
    strictEqual((await last).done, true);
  });

  test("what is compacted cannot be listed or watched, what came after it can", async (store, p) => {
    const commit = async (value: string) =>
      (await store.commit({ then: [{ put: `${p}a`, value }] })).revision;
    const [first, second] = [await commit("1"), await commit("2")];
    await store.commit({ then: [{ put: `${p}gone`, value: "1" }] });
    const { revision } = await store.commit({ then: [{ delete: `${p}gone` }] });
    await store.compact(revision);
    await rejects(store.list(p, { revision: first }), problem("compacted"));
    using ended = new Ended();
    const watch = (after: number) => store.watch(p, { after, signal: ended.signal })[Symbol.asyncIterator]();
    await rejects(watch(first).next(), problem("compacted"));
    const third = await commit("3");
    deepStrictEqual((await next(watch(revision), 1))[0]!.changes.map(keyOf), [`${p}a=3`]);
    const then = await store.list(p, { revision });
    deepStrictEqual(then.entries.map(({ value, revision }) => [value, revision]), [["2", second]]);
    deepStrictEqual((await store.list(p)).entries.map(({ revision }) => revision), [third]);
  });

  test(
    "keys go with their lease when it runs out or is revoked, and stay while it is renewed",
    async (store, p) => {
      const [short, long, revoked] = [
        await store.grant(leastTtlMs),
        await store.grant(3_600_000),
        await store.grant(3_600_000),
      ];
      const { revision } = await store.commit({
        then: [
          { put: `${p}short`, value: "1", lease: short.id },
          { put: `${p}long`, value: "1", lease: long.id },
          { put: `${p}moved`, value: "1", lease: short.id },
          { put: `${p}revoked`, value: "1", lease: revoked.id },
        ],
      });
      strictEqual((await store.get(`${p}short`))?.lease, short.id);
      await store.commit({ then: [{ put: `${p}moved`, value: "2" }] });
      await store.renew(long);
      await store.revoke(revoked);
      using ended = new Ended();
      const watch = store.watch(p, { after: revision, signal: ended.signal })[Symbol.asyncIterator]();
      deepStrictEqual((await next(watch, 3)).flatMap(({ changes }) => changes.map(keyOf)), [
        `${p}moved=2`,
        `-${p}revoked`,
        `-${p}short`,
      ]);
      deepStrictEqual((await store.list(p)).entries.map(({ key }) => key), [`${p}long`, `${p}moved`]);
      await rejects(store.renew(short), problem("no lease"));
      await store.revoke(short);
      const late = store.commit({ then: [{ put: `${p}x`, value: "1", lease: short.id }] });
      await rejects(late, problem("no lease"));
      strictEqual(await store.get(`${p}x`), undefined);
    },
  );

  test("what no store can do is refused before anything is done", async (store, p) => {
    const twice = [{ put: `${p}a`, value: "1" }, { delete: `${p}a` }] as const;
    await rejects(store.commit({ then: twice }), problem("refused"));
    const many = Array.from({ length: 129 }, (_, at) => ({ put: `${p}${at}`, value: "1" }));
    await rejects(store.commit({ then: many }), problem("refused"));
    await rejects(
      store.commit({ then: [{ put: `${p}a`, value: "x".repeat(VALUE_LIMIT + 1) }] }),
      problem("refused"),
    );
    ok((await store.commit({ then: many.slice(1) })).ok);
    strictEqual((await store.list(p)).entries.length, 128);
  });

  for (const seed of [1, 2, 3]) {
    test(`chance: lists, old lists and watches agree with a model (seed ${seed})`, async (store, p) => {
      const random = seededRandom(seed);
      const key = () => `${p}${"abcdefgh"[random.below(8)]}`;
      const model = new Map<string, string>();
      const states = new Map<number, string>();
      const shown = (entries: Iterable<readonly [string, string]>) =>
        [...entries].map((each) => each.join("=")).sort().join();
      const { revision: begin } = await store.list(p);
      states.set(begin, "");
      let compacted = begin;
      for (let step = 0; step < 150; step++) {
        const keys = [...new Set([key(), key(), key()])];
        const then: Write[] = keys.map((each) =>
          random.below(3) === 0 ? { delete: each } : { put: each, value: `${step}` }
        );
        const found = await store.get(keys[0]!);
        const isStale = found !== undefined && random.below(5) === 0;
        const when = found === undefined
          ? [{ key: keys[0]!, is: "absent" as const }]
          : [{ key: keys[0]!, revision: found.revision - (isStale ? 1 : 0) }];
        const done = await store.commit({ when, then });
        strictEqual(done.ok, !isStale);
        if (done.ok) {
          for (const write of then) {
            if ("put" in write) model.set(write.put, write.value);
            else model.delete(write.delete);
          }
          states.set(done.revision, shown(model));
        }
        if (step === 75) await store.compact(compacted = done.revision);
      }
      for (const [revision, state] of states) {
        if (revision < compacted) continue;
        const { entries } = await store.list(p, { revision });
        strictEqual(shown(entries.map(({ key, value }) => [key, value] as const)), state, `at ${revision}`);
      }
      const copy = new Map(
        (await store.list(p, { revision: compacted })).entries.map(({ key, value }) => [key, value]),
      );
      using ended = new Ended();
      const last = [...states.keys()].at(-1)!;
      for await (const { revision, changes } of store.watch(p, { after: compacted, signal: ended.signal })) {
        for (const change of changes) {
          if (change.kind === "put") copy.set(change.entry.key, change.entry.value);
          else copy.delete(change.key);
        }
        strictEqual(shown(copy), states.get(revision), `at ${revision}`);
        if (shown(copy) === shown(model) && revision === lastTold(states, last)) break;
      }
    });
  }
}

/** The last revision at which the state was another one than before. */
function lastTold(states: ReadonlyMap<number, string>, last: number): number {
  return last === 0 ? 0 : Math.max(...states.keys());
}

/** A signal that fires at the end of a block. */
class Ended implements Disposable {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;

  end(): void {
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
