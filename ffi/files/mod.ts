/** Binding of `files.h`: small files and folders of the kernel, read in one call. @module */
import { openLibrary } from "../assets.ts";
import { SystemError } from "../errno.ts";

const SYMBOLS = {
  hk_files_read: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_list: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_exist: { parameters: ["buffer"], result: "i32" },
  hk_files_write: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** Opened on first use and kept for the life of the process. */
function lib(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  library ??= openLibrary("files", SYMBOLS);
  return library.symbols;
}

const TEXT = new TextEncoder();

/** Shared by all readings: kernel files are small, and a reading copies what it found. */
let scratch = new Uint8Array(64 * 1024);

/** A file or folder larger than this is not a small kernel file: reading it is a mistake. */
const LARGEST_BYTES = 256 * 1024 * 1024;

/** Bytes of a file. @throws {SystemError} When it cannot be read. */
export function readKernelFile(path: string): Uint8Array<ArrayBuffer> {
  const name = cString(path);
  for (;;) {
    const found = Number(lib().hk_files_read(name, scratch, BigInt(scratch.length)));
    if (found < 0) throw new SystemError(`read ${path}`, -found);
    if (found < scratch.length) return scratch.slice(0, found);
    grow(path);
  }
}

/** Names in a folder. @throws {SystemError} When it cannot be listed. */
export function listKernelFolder(path: string): string[] {
  const name = cString(path);
  for (;;) {
    const found = Number(lib().hk_files_list(name, scratch, BigInt(scratch.length)));
    if (found === -ERANGE) grow(path);
    else if (found < 0) throw new SystemError(`list ${path}`, -found);
    else return new TextDecoder().decode(scratch.subarray(0, found)).split("\0").slice(0, -1).sort();
  }
}

/** Whether something stands at the path. @throws {SystemError} When that cannot be told. */
export function kernelPathExists(path: string): boolean {
  const found = lib().hk_files_exist(cString(path));
  if (found < 0) throw new SystemError(`look for ${path}`, -found);
  return found === 1;
}

/** Writes a kernel file in one go. @throws {SystemError} When the kernel refuses. */
export function writeKernelFile(path: string, text: string): void {
  const data = TEXT.encode(text);
  const done = Number(lib().hk_files_write(cString(path), data, BigInt(data.length)));
  if (done < 0) throw new SystemError(`write ${path}`, -done);
}

const ERANGE = 34;

function grow(path: string): void {
  if (scratch.length >= LARGEST_BYTES) {
    throw new RangeError(`Cannot read ${path}: more than ${LARGEST_BYTES} bytes`);
  }
  scratch = new Uint8Array(4 * scratch.length);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return TEXT.encode(`${text}\0`);
}
