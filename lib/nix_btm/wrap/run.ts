/**
 * Runs a command as if nobody watched: standard input and output are the terminal's or whatever they were, signals and
 * the exit status are the command's own. Only standard error goes through here, to those who want to know.
 * @module
 */
import { endBy, signalNumber } from "../../../ffi/sys/mod.ts";
import { deadline } from "../../async/mod.ts";
import { plainText } from "../../tui/mod.ts";
import { SignalRelay } from "./_signals.ts";
import { onlyPrints, type Words, type WrappedCommand } from "./command.ts";
import { RECORD_LIMIT_BYTES, RecordSplitter } from "./split.ts";

/** Takes bytes in their order. A promise holds the command's standard error back until it is kept. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** How a command ended. */
export type Ended =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: Deno.Signal }
  /** It could not be started, as a shell says it: 127 when there is none of that name, 126 otherwise. */
  | { readonly kind: "notStarted"; readonly code: 126 | 127; readonly reason: string };

/** Who hears of a run. */
export interface RunOptions {
  /** Everything that stands on standard error, records and text. One that throws is left out from then on, and said. */
  readonly sinks?: readonly Sink[];
  /** What a person is to see: text that is no record. Our own standard error when not said. */
  readonly show?: Sink;
  /**
   * What it writes on standard output, of commands that only print (`onlyPrints`): so that it does not get into a picture
   * on the same terminal. Our own standard output is theirs when not said.
   */
  readonly output?: Sink;
  /** Of a shell: everything is built; kept before it begins. */
  readonly prepared?: () => void | Promise<void>;
  /** Lines of our own, without newline. On our standard error behind `nix-btm: ` when not said. */
  readonly say?: (line: string) => void;
  /** Sends SIGTERM to the command. */
  readonly signal?: AbortSignal;
  /** How long after its end a command's children may write to its standard error; 1 s when not said. */
  readonly lingerMs?: number;
}

/** Processes that a command leaves behind may hold its standard error for hours: a shell would not wait either. */
export const LINGER_MS = 1_000;

/** What a silent run said in words is shown when it fails; beyond this the oldest is not. */
const SILENT_BYTES = 256 * 1024;

/** Runs a command to its end; of a shell's, what prepares it first. */
export async function runWrapped(command: WrappedCommand, options: RunOptions = {}): Promise<Ended> {
  const say = options.say ?? sayOnStderr;
  using relay = new SignalRelay(say);
  const how: How = { ...options, say, relay };
  if (command.kind === "shell") {
    const silent = new Held(SILENT_BYTES);
    const prepared = await watched(command.prepare, { ...how, show: silent.take }, "null");
    if (prepared.kind !== "exited" || prepared.code !== 0) {
      await (options.show ?? showOnStderr)(silent.bytes());
      return prepared;
    }
    await options.prepared?.();
  }
  return command.kind === "records" || command.kind === "plain"
    ? await watched(command.words, how, "inherit")
    : await direct(command.words, how);
}

/** The code with which a shell tells this end: 128 and the number for a signal. */
export function exitCode(ended: Ended): number {
  return ended.kind === "signaled" ? 128 + signalNumber(ended.signal) : ended.code;
}

/** Ends this process by the signal that ended the command; returns for any other end. */
export function endAlike(ended: Ended): void {
  if (ended.kind === "signaled") endBy(ended.signal);
}

interface How extends RunOptions {
  readonly say: (line: string) => void;
  readonly relay: SignalRelay;
}

