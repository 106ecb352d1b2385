/**
 * Files of the store that logs name. Whoever may write to the daemon's socket names them, and the daemon may be root: only
 * what looks like the store's is opened, and only plain files of a size that derivations have.
 * @module
 */
import { parseStorePath } from "../nix/mod.ts";

/** The largest derivations, of whole systems, have some hundred kilobytes. */
const FILE_MAX_BYTES = 32 * 2 ** 20;

/** The text of a derivation. @throws {Deno.errors.NotFound} When there is none. @throws {TypeError} When it is something else. */
export async function readDerivation(path: string): Promise<string> {
  const parsed = parseStorePath(path);
  if (
    parsed === undefined || path !== `${parsed.store}/${parsed.hash}-${parsed.name}` || !path.endsWith(".drv")
  ) {
    throw new TypeError(`Cannot read derivation ${path}: it is no path of a store`);
  }
  const { isFile, size } = await Deno.lstat(path);
  if (!isFile) throw new TypeError(`Cannot read derivation ${path}: it is no plain file`);
  if (size > FILE_MAX_BYTES) throw new RangeError(`Cannot read derivation ${path}: it has ${size} bytes`);
  return await Deno.readTextFile(path);
}

/** Whether something lies at a path of a store. */
export async function isInStore(path: string): Promise<boolean> {
  if (parseStorePath(path) === undefined) return false;
  return await Deno.lstat(path).then(() => true, () => false);
}
