/**
 * Parquet, as much of it as recordings need: 64-bit integers and lists of them, decoded straight into typed arrays.
 *
 * Reading order: `file.ts` (a file opened lazily), `footer.ts`, `arrow_schema.ts` (columns' metadata), `pages.ts`,
 * `encodings.ts`, `codecs.ts`; `writer.ts` and `encode.ts` for the way back; `thrift.ts` and `flatbuffer.ts` below them.
 * What columns mean is `lib/recording`'s.
 * @module
 */
export { type ArrowField, type ArrowType, decodeArrowSchema, encodeArrowSchema } from "./arrow_schema.ts";
export { type ByteSource, memorySource } from "./byte_source.ts";
export { ParquetError } from "./error.ts";
export { concatColumns, ParquetFile } from "./file.ts";
export { type Footer, type ParquetColumn, readFooter } from "./footer.ts";
export type { ColumnData } from "./pages.ts";
export { type ByteSink, type Effort, ParquetWriter, type WrittenFile } from "./writer.ts";
