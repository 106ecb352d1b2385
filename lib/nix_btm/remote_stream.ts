/**
 * What another host's daemon says, message by message: through ssh, which runs `nix-btm stream` there, or over HTTP with
 * its token.
 * @module
 */
import { abortable, deadline, sleep } from "../async/mod.ts";
import { readEvents } from "../mcp/mod.ts";
import type { RemoteAddress } from "./remote_address.ts";

/** One message of a host; a snapshot of a busy one has some megabytes. */
export const MESSAGE_MAX_BYTES = 64 * 2 ** 20;
/** Characters of what ssh says on its end. */
const WHY_MAX = 200;
/** A command that was asked to end is made to; whoever holds its standard error is not waited for. */
const END_MS = 2_000;

/** While a host is followed. */
export interface Following {
  readonly signal: AbortSignal;
  /** A host of which nothing is heard for so long is lost. */
  readonly silentMs: number;
}

/**
 * Messages as they come, as text: those of the host itself, and those of hosts that it follows.
 * @throws {Error} When there are no more, or none comes for too long, saying why. @throws The signal's reason.
 */
export function remoteMessages(address: RemoteAddress, following: Following): AsyncGenerator<string> {
  return address.kind === "http"
    ? httpMessages(address, following)
    : commandMessages(address.words, following);
}

async function* httpMessages(
  { url, token }: Extract<RemoteAddress, { kind: "http" }>,
  following: Following,
): AsyncGenerator<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  // The request's signal ends the body with it.
  const over = new AbortController();
  try {
    const asked = fetch(`${url}/api/v1/events`, { headers, signal: over.signal }).catch(explain);
    const response = await unlessSilent(asked, following);
    if (!response.ok || response.body === null) throw new Error(`it answers with status ${response.status}`);
    yield* readEvents(ReadableStream.from(piecesOf(response.body, following)), MESSAGE_MAX_BYTES);
  } finally {
    over.abort();
  }
}

/** The runtime says "fetch failed", and why in the cause, behind the address: `tcp connect error: Connection refused`. */
function explain(error: unknown): never {
  const { cause } = error as { readonly cause?: unknown };
  if (!(cause instanceof Error)) throw error;
  throw new Error(cause.message.replace(/^error sending request .*?: client error \(\w+\): /, ""), { cause });
}

/** Each piece as it comes. @throws {Error} When none comes for too long. @throws The signal's reason. */
async function* piecesOf<T>(stream: ReadableStream<T>, following: Following): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await unlessSilent(reader.read(), following);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => "It has failed, which was told.");
  }
}

async function unlessSilent<T>(promise: Promise<T>, { signal, silentMs }: Following): Promise<T> {
  using limit = deadline(silentMs, signal);
  try {
    return await abortable(promise, limit.signal);
  } catch (cause) {
    if (signal.aborted || !limit.signal.aborted) throw cause;
    throw new Error(`it has said nothing for ${silentMs / 1_000} s`, { cause });
  }
}

async function* commandMessages(
  words: readonly [string, ...string[]],
  following: Following,
): AsyncGenerator<string> {
  const { signal } = following;
  const [program, ...args] = words;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const end = () => kill(child, "SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const unread = new AbortController();
  const said = lastOf(child.stderr, unread.signal);
  try {
    yield* linesOf(ReadableStream.from(piecesOf(child.stdout, following)), signal);
  } finally {
    signal.removeEventListener("abort", end);
    await ended(child);
    // A master connection of ssh keeps it open.
    await soon(said);
    unread.abort();
    await said;
  }
  const { code } = await child.status;
  const last = (await said).trimEnd().split("\n").at(-1) ?? "";
  throw new Error(last.slice(-WHY_MAX) || `${program} has ended with code ${code}`);
}

/** Each line when it is whole; what has left the command may hold the stream open longer than anybody waits. */
async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let [held, length]: [string[], number] = [[], 0];
  for await (const piece of stream.pipeThrough(new TextDecoderStream(), { signal })) {
    held.push(piece);
    length += piece.length;
    if (piece.includes("\n")) {
      const lines = held.join("").split("\n");
      const rest = lines.pop()!;
      [held, length] = [[rest], rest.length];
      yield* lines;
    }
    if (length > MESSAGE_MAX_BYTES) throw new RangeError("a message is longer than anybody reads");
  }
}

/** The end of what comes, without what moves a cursor. */
async function lastOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): Promise<string> {
  let last = "";
  try {
    for await (const piece of stream.pipeThrough(new TextDecoderStream(), { signal })) {
      last = (last + piece).slice(-10 * WHY_MAX);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return last.replaceAll(/(?!\n)\p{Cc}/gu, "");
}

/** Whoever does not read it any more ends it. */
async function ended(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGTERM");
  await child.stdout.cancel().catch(() => "It is being read, or has been.");
  if (await soon(child.status) === undefined) kill(child, "SIGKILL");
  await child.status;
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended meanwhile.
  }
}

/** Undefined when it takes too long. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(END_MS, { signal: over.signal }).then(() => undefined, () => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
