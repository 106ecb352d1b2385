/** How a program is linked, from the first bytes of its file. Pure. ELF-64, little endian (`elf(5)`). @module */

/** What a file is to whoever runs it. */
export type ProgramKind =
  /** Asks for this loader (`PT_INTERP`). */
  | { readonly kind: "dynamic"; readonly loader: string }
  | { readonly kind: "static" }
  /** Is run by another program: the words of its first line. */
  | { readonly kind: "script"; readonly interpreter: readonly string[] }
  | { readonly kind: "unknown" };

/** Bytes of a file that suffice: headers of programs stand at its beginning, and so does the loader's name. */
export const PROGRAM_HEAD_BYTES = 16_384;

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PT_INTERP = 3;
const LATIN1 = new TextDecoder("latin1");

/** Reads the beginning of a file. */
export function programKind(head: Uint8Array): ProgramKind {
  if (head[0] === 0x23 && head[1] === 0x21) {
    const [line = ""] = LATIN1.decode(head.subarray(2)).split("\n", 1);
    const interpreter = line.trim().split(/\s+/);
    return interpreter[0] === "" ? { kind: "unknown" } : { kind: "script", interpreter };
  }
  const isElf = LATIN1.decode(head.subarray(0, 4)) === "\x7fELF" && head[4] === 2 && head[5] === 1;
  if (!isElf || head.length < ELF_HEADER_BYTES) return { kind: "unknown" };
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const [at, bytes, count] = [
    Number(view.getBigUint64(32, true)),
    view.getUint16(54, true),
    view.getUint16(56, true),
  ];
  if (bytes < PROGRAM_HEADER_BYTES) return { kind: "unknown" };
  for (let index = 0; index < count; index++) {
    const entry = at + index * bytes;
    if (entry + PROGRAM_HEADER_BYTES > head.length) return { kind: "unknown" };
    if (view.getUint32(entry, true) === PT_INTERP) return loaderAt(head, view, entry);
  }
  return { kind: "static" };
}

function loaderAt(head: Uint8Array, view: DataView, entry: number): ProgramKind {
  const [from, bytes] = [view.getBigUint64(entry + 8, true), view.getBigUint64(entry + 32, true)];
  if (from + bytes > BigInt(head.length) || bytes === 0n) return { kind: "unknown" };
  const [loader] = LATIN1.decode(head.subarray(Number(from), Number(from + bytes))).split("\0", 1);
  return { kind: "dynamic", loader: loader! };
}
