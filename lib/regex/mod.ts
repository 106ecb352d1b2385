/**
 * Regular expressions of others: those of Rust's crate in JavaScript's syntax, and none that takes for ever.
 *
 * Reading order: `linear.ts` (how they are run), `rust_pattern.ts` (their syntax), `flat_pattern.ts` and `code_ranges.ts`
 * (how they are said without flags), `posix_classes.ts`.
 * @module
 */
export { linearRegExp, type LinePattern, linePattern, rustRegExp } from "./linear.ts";
export { POSIX_CLASSES } from "./posix_classes.ts";
