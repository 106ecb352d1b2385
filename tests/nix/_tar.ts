/** Files of a gzipped tar archive. For tests. @module */
import { gunzipSync } from "node:zlib";

const BLOCK = 512;

/** Texts of the plain files, by name. */
export function readTar(path: string): Map<string, string> {
  const bytes = new Uint8Array(gunzipSync(Deno.readFileSync(path)));
  const text = (from: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(from, from + length));
  const files = new Map<string, string>();
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const name = text(at, 100).replace(/\0.*$/s, "");
    const size = parseInt(text(at + 124, 12), 8);
    const isFile = ["0", "\0"].includes(text(at + 156, 1));
    if (isFile) files.set(name.replace(/^.*\//, ""), text(at + BLOCK, size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
