/**
 * HTTP/1.1 as far as a proxy has to understand it: where a head ends, how its body is framed, what is said of the
 * connection. Pure. RFC 9112; what two readers could take for different messages is refused (section 11.2).
 * @module
 */
import { Buffer } from "node:buffer";
import { joined } from "./_bytes.ts";

/** How the bytes behind a head are delimited (RFC 9112, section 6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** Of answers: up to the end of the connection. */
  | { readonly kind: "close" };

/** Head of a request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** HTTP/1.0 knows no chunks, and closes. */
  readonly isOld: boolean;
  readonly framing: Framing;
  /** Whether the client wants to go on with the connection. */
  readonly keepAlive: boolean;
  /** Whether it asks for another protocol. */
  readonly upgrade: boolean;
  /** Its fields, hop by hop ones left out (those of an upgrade stay). */
  readonly fields: readonly string[];
}

/** Head of an answer. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly fields: readonly string[];
}

/** A head that is longer is refused. */
export const HEAD_BYTES = 65_536;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^(\S+) (\S+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/;
/** A chunk has less than 2⁴⁸ bytes. */
const CHUNK_DIGITS = 12;
/** Of a chunk's size line with its extension, and of a trailer. */
const CHUNK_LINE_BYTES = 16_384;
const HOP_BY_HOP: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection"]);

/** Position behind the empty line that ends a head, or −1; nothing before `from` is looked at again. */
export function headEnd(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(LF, Math.max(0, from)); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at >= 3 && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
  }
  return -1;
}

/** Bytes of empty lines before a request; some clients send one behind a body (RFC 9112, section 2.2). */
export function blankLines(bytes: Uint8Array): number {
  let at = 0;
  while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  return at;
}

/** What HTTP/2 begins with when both sides know it (RFC 9113, section 3.4). */
const HTTP2 = "PRI * HTTP/2.0\r\n";

/**
 * What the first bytes of a connection begin: a request of HTTP/1, or something that is none (TLS, HTTP/2 without it).
 * `undefined` when more has to come.
 */
export function firstWords(bytes: Uint8Array): "http1" | "other" | undefined {
  if (bytes.length === 0) return undefined;
  const text = textOf(bytes.subarray(0, HTTP2.length));
  if (text === HTTP2) return "other";
  if (HTTP2.startsWith(text)) return undefined;
  return TOKEN.test(text[0]!) ? "http1" : "other";
}

/** Reads a request's head, empty line included. @throws {SyntaxError} When it is none, or could be read in two ways. */
export function parseRequest(head: Uint8Array): RequestHead {
  const [line, ...fields] = lines(head);
  const [, method, target, minor] = REQUEST_LINE.exec(line!) ?? [];
  if (method === undefined || !TOKEN.test(method)) {
    throw new SyntaxError(`Cannot read request: its first line is ${quote(line!)}`);
  }
  const known = knownFields(fields);
  const isOld = minor === "0";
  const { codings } = known;
  if (codings !== undefined && (codings !== "chunked" || isOld)) {
    throw new SyntaxError(`Cannot read request: its transfer coding is ${quote(codings)}`);
  }
  const upgrade = known.upgrade !== undefined && known.connection.has("upgrade") && !isOld;
  return {
    method,
    target: target!,
    isOld,
    framing: codings !== undefined ? { kind: "chunked" } : ofLength(known.length),
    keepAlive: isOld ? known.connection.has("keep-alive") : !known.connection.has("close"),
    upgrade,
    fields: endToEnd(fields, upgrade),
  };
}

/** Reads the head of the answer to a request of that method. @throws {SyntaxError} */
export function parseResponse(head: Uint8Array, method: string): ResponseHead {
  const [line, ...fields] = lines(head);
  const [, minor, code, reason = ""] = STATUS_LINE.exec(line!) ?? [];
  if (code === undefined) throw new SyntaxError(`Cannot read answer: its first line is ${quote(line!)}`);
  const known = knownFields(fields);
  const status = Number(code);
  const framing = responseFraming(status, method, known);
  return {
    status,
    reason,
    framing,
    keepAlive: framing.kind !== "close" &&
      (minor === "0" ? known.connection.has("keep-alive") : !known.connection.has("close")),
    fields: endToEnd(fields, status === 101),
  };
}

/** A request as it is told to the server behind; without a word on the connection it is kept. */
export function requestBytes({ method, target, isOld, fields }: RequestHead): Uint8Array {
  return bytesOf(
    `${method} ${target} HTTP/1.${isOld ? 0 : 1}\r\n${fields.map((each) => `${each}\r\n`).join("")}\r\n`,
  );
}

/** An answer as it is told to the client. */
export function responseBytes(
  { status, reason, fields }: ResponseHead,
  connection: "keep-alive" | "close" | undefined,
): Uint8Array {
  const all = connection === undefined ? fields : [...fields, `Connection: ${connection}`];
  return bytesOf(`HTTP/1.1 ${status} ${reason}\r\n${all.map((each) => `${each}\r\n`).join("")}\r\n`);
}

/** A whole answer of our own, after which the connection is closed. */
export function ownAnswer(status: number, text: string): Uint8Array {
  const reason = REASONS[status] ?? "";
  const body = new TextEncoder().encode(`${text}\n`);
  const fields = ["Content-Type: text/plain; charset=utf-8", `Content-Length: ${body.length}`];
  if (status === 503) fields.push("Retry-After: 1");
  const head = responseBytes(
    { status, reason, framing: { kind: "none" }, keepAlive: false, fields },
    "close",
  );
  return joined(head, body);
}

