/**
 * The binary protocol, little-endian. A message is `REZL`, version (two bytes, 1.0), u16 number of items, u32 bytes of
 * payload (at most 64 KiB). An item is a type (0 session, 1 counter, 2 gauge, 3 histogram), its value (u64, i64, or
 * u8 grouping power, u8 maximum power, u16 count and that many u64), u16 length and name, and labels: u16 count, each
 * u8 length and key, u8 length and value. A session has labels only.
 *
 * Ours alone: an event (4) has labels only, those of `lib/events`; a metric that is over (5) has name and labels; help (6)
 * has name and, by u16 length, a text.
 * @module
 */
import type { Labels } from "../../metrics/mod.ts";
import { histogramValue, type PushedItem, type PushedValue } from "./pushed.ts";

/** The first bytes of a message. */
export const MAGIC: Uint8Array = new TextEncoder().encode("REZL");

const HEADER_BYTES = 12;

/** A larger payload is refused: the connection cannot be read any further. */
const MAX_PAYLOAD_BYTES = 65_536;

const VERSION_MAJOR = 1;

/** What was found at the beginning of some bytes. */
export type Message =
  /** It has not arrived in full. */
  | { readonly kind: "partial" }
  | { readonly kind: "message"; readonly items: readonly PushedItem[]; readonly bytes: number }
  /** Its payload is wrong, its length is not: reading can go on behind it. */
  | { readonly kind: "invalid"; readonly reason: string; readonly bytes: number };

/**
 * Reads one message.
 * @throws {SyntaxError} When the header is wrong, so that nobody knows where the next message begins.
 */
export function parseMessage(bytes: Uint8Array): Message {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!magic.every((byte, at) => byte === MAGIC[at])) {
    throw new SyntaxError("Cannot read message: it does not begin with REZL");
  }
  if (bytes.length < HEADER_BYTES) return { kind: "partial" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(4) !== VERSION_MAJOR) {
    throw new SyntaxError(
      `Cannot read message: version is ${view.getUint8(4)}.${view.getUint8(5)}, this build reads 1`,
    );
  }
  const payload = view.getUint32(8, true);
  if (payload > MAX_PAYLOAD_BYTES) {
    throw new SyntaxError(
      `Cannot read message: payload has ${payload} bytes, at most ${MAX_PAYLOAD_BYTES} are taken`,
    );
  }
  const total = HEADER_BYTES + payload;
  if (bytes.length < total) return { kind: "partial" };
  const reader = new ItemReader(bytes.subarray(HEADER_BYTES, total));
  try {
    const items: PushedItem[] = [];
    for (let left = view.getUint16(6, true); left > 0; left--) items.push(reader.item());
    return { kind: "message", items, bytes: total };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError)) {
      throw error;
    }
    return { kind: "invalid", reason: error.message, bytes: total };
  }
}

/** Walks over a payload; every step checks that its bytes are there. */
class ItemReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  item(): PushedItem {
    const type = this.#number(1);
    if (type === 0) return { kind: "session", labels: this.#labels() };
    if (type === 4) return { kind: "event", labels: this.#labels() };
    if (type === 5) return { kind: "gone", name: this.#name(), labels: this.#labels() };
    if (type === 6) return { kind: "help", name: this.#name(), text: this.#text(this.#number(2)) };
    const value = this.#value(type);
    return { kind: "metric", metric: { name: this.#name(), labels: this.#labels(), value } };
  }

  #name(): string {
    const name = this.#text(this.#number(2));
    if (name === "") throw new SyntaxError("Cannot read item: its name is empty");
    return name;
  }

  #value(type: number): PushedValue {
    if (type === 1) return { type: "counter", words: this.#words(1) };
    if (type === 2) return { type: "gauge", words: this.#words(1) };
    if (type !== 3) throw new SyntaxError(`Cannot read item: type is ${type}, known are 0 to 6`);
    const [grouping, max] = [this.#number(1), this.#number(1)];
    return histogramValue(grouping, max, this.#words(this.#number(2)));
  }

  #labels(): Labels {
    const labels: Record<string, string> = {};
    for (let left = this.#number(2); left > 0; left--) {
      const key = this.#text(this.#number(1));
      labels[key] = this.#text(this.#number(1));
    }
    return labels;
  }

  #number(bytes: 1 | 2): number {
    const at = this.#skip(bytes);
    return bytes === 1 ? this.#view.getUint8(at) : this.#view.getUint16(at, true);
  }

  #words(count: number): Uint32Array {
    const at = this.#skip(8 * count);
    return Uint32Array.from({ length: 2 * count }, (_, index) => this.#view.getUint32(at + 4 * index, true));
  }

  #text(bytes: number): string {
    const at = this.#skip(bytes);
    return TEXT.decode(this.#bytes.subarray(at, at + bytes));
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) {
      throw new RangeError(
        `Cannot read item: payload ends at byte ${this.#bytes.length}, ${at + bytes} are needed`,
      );
    }
    this.#at += bytes;
    return at;
  }
}

const TEXT = new TextDecoder("utf-8", { fatal: true });
