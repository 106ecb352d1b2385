/**
 * Streams of records between processes, over memory: one writer, any number of readers, nothing copied through the
 * kernel and nobody waiting for a slow reader. In reading order: the records and batches of them (`records.ts`), CBOR
 * messages as records (`messages.ts`), the writer (`writer.ts`), the reader and what it may be told (`reader.ts`),
 * waiting for all rings of a process at once (`doorbell.ts`), and logs that keep more than one file (`segments.ts`).
 *
 * What is in the payloads, where the files lie and who is told what after a lap is left to others. The file's format
 * and its promises stand in `ffi/ring/ring.h`.
 * @module
 */
export { Batch, PAD_KIND, RECORD_HEADER_BYTES, recordBytes, Records } from "./records.ts";
export { decodeMessage, encodeMessage, MESSAGE_KIND, parseMessage } from "./messages.ts";
export { RingWriter, type RingWriterOptions } from "./writer.ts";
export {
  readBuffer,
  type ReadResult,
  RingReader,
  type RingReaderOptions,
  type RingStatus,
} from "./reader.ts";
export { Doorbell } from "./doorbell.ts";
export { SegmentReader, segmentStarts, SegmentWriter } from "./segments.ts";
export {
  RING_FORMAT,
  RingError,
  type RingFault,
  type RingMode,
  type SegmentSizes,
} from "../../ffi/ring/mod.ts";
