/** Saves what a command says, records and text, as it came. @module */
import type { Sink } from "./run.ts";

/** A sink that has a file open until it is disposed. */
export interface FileSink extends Disposable {
  readonly take: Sink;
}

/** Makes the file, or empties the one that is there. @throws {Error} When that cannot be. */
export function fileSink(path: string): FileSink {
  const file = opened(path);
  return {
    async take(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      } catch (error) {
        throw new Error(`Cannot save the log to ${path}: ${told(error)}; nothing more is saved`, {
          cause: error,
        });
      }
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function opened(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { write: true, create: true, truncate: true });
  } catch (error) {
    throw new Error(`Cannot save the log to ${path}: ${told(error)}`, { cause: error });
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
