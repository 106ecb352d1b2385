/**
 * Where a tool finds what it carries with it: native libraries, BPF objects, web bundles.
 *
 * From source that is `.build/assets` of the checkout. In an executable all code is one bundled module and the
 * assets stand in `assets/` beside it; bundling moves every module there, so the folder's own name tells them apart.
 * @module
 */
const HERE: string = import.meta.dirname ?? "";

/** The folder of assets, without a slash at its end. */
export const ASSETS: string = HERE.endsWith("/ffi") ? `${HERE.slice(0, -3)}.build/assets` : `${HERE}/assets`;

/** In an executable there is nothing to build. */
const REMEDY = HERE.endsWith("/ffi") ? '; run "deno task setup" to build it' : "";

/** Absolute path of an asset, for example `bpf/sched.bpf.o`. */
export function assetPath(name: string): string {
  return `${ASSETS}/${name}`;
}

/** Opens the shim `name` of this architecture. The one place of the project that calls `Deno.dlopen`. */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: S,
): Deno.DynamicLibrary<S> {
  const path = assetPath(`lib/${name}.so`);
  try {
    return Deno.dlopen(path, symbols);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot open native library "${name}" at ${path}: ${reason}${REMEDY}`, { cause });
  }
}
