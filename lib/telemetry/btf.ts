/**
 * What the kernel's BTF tells without libbpf: which tracepoints there are, and how many arguments one has. Going
 * through five megabytes takes milliseconds; libbpf, which makes a model of all types, takes as many megabytes and
 * longer. Format: Documentation/bpf/btf.rst.
 * @module
 */

/** A BTF blob, cut into its two sections; `undefined` where the bytes are none. */
export interface Btf {
  readonly types: DataView;
  /** Names, each with a NUL before and behind. */
  readonly strings: Uint8Array;
}

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;

/** Takes the bytes apart; `undefined` where they are no BTF of this machine's byte order. */
export function parseBtf(bytes: Uint8Array | undefined): Btf | undefined {
  if (bytes === undefined || bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== MAGIC) return undefined;
  const [headerBytes, typesAt, typesBytes, stringsAt, stringsBytes] = [4, 8, 12, 16, 20].map((at) =>
    view.getUint32(at, true)
  ) as [number, number, number, number, number];
  if (headerBytes + Math.max(typesAt + typesBytes, stringsAt + stringsBytes) > bytes.length) return undefined;
  return {
    types: new DataView(bytes.buffer, bytes.byteOffset + headerBytes + typesAt, typesBytes),
    strings: bytes.subarray(headerBytes + stringsAt, headerBytes + stringsAt + stringsBytes),
  };
}

/** Names of all tracepoints that BTF describes, by the types `btf_trace_<name>`. */
export function tracepointNames({ strings }: Btf): Set<string> {
  const text = new TextDecoder("latin1").decode(strings);
  // Names are copied: a slice would keep the whole text alive.
  return new Set([...text.matchAll(/\0btf_trace_(\w+)(?=\0)/g)].map(([, name]) => structuredClone(name!)));
}

/** Kinds of types (include/uapi/linux/btf.h), and the bytes behind the 12 that each has: fixed, and by member. */
const PTR = 2;
const TYPEDEF = 8;
const FUNC_PROTO = 13;
const FIXED: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const BY_MEMBER: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
const TYPE_BYTES = 12;

/** Number of arguments of a tracepoint; `undefined` where BTF does not describe it. */
export function tracepointArguments(btf: Btf, event: string): number | undefined {
  const name = nameOffset(btf, `btf_trace_${event}`);
  if (name === undefined) return undefined;
  const { types } = btf;
  const starts: number[] = [0];
  let found: number | undefined;
  for (let at = 0; at + TYPE_BYTES <= types.byteLength;) {
    starts.push(at);
    const info = types.getUint32(at + 4, true);
    const kind = info >>> 24 & 0x1f;
    if (kind === TYPEDEF && types.getUint32(at, true) === name) found = at;
    at += TYPE_BYTES + (FIXED[kind] ?? 0) + (info & 0xffff) * (BY_MEMBER[kind] ?? 0);
  }
  // typedef void (*btf_trace_x)(void *, …): the first parameter is not one of the event's.
  const pointer = follow(found, TYPEDEF);
  const prototype = follow(pointer, PTR);
  if (prototype === undefined) return undefined;
  const info = types.getUint32(prototype + 4, true);
  return (info >>> 24 & 0x1f) === FUNC_PROTO ? (info & 0xffff) - 1 : undefined;

  /** Where the type begins that the one at `at` refers to. */
  function follow(at: number | undefined, kind: number): number | undefined {
    if (at === undefined || (types.getUint32(at + 4, true) >>> 24 & 0x1f) !== kind) return undefined;
    return starts[types.getUint32(at + 8, true)];
  }
}

/** Offset of a name in the strings. */
function nameOffset({ strings }: Btf, name: string): number | undefined {
  const wanted = new TextEncoder().encode(`\0${name}\0`);
  for (let at = strings.indexOf(0); at >= 0; at = strings.indexOf(0, at + 1)) {
    if (wanted.every((byte, index) => strings[at + index] === byte)) return at + 1;
  }
  return undefined;
}
