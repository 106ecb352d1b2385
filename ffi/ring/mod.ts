/**
 * Binding of the ring library: writers, readers, doorbells and segments as handles (see `ring.h` for the format, who
 * owns what and what blocks). `lib/ring` makes classes of them; nothing else should need this module.
 * @module
 */
import { openLibrary } from "../assets.ts";
import { cString } from "../c_string.ts";
import { check, errnoOf, SystemError } from "../errno.ts";

const SYMBOLS = {
  ring_create: { parameters: ["buffer", "u64", "u32", "buffer", "buffer"], result: "i32" },
  ring_write: { parameters: ["pointer", "buffer", "u64"], result: "i64" },
  ring_beat: { parameters: ["pointer"], result: "void" },
  ring_writer_position: { parameters: ["pointer"], result: "u64" },
  ring_writer_epoch: { parameters: ["pointer"], result: "u64" },
  ring_writer_free: { parameters: ["pointer"], result: "void" },
  ring_open: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  ring_read: { parameters: ["pointer", "buffer", "u64"], result: "i64" },
  ring_pending: { parameters: ["pointer"], result: "i32" },
  ring_seek_back: { parameters: ["pointer", "u64"], result: "u64" },
  ring_seek: { parameters: ["pointer", "u64"], result: "i32" },
  ring_reader_state: { parameters: ["pointer"], result: "u32" },
  ring_reader_epoch: { parameters: ["pointer"], result: "u64" },
  ring_reader_position: { parameters: ["pointer"], result: "u64" },
  ring_reader_slice: { parameters: ["pointer"], result: "u64" },
  ring_reader_status: { parameters: ["pointer", "buffer"], result: "void" },
  ring_reader_free: { parameters: ["pointer"], result: "void" },
  doorbell_create: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  ring_register: { parameters: ["pointer", "pointer", "u32"], result: "i32" },
  ring_unregister: { parameters: ["pointer", "pointer"], result: "i32" },
  doorbell_wait: { parameters: ["pointer", "i64"], result: "i32", nonblocking: true },
  doorbell_poke: { parameters: ["pointer"], result: "void" },
  doorbell_take: { parameters: ["pointer", "buffer"], result: "i32" },
  doorbell_free: { parameters: ["pointer"], result: "void" },
  segments_open: { parameters: ["buffer", "u64", "u64", "u32", "buffer", "buffer"], result: "i32" },
  segments_write: { parameters: ["pointer", "buffer", "u64"], result: "i64" },
  segments_beat: { parameters: ["pointer"], result: "void" },
  segments_position: { parameters: ["pointer"], result: "u64" },
  segments_dropped_bytes: { parameters: ["pointer"], result: "u64" },
  segments_child_started: { parameters: ["pointer", "u32", "u64"], result: "void" },
  segments_child_exited: { parameters: ["pointer", "i32"], result: "void" },
  segments_free: { parameters: ["pointer"], result: "void" },
  ring_process_start: { parameters: ["u32"], result: "u64" },
} as const;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Something that the library made and that its `…_free` takes back. */
export type Handle = Deno.PointerObject;

/** Number of the file format that this build writes, and the newest that it reads. */
export const RING_FORMAT = 1;

/** Constants of `ring.h`. */
export const RING_LAPPED = -75n;
export const RING_RESTARTED = -116n;
export const DOORBELL_RINGS = 4096;
const WHY_BYTES = 160;
const EAGAIN = errnoOf("EAGAIN");

/** What is wrong with a file, as a caller may want to act on it. */
export type RingFault = "foreign" | "newer" | "byteOrder" | "truncated" | "busy";

const FAULTS: Readonly<Record<number, RingFault>> = {
  16: "busy",
  61: "truncated",
  74: "foreign",
  84: "byteOrder",
  93: "newer",
};

/** A file that is there and cannot be used; it was left as it is. */
export class RingError extends Error {
  override readonly name: string = "RingError";
  readonly fault: RingFault;
  readonly path: string;

