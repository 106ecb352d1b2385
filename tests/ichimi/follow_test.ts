/** `ichimi-server logs -f`: each line once and whole, whatever becomes of the process and of the daemon meanwhile. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { toolCommand } from "../../cmd/dev/tool_command.ts";
import { until } from "../keeper/_log.ts";
import { more } from "../more.ts";
import { Home } from "./_front.ts";

/** A follower, and what it says. */
class Follower implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #aside: Promise<string>;
  #said = "";
  #hasEnded = false;

  constructor(home: Home, ...words: string[]) {
    const [program, ...args] = toolCommand("ichimi-server");
    this.#child = new Deno.Command(program, {
      args: [...args, "logs", "-f", ...words],
      env: home.env,
      clearEnv: true,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#aside = new Response(this.#child.stderr).text();
  }

  /** All that was said until now, once a text is among it. */
  async until(text: string): Promise<string> {
    while (!this.#said.includes(text)) this.#said += await more(this.#reader);
    return this.#said;
  }

  /** Its exit code, and what it said beside. */
  async end(signal?: Deno.Signal): Promise<[code: number, aside: string]> {
    if (signal !== undefined) this.#child.kill(signal);
    const [{ code }, aside] = await Promise.all([this.#child.status, this.#aside]);
    this.#hasEnded = true;
    return [code, aside];
  }

  /** One that lives on would start the next daemon. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
    await this.end(this.#hasEnded ? undefined : "SIGKILL");
  }
}

/** Says what stands in the files `say1`, `say2` …, as soon as they are there. */
const SPEAKER =
  "echo ready; n=0; while n=$((n+1)); do until [ -e done$n ]; do sleep 0.01; done; cat say$n; done";

class Speaker implements AsyncDisposable {
  readonly #home: Home;
  #count = 0;

  constructor(home: Home) {
    this.#home = home;
  }

  /** It would outlive the daemon. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#home.run("remove", "p");
  }

  say(text: string): void {
    const folder = `${this.#home.folder}/project`;
    Deno.writeTextFileSync(`${folder}/say${++this.#count}`, text);
    Deno.writeTextFileSync(`${folder}/done${this.#count}`, "");
  }
}

Deno.test("logs -f shows a line whole that comes in pieces, and those of the same moment", async () => {
  await using home = new Home();
  await using speaker = new Speaker(home);
  await home.run("run", "--id", "p", "--", "sh", "-c", SPEAKER);
  speaker.say("abc");
  await until("the first piece", async () => (await home.run("logs", "p")).out === "ready\nabc\n");
  await using json = new Follower(home, "p", "-n", "1", "--json");
  await using all = new Follower(home, "p");
  await all.until("ready\n");
  await json.until("ready");
  speaker.say("def\n");
  const [, line] = (await json.until("def")).split("\n");
  const { timeMs, ...rest } = JSON.parse(line!);
  deepStrictEqual([rest, Number.isFinite(timeMs)], [{ stream: "stdout", text: "abcdef" }, true]);
  deepStrictEqual(await json.end("SIGTERM"), [0, ""]);
  speaker.say(Array.from({ length: 3_000 }, (_, at) => `${at}\n`).join(""));
  const numbers = Array.from({ length: 3_000 }, (_, at) => `${at}\n`).join("");
  strictEqual(await all.until("2999\n"), `ready\nabcdef\n${numbers}`);
  deepStrictEqual(await all.end("SIGINT"), [0, ""]);
});

Deno.test("logs -f goes on when the daemon becomes a newer one or is killed, and ends with the process", async () => {
  await using home = new Home();
  await using speaker = new Speaker(home);
  await home.run("run", "--id", "p", "--", "sh", "-c", SPEAKER);
  await using follower = new Follower(home, "p");
  await follower.until("ready\n");
  speaker.say("one\ntw");
  await follower.until("one\n");
  const before = home.log.split("serving assistants").length;
  Deno.kill(home.pid, "SIGHUP");
  speaker.say("o\n");
  await follower.until("two\n");
  await until("the newer one", () => home.log.split("serving assistants").length > before);
  await home.end("SIGKILL");
  speaker.say("three\n");
  strictEqual(await follower.until("three\n"), "ready\none\ntwo\nthree\n");
  await home.run("stop", "p");
  speaker.say("four\n");
  await home.run("start", "p");
  strictEqual(await follower.until("four\n"), "ready\none\ntwo\nthree\nready\none\ntwo\nthree\nfour\n");
  await home.run("remove", "p");
  deepStrictEqual(await follower.end(), [0, "ichimi-server: process 'p' was removed\n"]);
  await using nobody = new Follower(home, "p");
  const [code, words] = await nobody.end();
  strictEqual(code, 1);
  match(words, /^ichimi-server: Process 'p' not found\n$/);
});
