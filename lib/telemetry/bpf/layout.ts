/**
 * What C declares, as user space sees it: structures of `bpf/*.h` as u64 fields by name (a test compares each with its
 * header), and settings.
 * @module
 */

/** Where each field of a structure of u64 stands, counted in u64. */
export interface Layout<Field extends string> {
  readonly header: string;
  readonly struct: string;
  /** Distance of two structures, counted in u64. */
  readonly size: number;
  readonly index: Readonly<Record<Field, number>>;
}

/** Describes a structure: its fields in order, each one u64 or, as `[name, count]`, an array of them. */
export function layout<const Field extends string>(
  header: string,
  struct: string,
  fields: readonly (Field | readonly [Field, number])[],
): Layout<Field> {
  const index: Partial<Record<Field, number>> = {};
  let size = 0;
  for (const field of fields) {
    const [name, count] = typeof field === "string" ? [field, 1] : field;
    index[name] = size;
    size += count;
  }
  return { header, struct, size, index: index as Record<Field, number> };
}

/** The value of a `const volatile bool`. */
export function flag(value: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Number(value));
}
