/** Where sources are and where what is built from them goes. @module */

/** The checkout, with a slash at its end. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Everything that is made by set-up; `deno task clean` removes it. */
export const BUILD = `${ROOT}.build/`;

/** What a tool carries with it: native libraries, BPF objects and web bundles (see `ffi/assets.ts`). */
export const ASSETS = `${BUILD}assets/`;

/** C test programs and other things that only tests use. */
export const TEST_BUILD = `${BUILD}test/`;

/** Executables of `pack` and `compile`. */
export const DIST = `${ROOT}dist/`;