  constructor(what: string, path: string, fault: RingFault, why: string) {
    super(`Cannot ${what} "${path}": ${why}`);
    this.fault = fault;
    this.path = path;
  }
}

let symbols: Symbols | undefined;

/** The library's functions, opened on first use and kept. */
export function ring(): Symbols {
  symbols ??= openLibrary("ring", SYMBOLS).symbols;
  return symbols;
}

/** What a writer does with a ring that stands at its path. */
export type RingMode = "continue" | "replace";

/** Opens for writing. @throws {RingError} On a file that cannot be used. @throws {SystemError} From the system. */
export function createRing(path: string, dataBytes: number, mode: RingMode): Handle {
  return open(
    "create ring",
    path,
    (name, out, why) => ring().ring_create(name, BigInt(dataBytes), mode === "continue" ? 0 : 1, out, why),
  );
}

/** Opens for reading. @throws {RingError} On a file that cannot be used. @throws {SystemError} From the system. */
export function openRing(path: string): Handle {
  return open("open ring", path, (name, out, why) => ring().ring_open(name, out, why));
}

/** Makes a doorbell. @throws {RingError} When another process has it. @throws {SystemError} From the system. */
export function createDoorbell(path: string): Handle {
  return open("create doorbell", path, (name, out, why) => ring().doorbell_create(name, out, why));
}

/** Sizes of a log; retention holds at least two files. */
export interface SegmentSizes {
  readonly dataBytes: number;
  readonly retainBytes: number;
  /** At the limit of retention: remove the oldest file, or refuse to write until somebody has. */
  readonly overflow: "dropOldest" | "block";
}

/** Opens a folder of segments for writing. @throws {RingError | SystemError} As `createRing`. */
export function openSegments(folder: string, sizes: SegmentSizes): Handle {
  const overflow = sizes.overflow === "block" ? 1 : 0;
  return open(
    "open segments",
    folder,
    (name, out, why) =>
      ring().segments_open(name, BigInt(sizes.dataBytes), BigInt(sizes.retainBytes), overflow, out, why),
  );
}

/** Start of a process in clock ticks since boot, 0 when none of that pid runs: with the pid it names one for good. */
export function processStart(pid: number): bigint {
  return ring().ring_process_start(pid);
}

/** Writes a batch of records; returns the bytes taken, fewer than all only where segments block. */
export function writeRecords(
  kind: "ring" | "segments",
  handle: Handle,
  batch: Uint8Array,
  bytes: number,
): number {
  const buffer = batch as Uint8Array<ArrayBuffer>;
  const result = Number(
    kind === "ring"
      ? ring().ring_write(handle, buffer, BigInt(bytes))
      : ring().segments_write(handle, buffer, BigInt(bytes)),
  );
  if (result === -EAGAIN && kind === "segments") return 0;
  return check(`write ${bytes} bytes of records`, result);
}

function open(
  what: string,
  path: string,
  call: (
    name: Uint8Array<ArrayBuffer>,
    out: BigUint64Array<ArrayBuffer>,
    why: Uint8Array<ArrayBuffer>,
  ) => number,
): Handle {
  if (path.includes("\0")) throw new TypeError(`Cannot ${what} ${JSON.stringify(path)}: it holds a NUL`);
  const out = new BigUint64Array(1);
  const why = new Uint8Array(WHY_BYTES);
  const result = call(cString(path), out, why);
  if (result < 0) {
    const text = new TextDecoder().decode(why.subarray(0, why.indexOf(0)));
    const fault = FAULTS[-result];
    if (fault !== undefined && text !== "") throw new RingError(what, path, fault, text);
    throw new SystemError(`${what} "${path}"`, -result, { detail: text });
  }
  const handle = Deno.UnsafePointer.create(out[0]!);
  if (handle === null) throw new Error(`Cannot ${what} "${path}": the library gave no handle`);
  return handle;
}