/** Finds the end of a body, bytes as they come. */
export class BodyScanner {
  #state: "length" | "size" | "data" | "dataEnd" | "trailer" | "close" | "done";
  /** Bytes that are left of the body or of the chunk, its line's end excluded. */
  #left = 0;
  /** What has come of a line. */
  #line = "";

  constructor(framing: Framing) {
    this.#state = "done";
    if (framing.kind === "length" && framing.bytes > 0) [this.#state, this.#left] = ["length", framing.bytes];
    else if (framing.kind === "chunked") this.#state = "size";
    else if (framing.kind === "close") this.#state = "close";
  }

  /** Whether the body is at its end; never for one that ends with its connection. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Whether it ends with its connection. */
  get endsWithConnection(): boolean {
    return this.#state === "close";
  }

  /** How many of the bytes belong to the body. @throws {SyntaxError} When they are no chunks. */
  take(bytes: Uint8Array): number {
    if (this.#state === "close") return bytes.length;
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      at = this.#state === "length" || this.#state === "data"
        ? this.#skip(bytes, at)
        : this.#takeLine(bytes, at);
    }
    return at;
  }

  #skip(bytes: Uint8Array, at: number): number {
    const step = Math.min(this.#left, bytes.length - at);
    this.#left -= step;
    if (this.#left === 0) this.#state = this.#state === "length" ? "done" : "dataEnd";
    return at + step;
  }

  #takeLine(bytes: Uint8Array, at: number): number {
    const end = bytes.indexOf(LF, at);
    const stop = end < 0 ? bytes.length : end + 1;
    this.#line += textOf(bytes.subarray(at, stop));
    if (this.#line.length > CHUNK_LINE_BYTES) {
      throw new SyntaxError(`Cannot read chunks: a line has over ${CHUNK_LINE_BYTES} bytes`);
    }
    if (end >= 0) {
      const line = this.#line;
      this.#line = "";
      if (!line.endsWith("\r\n")) throw new SyntaxError(`Cannot read chunks: a line ends with LF alone`);
      this.#endLine(line.slice(0, -2));
    }
    return stop;
  }

  #endLine(line: string): void {
    if (this.#state === "dataEnd") {
      if (line !== "") throw new SyntaxError(`Cannot read chunks: ${quote(line)} stands behind a chunk`);
      this.#state = "size";
    } else if (this.#state === "trailer") {
      if (line === "") this.#state = "done";
    } else {
      const size = /^([0-9A-Fa-f]+)[ \t]*(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined || size.length > CHUNK_DIGITS) {
        throw new SyntaxError(`Cannot read chunks: a size is ${quote(line)}`);
      }
      this.#left = parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailer" : "data";
    }
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

const CR = 0x0d;
const LF = 0x0a;

interface KnownFields {
  /** Of `Content-Length`; the same value may stand there twice. */
  length?: number;
  /** Of `Transfer-Encoding`, in small letters. */
  codings?: string;
  upgrade?: string;
  readonly connection: ReadonlySet<string>;
}

function lines(head: Uint8Array): string[] {
  // Behind the last field stands an empty line.
  return textOf(head).split("\r\n").slice(0, -2);
}

function knownFields(fields: readonly string[]): KnownFields {
  const connection = new Set<string>();
  const known: KnownFields = { connection };
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon);
    if (colon <= 0 || !TOKEN.test(name) || /[\0\n\r]/.test(field)) {
      throw new SyntaxError(`Cannot read head: a field is ${quote(field)}`);
    }
    const value = trimmed(field.slice(colon + 1));
    switch (name.toLowerCase()) {
      case "content-length":
        known.length = lengthOf(value, known.length);
        break;
      case "transfer-encoding":
        known.codings = `${known.codings === undefined ? "" : `${known.codings}, `}${value.toLowerCase()}`;
        break;
      case "upgrade":
        known.upgrade = value;
        break;
      case "connection":
        for (const each of value.toLowerCase().split(",")) connection.add(trimmed(each));
    }
  }
  if (known.length !== undefined && known.codings !== undefined) {
    throw new SyntaxError(
      `Cannot read head: it has a length and the transfer coding ${quote(known.codings)}`,
    );
  }
  return known;
}

function lengthOf(value: string, before: number | undefined): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (Number.isNaN(length) || (before !== undefined && before !== length)) {
    throw new SyntaxError(`Cannot read head: its length is ${quote(value)}`);
  }
  return length;
}

function ofLength(length: number | undefined): Framing {
  return length === undefined || length === 0 ? { kind: "none" } : { kind: "length", bytes: length };
}

function responseFraming(status: number, method: string, known: KnownFields): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "none" };
  if (known.codings !== undefined) return { kind: isChunked(known.codings) ? "chunked" : "close" };
  return known.length === undefined ? { kind: "close" } : ofLength(known.length);
}

/** Chunks tell where a body ends only when they are the last that was done to it. */
function isChunked(codings: string): boolean {
  return trimmed(codings.slice(codings.lastIndexOf(",") + 1)) === "chunked";
}

/** Without blanks and tabs around: what else JavaScript takes for white space, servers take for a part of the value. */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

function endToEnd(fields: readonly string[], all: boolean): readonly string[] {
  return all
    ? fields
    : fields.filter((field) => !HOP_BY_HOP.has(field.slice(0, field.indexOf(":")).toLowerCase()));
}

/** A letter for each byte, and back. `TextDecoder("latin1")` is windows-1252 and would change some (WHATWG Encoding). */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
