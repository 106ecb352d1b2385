/** What became of a server, in words for whoever waits for its answer. Pure. @module */
import type { Id, Message } from "./message.ts";
import type { Call } from "./table.ts";

/** The end of a server. */
export interface Ending {
  /** `exited with code 3`, `was killed by SIGKILL`. */
  readonly what: string;
  readonly code?: number;
  readonly signal?: string;
  /** What it said last on standard error. */
  readonly lines: readonly string[];
}

/** Codes of the proxy's own errors, of those that JSON-RPC leaves to servers. */
export const PROXY_ERRORS = {
  lost: -32010,
  late: -32011,
  none: -32012,
  busy: -32013,
  badAnswer: -32014,
} as const;

/** An error that answers a request. */
export function failure(
  id: Id,
  code: number,
  message: string,
  data?: Message,
): Message {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** For a call whose server ended while it had it. */
export function lostAnswer(call: Call, server: string, ending: Ending, nowMs: number): Message {
  const often = call.sends > 1 ? `, the last of ${call.sends} times,` : "";
  const why = call.sends > 1 ? "" : "; it may have been done or not, and was not repeated";
  const message = `${call.what} was with ${server} for ${seconds(nowMs - call.takenMs)}${often} ` +
    `when that ${ending.what}${why}${lastWords(ending)}`;
  return failure(call.id, PROXY_ERRORS.lost, message, dataOf(call, server, ending));
}

/** For a call that no server was there for. */
export function unservedAnswer(
  call: Call,
  server: string,
  ending: Ending | undefined,
  nowMs: number,
): Message {
  const why = ending === undefined ? "it has not come up" : `it ${ending.what}`;
  const message =
    `${call.what} waited ${seconds(nowMs - call.takenMs)} for ${server}, which is not there: ${why}` +
    lastWords(ending);
  return failure(call.id, PROXY_ERRORS.none, message, dataOf(call, server, ending));
}

/** For a call that takes too long. */
export function lateAnswer(call: Call, server: string, nowMs: number): Message {
  const message = `${call.what} was given up after ${seconds(nowMs - call.takenMs)}, the limit: ` +
    `${server} has not answered; it was told to cancel it`;
  return failure(call.id, PROXY_ERRORS.late, message, dataOf(call, server, undefined));
}

/** `12 s`, `0.3 s`. */
export function seconds(ms: number): string {
  return `${ms < 10_000 ? (ms / 1_000).toFixed(1) : Math.round(ms / 1_000)} s`;
}

function dataOf(call: Call, server: string, ending: Ending | undefined): Message {
  return {
    request: call.what,
    server,
    sends: call.sends,
    ...(ending?.code === undefined ? {} : { exitCode: ending.code }),
    ...(ending?.signal === undefined ? {} : { signal: ending.signal }),
    ...(ending === undefined ? {} : { stderr: ending.lines }),
  };
}

function lastWords(ending: Ending | undefined): string {
  if (ending === undefined || ending.lines.length === 0) return "";
  return `. Its last lines:\n${ending.lines.join("\n")}`;
}

/** The last lines of a stream, each cut where it is long. */
export class LastLines {
  readonly #count: number;
  readonly #chars: number;
  readonly #lines: string[] = [];
  #rest = "";

  constructor(count: number, chars: number) {
    this.#count = count;
    this.#chars = chars;
  }

  /** Takes text as it comes. */
  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!.slice(0, this.#chars + 1);
    for (const line of lines) this.#keep(line);
  }

  /** From the oldest to the newest, the one that has no end yet included. */
  get lines(): readonly string[] {
    return this.#rest === "" ? [...this.#lines] : [...this.#lines, this.#cut(this.#rest)].slice(-this.#count);
  }

  #keep(line: string): void {
    this.#lines.push(this.#cut(line.trimEnd()));
    if (this.#lines.length > this.#count) this.#lines.shift();
  }

  #cut(line: string): string {
    return line.length > this.#chars ? `${line.slice(0, this.#chars)}…` : line;
  }
}
