/** What whoever calls `runWrapped()` and `readPipe()` can ask of them, in this process. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { clockNs } from "../../ffi/sys/mod.ts";
import { exitCode, readPipe, type RunOptions, runWrapped, type Words } from "../../lib/nix_btm/wrap/mod.ts";

clockNs("monotonic");

const decoder = new TextDecoder();
const sh = (script: string): Words => ["sh", "-c", script];

/** What is shown and said, in order; what is said stands in brackets. */
function heard(): { readonly text: string[]; readonly options: Pick<RunOptions, "show" | "say"> } {
  const text: string[] = [];
  return {
    text,
    options: {
      show: (bytes) => void text.push(decoder.decode(bytes)),
      say: (line) => void text.push(`[${line}]`),
    },
  };
}

Deno.test("exitCode(): a signal is told as a shell does", () => {
  const ends = [
    { kind: "exited", code: 3 },
    { kind: "signaled", signal: "SIGTERM" },
    { kind: "notStarted", code: 127, reason: "" },
  ] as const;
  deepStrictEqual(ends.map(exitCode), [3, 143, 127]);
});

Deno.test("runWrapped(): an abort asks the command to end, also when it was before", async () => {
  for (const early of [true, false]) {
    const controller = new AbortController();
    if (early) controller.abort();
    const { options } = heard();
    const ended = await runWrapped({ kind: "plain", words: sh("echo begun >&2; exec sleep 3600") }, {
      ...options,
      show: () => controller.abort(),
      signal: controller.signal,
    });
    deepStrictEqual(ended, { kind: "signaled", signal: "SIGTERM" });
  }
});

Deno.test("runWrapped(): a sink that fails is left out and said, the others and the command go on", async () => {
  const { text, options } = heard();
  const kept: string[] = [];
  let calls = 0;
  const failing = () => {
    calls++;
    throw new Error("the disk is full");
  };
  const script = "echo one >&2; read line </dev/null; sleep 0.05; echo two >&2";
  const ended = await runWrapped({ kind: "plain", words: sh(script) }, {
    ...options,
    sinks: [failing, (bytes) => void kept.push(decoder.decode(bytes))],
  });
  deepStrictEqual([ended, kept.join(""), calls], [{ kind: "exited", code: 0 }, "one\ntwo\n", 1]);
  deepStrictEqual(text.join("").replace("[the disk is full]", ""), "one\ntwo\n");
  strictEqual(text.filter((each) => each === "[the disk is full]").length, 1);
});

Deno.test("runWrapped(): a sink that waits holds the command's standard error back", async () => {
  const order: string[] = [];
  await runWrapped({ kind: "plain", words: sh("echo one >&2") }, {
    sinks: [async () => {
      await new Promise((resolve) => setTimeout(resolve));
      order.push("saved");
    }],
    show: () => void order.push("shown"),
  });
  deepStrictEqual(order, ["saved", "shown"]);
});

Deno.test("runWrapped(): what prepares a shell is seen only when it fails, and the shell does not begin then", async () => {
  for (const [code, expected] of [[0, "shell\n"], [3, "why\n"]] as const) {
    const { text, options } = heard();
    // A shell has the terminal itself: here its standard error is not looked at.
    const words = sh("exec 2>/dev/null; echo shell >&2; exit 5");
    const ended = await runWrapped({
      kind: "shell",
      prepare: sh(`echo out; echo why >&2; exit ${code}`),
      words,
    }, options);
    deepStrictEqual([ended, text.join("")], [
      { kind: "exited", code: code === 0 ? 5 : 3 },
      code === 0 ? "" : expected,
    ]);
  }
});

Deno.test("runWrapped(): what prepares a shell takes nothing of its standard input", async () => {
  const script = "read line && exit 1; exit 0";
  const ended = await runWrapped(
    { kind: "shell", prepare: sh(script), words: sh("exit 8") },
    heard().options,
  );
  deepStrictEqual(ended, { kind: "exited", code: 8 });
});

Deno.test("runWrapped(): how long a process left behind is waited for can be said", async () => {
  const { text, options } = heard();
  const file = Deno.makeTempFileSync({ prefix: "wrap-" });
  const words = sh(`sleep 3600 >/dev/null & echo $! >${file}`);
  await runWrapped({ kind: "plain", words }, { ...options, lingerMs: 1 });
  Deno.kill(Number(Deno.readTextFileSync(file)), "SIGKILL");
  Deno.removeSync(file);
  match(text.join(""), /\[a process that the command left behind still holds its standard error/);
});

Deno.test("readPipe(): shows text, keeps everything, and ends with its input or an abort", async () => {
  const controller = new AbortController();
  for (const isEnding of [true, false]) {
    const { text, options } = heard();
    const kept: string[] = [];
    const input = new ReadableStream<Uint8Array>({
      start(stream) {
        stream.enqueue(new TextEncoder().encode('a\n@nix {"x":1}\nb\n'));
        if (isEnding) stream.close();
      },
    });
    const ended = await readPipe(input, {
      ...options,
      signal: controller.signal,
      sinks: [(bytes) => {
        kept.push(decoder.decode(bytes));
        if (!isEnding) controller.abort();
      }],
    });
    deepStrictEqual(ended, { kind: "exited", code: 0 });
    deepStrictEqual([text.join(""), kept.join("")], ["a\nb\n", 'a\n@nix {"x":1}\nb\n']);
  }
});