async function watched(words: Words, how: How, stdout: "inherit" | "null"): Promise<Ended> {
  // What only prepares has nothing to ask: it would take what is meant for the shell.
  const stdin = stdout === "null" ? "null" : "inherit";
  const output = stdout === "inherit" && onlyPrints(words) ? how.output : undefined;
  const started = start(words, how, {
    stdin,
    stdout: output === undefined ? stdout : "piped",
    stderr: "piped",
  });
  if ("kind" in started) return started;
  const readers = [started.stderr.getReader(), ...output === undefined ? [] : [started.stdout.getReader()]];
  const reading = Promise.all([
    readAll(readers[0]!, how),
    ...output === undefined ? [] : [passOn(readers[1]!, careful(output, how.say))],
  ]);
  const ended = await ending(started, how);
  using limit = deadline(how.lingerMs ?? LINGER_MS);
  const left = new Promise<"left">((resolve) => {
    limit.signal.addEventListener("abort", () => resolve("left"), { once: true });
  });
  if (await Promise.race([reading, left]) === "left") {
    how.say("a process that the command left behind still holds its standard error; it is not waited for");
    await Promise.all(readers.map((reader) => reader.cancel()));
    await reading;
  }
  return ended;
}

async function direct(words: Words, how: How): Promise<Ended> {
  const started = start(words, how, { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
  return "kind" in started ? started : await ending(started, how);
}

type Child = Deno.ChildProcess;
type Files = Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">;

function start(words: Words, how: How, files: Files): Child | Ended {
  const signal = how.relay.heard;
  if (signal !== undefined) return { kind: "signaled", signal };
  const [program, ...args] = words;
  try {
    return new Deno.Command(program, { args, ...files }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { kind: "notStarted", code: 127, reason: `Cannot run "${program}": there is no such command` };
    }
    if (!(error instanceof Error)) throw error;
    return { kind: "notStarted", code: 126, reason: `Cannot run "${program}": ${error.message}` };
  }
}

async function ending(child: Child, { relay, signal }: How): Promise<Ended> {
  relay.attach(child);
  const stop = () => relay.send("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted === true) stop();
    const status = await child.status;
    return status.signal === null
      ? { kind: "exited", code: status.code }
      : { kind: "signaled", signal: status.signal };
  } finally {
    signal?.removeEventListener("abort", stop);
    relay.attach(undefined);
  }
}

/** What reads until the end; used for a command's standard error, and for a pipe. */
export async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { sinks = [], show = showOnStderr, say = sayOnStderr }: RunOptions,
): Promise<void> {
  const text: Uint8Array[] = [];
  const splitter = new RecordSplitter({ text: (bytes) => void text.push(bytes) });
  const hear = sinks.map((sink) => careful(sink, say));
  const seen = careful(show, say);
  const shown = async () => {
    for (const bytes of text.splice(0)) await seen(bytes);
  };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    for (const sink of hear) await sink(value);
    splitter.take(value);
    await shown();
  }
  splitter.end();
  await shown();
  const { dropped } = splitter;
  if (dropped > 0) {
    const records = dropped === 1 ? "a record" : `${dropped} records`;
    say(`Nix wrote ${records} of more than ${RECORD_LIMIT_BYTES / 2 ** 20} MiB, which nobody is shown`);
  }
}

async function passOn(reader: ReadableStreamDefaultReader<Uint8Array>, sink: Sink): Promise<void> {
  for (let read = await reader.read(); !read.done; read = await reader.read()) await sink(read.value);
}

/** A sink that fails must not take the build with it. */
function careful(sink: Sink, say: (line: string) => void): Sink {
  let failed = false;
  return async (bytes) => {
    if (failed) return;
    try {
      await sink(bytes);
    } catch (error) {
      failed = true;
      say(error instanceof Error ? error.message : String(error));
    }
  };
}

/** The last bytes of what was said. */
class Held {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly take = (bytes: Uint8Array): void => {
    this.#parts.push(bytes.slice());
    this.#size += bytes.length;
    while (this.#size > this.#limit && this.#parts.length > 1) this.#size -= this.#parts.shift()!.length;
  };

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

async function showOnStderr(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stderr.write(bytes.subarray(at));
}

function sayOnStderr(line: string): void {
  console.error(`nix-btm: ${plainText(line)}`);
}
