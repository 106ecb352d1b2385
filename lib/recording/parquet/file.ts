/** A parquet file opened for reading: its footer, and columns decoded when asked for. @module */
import type { ArrowField } from "./arrow_schema.ts";
import type { ByteSource } from "./byte_source.ts";
import { type Footer, readFooter, type SchemaDecoder } from "./footer.ts";
import { type ColumnData, readChunk } from "./pages.ts";

/** A parquet file; it holds the footer, and of the data only what is being decoded. */
export class ParquetFile {
  readonly footer: Footer;
  readonly fields: readonly ArrowField[];
  readonly #source: ByteSource;

  /** @throws {ParquetError} When it is not parquet, or damaged. */
  constructor(source: ByteSource, decode?: SchemaDecoder) {
    this.#source = source;
    this.footer = readFooter(source, decode);
    this.fields = this.footer.columns.map(({ field }) => field);
  }

  get rowCount(): number {
    return this.footer.rowCount;
  }

  get groupCount(): number {
    return this.footer.rowsOfGroup.length;
  }

  /** Returns a column's values in one row group. @throws {ParquetError} When they are damaged. */
  readGroup(group: number, column: number): ColumnData {
    return readChunk(this.#source, this.footer, group, column);
  }

  /** Returns a column's values in all rows. @throws {ParquetError} When they are damaged. */
  read(column: number): ColumnData {
    return concatColumns(
      Array.from({ length: this.groupCount }, (_, group) => this.readGroup(group, column)),
    );
  }
}

/** Returns the rows of all parts, one behind the other. */
export function concatColumns(parts: readonly ColumnData[]): ColumnData {
  if (parts.length === 1) return parts[0]!;
  const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const words = new Uint32Array(parts.reduce((sum, part) => sum + part.words.length, 0));
  const missing = parts.some((part) => part.missing !== undefined) ? new Uint8Array(rowCount) : undefined;
  const offsets = parts.some((part) => part.offsets !== undefined)
    ? new Uint32Array(rowCount + 1)
    : undefined;
  let [row, word] = [0, 0];
  for (const part of parts) {
    words.set(part.words, word);
    if (part.missing !== undefined) missing!.set(part.missing, row);
    if (offsets !== undefined) {
      for (let index = 1; index <= part.rowCount; index++) {
        offsets[row + index] = word / 2 + (part.offsets?.[index] ?? 0);
      }
    }
    row += part.rowCount;
    word += part.words.length;
  }
  return { rowCount, words, ...(missing && { missing }), ...(offsets && { offsets }) };
}
