/** Logs that are followed over instances: each line once, whoever goes on in between, wherever lines are cut. */
import { deepStrictEqual } from "node:assert/strict";
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import { type Stream, STREAMS } from "../../lib/keeper/mod.ts";
import { SegmentWriter } from "../../lib/ring/mod.ts";
import { LogFollower } from "../../lib/services/mod.ts";
import type { Place } from "../../lib/supervisor/mod.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

/** Instances whose keepers are this test. */
class Logs implements Disposable {
  readonly places: Place[] = [];
  readonly #folder = Deno.makeTempDirSync({ prefix: "logs-" });
  readonly #writers = new Map<number, SegmentWriter>();
  #clock = 0n;

  /** Its keeper has not come. */
  place(): Place {
    const number = (this.places.at(-1)?.number ?? 0) + 1;
    const place: Place = { kind: "run", number, folder: `${this.#folder}/run-${number}` };
    Deno.mkdirSync(place.folder);
    this.places.push(place);
    return place;
  }

  begin(place = this.place()): Place {
    const sizes = { dataBytes: 4_096, retainBytes: 64 << 20, overflow: "dropOldest" } as const;
    this.#writers.set(place.number, SegmentWriter.open(place.folder, sizes));
    return place;
  }

  say({ number }: Place, text: string, stream: Stream = "stdout"): void {
    const writer = this.#writers.get(number)!;
    const bytes = new TextEncoder().encode(text);
    // A record takes as much as the smallest log lets it.
    for (let at = 0; at < bytes.length; at += 400) {
      const part = bytes.subarray(at, at + 400);
      const payload = new Uint8Array(8 + part.length);
      new DataView(payload.buffer).setBigUint64(0, ++this.#clock, true);
      payload.set(part, 8);
      writer.write(KEEPER_RECORDS[stream], payload);
    }
    writer.flush();
  }

  end({ number }: Place): void {
    this.#writers.get(number)![Symbol.dispose]();
    this.#writers.delete(number);
  }

  follow(cursor?: string): LogFollower {
    return new LogFollower(() => [...this.places], cursor);
  }

  [Symbol.dispose](): void {
    for (const writer of this.#writers.values()) writer[Symbol.dispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** What one read tells: texts of lines, and other news by their names. */
function read(follower: LogFollower): string[] {
  const told: string[] = [];
  follower.read((each) => {
    told.push(each.kind === "line" ? each.line.text : each.kind === "run" ? `run ${each.run}` : each.kind);
  });
  return told;
}

Deno.test("a line that comes in pieces is told once, when it has ended, also by a follower that goes on in its midst", () => {
  using logs = new Logs();
  const run = logs.begin();
  logs.say(run, "whole\nabc");
  using first = logs.follow();
  deepStrictEqual(read(first), ["run 1", "whole"]);
  const { cursor } = first;
  logs.say(run, "bad\n", "stderr");
  logs.say(run, "def\nnext\n");
  for (const follower of [first, logs.follow(cursor)]) {
    using each = follower;
    deepStrictEqual(read(each), ["bad", "abcdef", "next"]);
    deepStrictEqual(read(each), []);
  }
});

Deno.test("what has not ended can be looked at, and is told when it ends, or its log does", () => {
  using logs = new Logs();
  const run = logs.begin();
  using follower = logs.follow();
  const parts = () => {
    const texts: string[] = [];
    follower.peek((entry) => entry.kind === "line" && texts.push(entry.line.text));
    return texts;
  };
  logs.say(run, "name? ");
  deepStrictEqual([read(follower), parts()], [["run 1"], ["name? "]]);
  logs.say(run, "really? ");
  deepStrictEqual([read(follower), parts()], [[], ["name? really? "]]);
  logs.end(run);
  deepStrictEqual([read(follower), parts()], [["name? really? "], []]);
  deepStrictEqual(read(follower), []);
});

Deno.test("all instances are told: one that ends while the next runs, and one whose keeper comes late or never", () => {
  using logs = new Logs();
  const one = logs.begin();
  using follower = logs.follow();
  logs.say(one, "a\n");
  deepStrictEqual(read(follower), ["run 1", "a"]);
  const two = logs.begin();
  logs.say(two, "b\n");
  logs.say(one, "late\n");
  deepStrictEqual(read(follower), ["late", "run 2", "b"]);
  const { cursor } = follower;
  logs.say(one, "last");
  logs.end(one);
  logs.say(two, "c\n");
  logs.place();
  const four = logs.place();
  for (const each of [follower, logs.follow(cursor)]) deepStrictEqual(read(each), ["last", "c"]);
  logs.begin(four);
  logs.say(four, "d\n");
  deepStrictEqual(read(follower), ["run 4", "d"]);
});

Deno.test("the last lines are those of all instances, of one stream when that is asked for, and the rest follows", () => {
  using logs = new Logs();
  const one = logs.begin();
  logs.say(one, "out 1\n");
  logs.say(one, "err 1\n", "stderr");
  logs.say(one, "err 2", "stderr");
  logs.end(one);
  const two = logs.begin();
  logs.say(two, "err 3\n", "stderr");
  for (let at = 2; at < 2_000; at++) logs.say(two, `out ${at}\n`);
  logs.say(two, "un");
  const cases: [number, Stream | undefined, string[]][] = [
    [0, undefined, []],
    [2, undefined, ["out 1998", "out 1999"]],
    [2, "stderr", ["err 2", "err 3"]],
    [9, "stderr", ["err 1", "err 2", "err 3"]],
  ];
  const followers = cases.map(([count, stream, lines]) => {
    const follower = logs.follow();
    deepStrictEqual(
      follower.last(count, stream).map(({ line }) => line.text),
      lines,
      `${count} of ${stream}`,
    );
    return follower;
  });
  logs.say(two, "ended\n");
  for (const follower of followers) {
    using each = follower;
    deepStrictEqual(read(each), ["unended"]);
  }
});

Deno.test("a line that began segments ago is whole for who asks for no line before it", () => {
  using logs = new Logs();
  const run = logs.begin();
  logs.say(run, `${"x".repeat(9_000)}`);
  using follower = logs.follow();
  deepStrictEqual(follower.last(0), []);
  logs.say(run, "y\n");
  deepStrictEqual(read(follower), [`${"x".repeat(9_000)}y`]);
});

Deno.test("a cursor of another service of that name begins with its first line, and what is none with the newest instance", () => {
  using logs = new Logs();
  const one = logs.begin();
  logs.say(one, "a\n");
  for (const cursor of ["9_8.4096", "2_1.400000", "0"]) {
    using follower = logs.follow(cursor);
    deepStrictEqual(read(follower).filter((each) => !each.startsWith("run")), ["a"], cursor);
  }
  logs.end(one);
  logs.say(logs.begin(), "b\n");
  using follower = logs.follow("../../x");
  deepStrictEqual(read(follower), ["run 2", "b"]);
});

Deno.test("a log that cannot be read on is told as such, and the next instance's is read", () => {
  using logs = new Logs();
  const one = logs.begin();
  logs.say(one, "a\n");
  using follower = logs.follow();
  deepStrictEqual(read(follower), ["run 1", "a"]);
  logs.say(one, "x".repeat(9_000));
  Deno.removeSync(one.folder, { recursive: true });
  logs.say(logs.begin(), "b\n");
  deepStrictEqual(read(follower).slice(-3), ["event", "run 2", "b"]);
});

Deno.test("whatever is said, in whatever pieces, followers that go on from each other's cursors tell each line once", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 5; round++) {
    using logs = new Logs();
    const run = logs.begin();
    const heard: string[] = [];
    let cursor: string | undefined;
    const listen = (follower: LogFollower, told: string[]) => {
      using each = follower;
      each.read((news) => news.kind === "line" && told.push(`${news.line.stream} ${news.line.text}`));
      cursor = each.cursor;
    };
    for (let step = 0; step < 60; step++) {
      const length = [3, 300, 9_000, 70_000][random.below(4)]!;
      const text = "ü".repeat(random.below(length)) + (random.below(2) === 0 ? "\n" : "");
      logs.say(run, text, STREAMS[random.below(2)]!);
      if (random.below(3) === 0) listen(logs.follow(cursor), heard);
    }
    logs.end(run);
    listen(logs.follow(cursor), heard);
    const atOnce: string[] = [];
    listen(logs.follow("0"), atOnce);
    // Which of two unfinished lines is told first at the end is not said.
    deepStrictEqual(heard.toSorted(), atOnce.toSorted(), `seed ${seed}, round ${round}`);
    for (const stream of STREAMS) {
      const of = (told: readonly string[]) => told.filter((each) => each.startsWith(stream));
      deepStrictEqual(of(heard), of(atOnce), `seed ${seed}, round ${round}`);
    }
  }
});
