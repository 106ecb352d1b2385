/** What is wrong with a parquet file; the one who opened it adds its name. @module */

/** Bytes that are not the parquet expected. */
export class ParquetError extends SyntaxError {
  constructor(message: string) {
    super(message);
    this.name = "ParquetError";
  }
}
