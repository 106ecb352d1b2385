/** The other side of ring tests: self-checking records, and other processes that write and read them. @module */
import { PAD_KIND, type Records } from "../../lib/ring/mod.ts";
import { ROOT, TEST_BUILD } from "../../lib/build/paths.ts";
import { exec, exists, filesBelow, runSteps } from "../../lib/build/step.ts";

/** Kind of self-checking records. */
export const KIND = 7;

/** Payload of record `n`: every word of it follows from `n`, as in `ffi/ring/records_test.h`. */
export function payloadOf(n: number): Uint8Array {
  const words = new Uint32Array(4 + 2 * (n % 31));
  for (let i = 0; i < words.length; i++) words[i] = wordOf(n, i);
  return new Uint8Array(words.buffer);
}

function wordOf(n: number, index: number): number {
  if (index < 2) return index === 0 ? n >>> 0 : Math.floor(n / 2 ** 32);
  return (Math.imul(n >>> 0, 2_654_435_761) + index) >>> 0;
}

/** What was seen of a stream of self-checking records. */
export class Tally {
  /** Number that the next record must have, unless a lap was told. */
  next = 0;
  seen = 0;
  /** Records that are not what one writer wrote. */
  torn = 0;
  gaps = 0;
  /** Gaps that no lap had announced: records lost without a word. */
  silent = 0;
  #lapped = false;

  /** A lap was told: the next number may be any later one. */
  lap(): void {
    this.#lapped = true;
  }

  take(records: Records): void {
    const words = new Uint32Array(records.buffer.buffer, 0, records.buffer.length >>> 2);
    while (records.next()) {
      const start = records.start >>> 2;
      const n = words[start]! + words[start + 1]! * 2 ** 32;
      if (!intact(words, start, n, records.length)) this.torn++;
      if (n !== this.next) {
        this.gaps++;
        if (!this.#lapped || n < this.next) this.silent++;
      }
      this.#lapped = false;
      this.next = n + 1;
      this.seen++;
    }
  }
}

function intact(words: Uint32Array, start: number, n: number, length: number): boolean {
  if (length !== 16 + 8 * (n % 31) || length > PAD_KIND) return false;
  const base = Math.imul(n >>> 0, 2_654_435_761);
  for (let i = 2; i < length / 4; i++) if (words[start + i] !== (base + i) >>> 0) return false;
  return true;
}

/** A process of `ring_test` or of this folder; killed when the test that started it ends first. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #text = "";

  static start(program: string, args: readonly string[]): Peer {
    return new Peer(
      new Deno.Command(program, { args: [...args], stdin: "piped", stdout: "piped", stderr: "inherit" })
        .spawn(),
    );
  }

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#writer = child.stdin.getWriter();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The next line of its output; throws when it ended without one. */
  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`Cannot read from peer: it ended after "${this.#text}"`);
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  /** Lets it go on by one step. */
  async go(): Promise<void> {
    await this.#writer.write(new Uint8Array([10]));
  }

  /** Waits for its end; exit code, or the name of the signal. */
  async end(): Promise<number | string> {
    await this.#writer.close().catch(() => undefined); // it may have closed its end first
    const { code, signal } = await this.#child.status;
    return signal ?? code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => undefined); // as above
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
    await this.#child.status;
    await this.#lines.cancel();
  }
}

/** The sanitized test program: catches what a mere wrong value would not show. */
export const SANITIZED = `${TEST_BUILD}ring_test`;

/** The same program at full speed, for hostile writers and benches; built when it is out of date. */
export async function fastPeer(): Promise<string> {
  const output = `${TEST_BUILD}ring_peer`;
  const sources = filesBelow("ffi/ring", /\.c$/).filter((file) => !file.endsWith("peer_test.c"));
  const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread"];
  const args = [...flags, ...sources.map((file) => ROOT + file), "-o", output];
  const step = { name: "ring_peer", inputs: ["ffi/ring"], outputs: [output], recipe: args.join(" ") };
  await runSteps([{
    ...step,
    run: async () => {
      await exec("gcc", args);
    },
  }], () => undefined);
  return output;
}

/** A folder for the files of one test, in memory where that is possible; removed at the end. */
export function ringFolder(): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync({
    prefix: "hkring-",
    ...(exists("/dev/shm") ? { dir: "/dev/shm" } : {}),
  });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
