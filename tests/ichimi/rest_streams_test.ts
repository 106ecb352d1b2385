/** Streams: logs as they grow, over runs, and what happens to processes, for readers that are slow, too. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { eventStream } from "../../lib/ichimi/rest/event_stream.ts";
import { EventReader, Site } from "./_site.ts";

interface Line {
  readonly time: string;
  readonly stream: string;
  readonly text: string;
}

/** Lines of a log's stream until there are so many. */
async function linesOf(reader: EventReader, count: number): Promise<Line[]> {
  const lines: Line[] = [];
  await reader.until((event, data) => {
    if (event === "tail" || event === "lines") lines.push(...data);
    return lines.length >= count;
  });
  return lines;
}

Deno.test("a log's stream begins with its last lines and goes on with each line once, in order", async () => {
  await using site = await Site.open();
  const script = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i; done; read x; echo after $x";
  await site.run("p", script, { input: "pipe" });
  await site.world.until(
    "the lines",
    async () => (await site.get("/processes/p/logs?lines=1"))[0] === "line 2000",
  );
  await using reader = await site.follow("/processes/p/logs/stream?lines=3");
  const { event, data } = await reader.next();
  strictEqual(event, "tail");
  deepStrictEqual(data.map(({ text }: Line) => text), ["line 1998", "line 1999", "line 2000"]);
  await site.world.assistant().call("send", { process: "p", text: "this\n" });
  deepStrictEqual((await linesOf(reader, 1)).map(({ text }) => text), ["after this"]);
});

Deno.test("a stream that is followed from the first line has all of them, however fast they come", async () => {
  await using site = await Site.open();
  await site.ask("POST", "/processes", {
    id: "p",
    command: "sh",
    args: ["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done"],
  });
  await using reader = await site.follow("/processes/p/logs/stream");
  await site.ask("POST", "/processes/p/start");
  const lines = await linesOf(reader, 20_000);
  deepStrictEqual(lines.map(({ text }) => Number(text)), Array.from({ length: 20_000 }, (_, at) => at + 1));
  ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
});

Deno.test("a stream goes on with the next run, and says where it begins", async () => {
  await using site = await Site.open();
  await site.run("p", "echo first; exec sleep 100");
  await using reader = await site.follow("/processes/p/logs/stream");
  deepStrictEqual((await linesOf(reader, 1)).map(({ text }) => text), ["first"]);
  await site.ask("POST", "/processes/p/restart");
  deepStrictEqual(await reader.until((event) => event === "run"), { run: 2 });
  deepStrictEqual((await linesOf(reader, 1)).map(({ text }) => text), ["first"]);
});

Deno.test("a stream of errors has no output in it", async () => {
  await using site = await Site.open();
  await site.run("p", "echo out; echo bad >&2; echo out again; exec sleep 100");
  await site.world.until("the lines", async () => (await site.get("/processes/p/logs")).length === 3);
  await using reader = await site.follow("/processes/p/logs/stream?stream=stderr");
  deepStrictEqual((await linesOf(reader, 1)).map(({ stream, text }) => [stream, text]), [["stderr", "bad"]]);
  deepStrictEqual(await site.get("/processes/p/logs?stream=stdout"), ["out", "out again"]);
  deepStrictEqual(
    (await site.get("/processes/p/logs/search?pattern=b.d$")).lines,
    [" * [stderr] bad"],
  );
  deepStrictEqual((await site.get("/processes/p/logs/search?pattern=out")).lines, [" * out", " * out again"]);
});

Deno.test("a stream begins with the same lines that are told without one, over runs and of one stream", async () => {
  await using site = await Site.open();
  await site.run("p", "echo bad 1 >&2; echo out; exec sleep 100");
  await site.ask("POST", "/processes/p/stop");
  await site.ask("POST", "/processes/p/start");
  await site.world.until("the lines", async () => (await site.get("/processes/p/logs")).length === 4);
  for (const query of ["stream=stderr&lines=3", "stream=stderr&lines=1", "lines=3", "lines=0", "lines=50"]) {
    await using reader = await site.follow(`/processes/p/logs/stream?${query}`);
    const { event, data } = await reader.next();
    const texts = data.map(({ text }: Line) => text);
    deepStrictEqual([event, texts], ["tail", await site.get(`/processes/p/logs?${query}`)], query);
  }
});

Deno.test("who comes back says what came last, and has all that was said since, also the end of a line", async () => {
  await using site = await Site.open();
  await site.run("p", "echo one; printf tw; read x; echo o; read x; echo three", { input: "pipe" });
  const first = await site.follow("/processes/p/logs/stream");
  deepStrictEqual((await linesOf(first, 1)).map(({ text }) => text), ["one"]);
  await first[Symbol.asyncDispose]();
  const assistant = site.world.assistant();
  await assistant.call("send", { process: "p", text: "\n" });
  await assistant.call("wait", { process: "p", pattern: "^two$" });
  await assistant.call("send", { process: "p", text: "\n" });
  await using again = await site.follow("/processes/p/logs/stream", { "last-event-id": first.lastId! });
  deepStrictEqual((await linesOf(again, 2)).map(({ text }) => text), ["two", "three"]);
});

Deno.test("a stream ends with its process, after its last words", async () => {
  await using site = await Site.open();
  await site.run("p", "trap 'echo bye; exit' TERM; echo here; sleep 100 & wait");
  await using reader = await site.follow("/processes/p/logs/stream");
  deepStrictEqual((await linesOf(reader, 1)).map(({ text }) => text), ["here"]);
  await site.ask("DELETE", "/processes/p");
  deepStrictEqual((await linesOf(reader, 1)).map(({ text }) => text), ["bye"]);
  strictEqual((await reader.next()).event, "removed");
  await rejects(reader.next(), /the stream has ended/);
});

