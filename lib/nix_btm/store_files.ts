/**
 * Files of the store that logs and people name. Whoever may write to the daemon's socket names them, and the daemon may be
 * root: only what looks like the store's is opened for him. Nobody waits for what is no plain file, or reads one of a
 * size that derivations do not have.
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { constants } from "node:fs";
import { parseStorePath } from "../nix/mod.ts";

/** The largest derivations, of whole systems, have some hundred kilobytes. */
const FILE_MAX_BYTES = 32 * 2 ** 20;

/** The time that Nix gives all that it registers, in milliseconds. */
const REGISTERED_MS = 1_000;

/**
 * The text of a derivation that a log names.
 * @throws {Deno.errors.NotFound} When there is none. @throws {TypeError} When it is something else.
 */
export async function readDerivation(path: string): Promise<string> {
  const parsed = parseStorePath(path);
  if (
    parsed === undefined || path !== `${parsed.store}/${parsed.hash}-${parsed.name}` || !path.endsWith(".drv")
  ) {
    throw new TypeError(`Cannot read derivation ${path}: it is no path of a store`);
  }
  checkFile(path, await Deno.lstat(path));
  return await readPlain(path, constants.O_NOFOLLOW);
}

/**
 * The text of a derivation that a person names: wherever it lies, and through symbolic links.
 * @throws {Deno.errors.NotFound} When there is none. @throws {TypeError} When it is something else.
 */
export async function readNamedDerivation(path: string): Promise<string> {
  if (!path.endsWith(".drv")) {
    throw new TypeError(`Cannot read derivation ${path}: its name does not end in .drv`);
  }
  checkFile(path, await Deno.stat(path));
  return await readPlain(path, 0);
}

/** Whether something lies at a path of a store. */
export async function isInStore(path: string): Promise<boolean> {
  if (parseStorePath(path) === undefined) return false;
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Whether Nix has registered a path of a store: a builder that writes there leaves the time at which it does. */
export async function isRegistered(path: string): Promise<boolean> {
  if (parseStorePath(path) === undefined) return false;
  return await Deno.lstat(path).then(({ mtime }) => mtime?.getTime() === REGISTERED_MS, () => false);
}

/** What was a plain file when it was looked at may be another one now: a pipe is not waited for. */
async function readPlain(path: string, flags: number): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  const found = await file.stat();
  checkFile(path, { isFile: found.isFile(), size: found.size });
  return new TextDecoder().decode(await readBytes(file, found.size));
}

function checkFile(
  path: string,
  { isFile, size }: { readonly isFile: boolean; readonly size: number },
): void {
  if (!isFile) throw new TypeError(`Cannot read derivation ${path}: it is no plain file`);
  if (size > FILE_MAX_BYTES) throw new RangeError(`Cannot read derivation ${path}: it has ${size} bytes`);
}

/** So many, or less where it became shorter. */
async function readBytes(file: FileHandle, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  let done = 0;
  while (done < count) {
    const { bytesRead } = await file.read(bytes, done, count - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
