/** Binding of `files.h`: small files and folders of the kernel, each in one call. @module */
import { openLibrary } from "../assets.ts";
import { cString } from "../c_string.ts";
import { errnoOf, SystemError } from "../errno.ts";

const SYMBOLS = {
  hk_files_read: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_list: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_link: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_exist: { parameters: ["buffer"], result: "i32" },
  hk_files_write: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  hk_files_make_folder: { parameters: ["buffer"], result: "i32" },
  hk_files_remove_folder: { parameters: ["buffer"], result: "i32" },
} as const;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** Opened on first use and kept for the life of the process. */
function lib(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  library ??= openLibrary("files", SYMBOLS);
  return library.symbols;
}

/** Shared by all readings: kernel files are small, and a reading copies what it found. */
const SCRATCH = new Uint8Array(64 * 1024);

/** A file or folder larger than this is not a small kernel file: reading it is a mistake. */
const LARGEST_BYTES = 256 * 1024 * 1024;

/** What the shim answers when the names do not fit the buffer. */
const TOO_SMALL = errnoOf("ERANGE");

/** Bytes of a file. @throws {SystemError} When it cannot be read. */
export function readKernelFile(path: string): Uint8Array<ArrayBuffer> {
  const name = cString(path);
  for (let buffer = SCRATCH;; buffer = larger(buffer, path)) {
    const found = Number(lib().hk_files_read(name, buffer, BigInt(buffer.length)));
    if (found < 0) throw new SystemError(`read ${path}`, -found);
    if (found < buffer.length) return buffer.slice(0, found);
  }
}

/** Names in a folder. @throws {SystemError} When it cannot be listed. */
export function listKernelFolder(path: string): string[] {
  const name = cString(path);
  for (let buffer = SCRATCH;; buffer = larger(buffer, path)) {
    const found = Number(lib().hk_files_list(name, buffer, BigInt(buffer.length)));
    if (found === -TOO_SMALL) continue;
    if (found < 0) throw new SystemError(`list ${path}`, -found);
    return new TextDecoder().decode(buffer.subarray(0, found)).split("\0").slice(0, -1).sort();
  }
}

/** Where a link leads. @throws {SystemError} When there is none, or it may not be looked at. */
export function readKernelLink(path: string): string {
  const found = Number(lib().hk_files_link(cString(path), SCRATCH, BigInt(SCRATCH.length)));
  if (found < 0) throw new SystemError(`read link ${path}`, -found);
  return new TextDecoder().decode(SCRATCH.subarray(0, found));
}

/** Whether something stands at the path. @throws {SystemError} When that cannot be told. */
export function kernelPathExists(path: string): boolean {
  const found = lib().hk_files_exist(cString(path));
  if (found < 0) throw new SystemError(`look for ${path}`, -found);
  return found === 1;
}

/** Writes a kernel file in one go. @throws {SystemError} When the kernel refuses. */
export function writeKernelFile(path: string, text: string): void {
  const data = new TextEncoder().encode(text);
  const done = Number(lib().hk_files_write(cString(path), data, BigInt(data.length)));
  if (done < 0) throw new SystemError(`write ${path}`, -done);
}

/** Makes a folder of the kernel's, as a cgroup is one. @throws {SystemError} When there is one, or it may not be. */
export function makeKernelFolder(path: string): void {
  const done = lib().hk_files_make_folder(cString(path));
  if (done < 0) throw new SystemError(`make ${path}`, -done);
}

/** Removes one that nothing is in. @throws {SystemError} `EBUSY` or `ENOTEMPTY` when something is. */
export function removeKernelFolder(path: string): void {
  const done = lib().hk_files_remove_folder(cString(path));
  if (done < 0) throw new SystemError(`remove ${path}`, -done);
}

/** A buffer for a second try; it is not kept. */
function larger(buffer: Uint8Array, path: string): Uint8Array<ArrayBuffer> {
  if (buffer.length >= LARGEST_BYTES) {
    throw new RangeError(`Cannot read ${path}: more than ${LARGEST_BYTES} bytes`);
  }
  return new Uint8Array(4 * buffer.length);
}
