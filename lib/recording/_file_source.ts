/** A file read in parts. @module */
import type { ByteSource } from "./parquet/mod.ts";

/** Reads parts of a file. Owns it until disposed of. */
export class FileSource implements ByteSource, Disposable {
  readonly sizeBytes: number;
  readonly #file: Deno.FsFile;
  #closed = false;

  /** @throws {Deno.errors.NotFound} When there is no such file. @throws {TypeError} When it is no file. */
  constructor(path: string) {
    this.#file = Deno.openSync(path);
    const info = this.#file.statSync();
    this.sizeBytes = info.size;
    if (!info.isFile) {
      this[Symbol.dispose]();
      throw new TypeError("it is not a regular file");
    }
  }

  read(offset: number, byteCount: number): Uint8Array {
    const bytes = new Uint8Array(byteCount);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < byteCount;) {
      const count = this.#file.readSync(bytes.subarray(at));
      if (count === null) {
        throw new RangeError(`it ends at byte ${offset + at}, before byte ${offset + byteCount}`);
      }
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}