Deno.test("a stream that cannot be opened leaves nothing behind", () => {
  const left: string[] = [];
  const refused = () =>
    eventStream(() => {
      using stack = new DisposableStack();
      stack.defer(() => left.push("let go of"));
      throw new Error("no");
    });
  // A beat that went on would be told by the test's sanitizer.
  throws(refused, /^Error: no$/);
  deepStrictEqual(left, ["let go of"]);
});

Deno.test("who watches is told of what is made, changed, ended and removed", async () => {
  await using site = await Site.open();
  await site.run("before", "exec sleep 100");
  await using reader = await site.follow("/events");
  const { event, data: first } = await reader.next();
  strictEqual(event, "processes");
  deepStrictEqual(
    first.processes.map((each: { info: { id: string }; phase: string }) => [each.info.id, each.phase]),
    [["before", "running"]],
  );
  const change = async (holds: (data: never) => boolean) =>
    await reader.until((event, data) => event === "change" && holds(data as never));
  await site.run("p", "exit 3");
  // deno-lint-ignore no-explicit-any -- What a stream says is looked into freely.
  const ended = await change(({ events }: any) => events.some((each: any) => each.event_type === "failed"));
  // deno-lint-ignore no-explicit-any -- The same.
  const failure = ended.events.find((each: any) => each.event_type === "failed");
  deepStrictEqual([failure.process_id, failure.message], ["p", "ended with exit code 3"]);
  await site.ask("PUT", "/processes/p", { tags: ["new"] });
  // deno-lint-ignore no-explicit-any -- The same.
  await change(({ changed }: any) => changed.some((each: any) => each.info.tags?.[0] === "new"));
  await site.ask("DELETE", "/processes/p");
  // deno-lint-ignore no-explicit-any -- The same.
  await change(({ removed }: any) => removed.includes("p"));
  const usage = await reader.until((event) => event === "usage");
  const [cpu, memory] = usage.processes.before;
  ok(cpu >= 0 && memory > 0);
});

Deno.test("the timeline tells how processes ended, newest first", async () => {
  await using site = await Site.open();
  await site.run("good", "exit 0");
  await site.run("bad", "exit 7");
  await site.run("killed", "kill -9 $$");
  await site.run("stopped", "exec sleep 100");
  await site.ask("POST", "/processes/stopped/stop");
  await site.ask("POST", "/processes", {
    id: "none",
    command: "/nonexistent/program",
    auto_start_on_create: true,
  });
  const ends = async () =>
    Object.fromEntries(
      (await site.get("/timeline")).filter((each: { event_type: string }) =>
        !["created", "started", "note"].includes(each.event_type)
      ).map((each: { process_id: string; event_type: string; message: string }) => [
        each.process_id,
        `${each.event_type}: ${each.message}`,
      ]),
    );
  await site.world.until("all ends", async () => Object.keys(await ends()).length === 5);
  const { none, ...others } = await ends();
  deepStrictEqual(others, {
    good: "ended: ended with exit code 0",
    bad: "failed: ended with exit code 7",
    killed: "killed: was ended by SIGKILL",
    stopped: "ended: was stopped by SIGTERM",
  });
  match(none!, /^not_started: .*cannot/);
  const numbers = (await site.get("/timeline")).map(({ number }: { number: number }) => number);
  deepStrictEqual(numbers, numbers.toSorted((a: number, b: number) => b - a));
  ok(
    (await site.get("/timeline?process=bad")).every((each: { process_id: string }) =>
      each.process_id === "bad"
    ),
  );
});

Deno.test("what a reader does not take is gathered, and told once it reads again", async () => {
  await using site = await Site.open();
  await using reader = await site.follow("/events");
  await reader.next();
  for (let at = 0; at < 300; at++) await site.ask("POST", "/processes", { id: `p${at}`, command: "true" });
  for (let at = 0; at < 300; at++) {
    await site.ask("PUT", `/processes/p${at}`, { args: ["x".repeat(2_000)] });
  }
  const known = new Set<string>();
  await reader.until((event, data) => {
    if (event !== "change") return false;
    for (const { info } of data.changed) if (info.args[0]?.length === 2_000) known.add(info.id);
    return known.size === 300;
  });
});

Deno.test("what stands before a line of the stream is searched in all runs, each line once and in its order", async () => {
  await using site = await Site.open();
  await site.run("p", "seq -f 'out %.0f' 1 3000; echo err 1 >&2");
  await site.world.assistant().call("wait", { process: "p", exit: true });
  await site.ask("POST", "/processes/p/start");
  await site.world.assistant().call("wait", { process: "p", exit: true });
  const all: string[] = await site.get("/processes/p/logs?lines=10000");
  strictEqual(all.length, 6_002);
  for (const lines of [1, 100, 3_000, 3_001, 3_002, 6_000]) {
    await using reader = await site.follow(`/processes/p/logs/stream?lines=${lines}`);
    const { data: tail } = await reader.next();
    const ask = (more: string) =>
      site.get(`/processes/p/logs/matches?before=${tail[0].place}&last=10000&pattern=${more}`);
    const { matches, searched, lines: found } = await ask("");
    deepStrictEqual([tail.length, matches, searched], [lines, 6_002 - lines, 6_002 - lines]);
    deepStrictEqual([...found, ...tail].map(({ text }: { text: string }) => text), all);
    strictEqual(new Set([...found, ...tail].map(({ place }: { place: string }) => place)).size, 6_002);
    const errors = 2 - tail.filter(({ stream }: { stream: string }) => stream === "stderr").length;
    const { searched: ofErrors } = await ask("&stream=stderr");
    strictEqual(ofErrors, errors);
  }
});
