/**
 * What a command of Nix does, shown where it was typed: its log goes on, and below it stands what is done now.
 *
 * Reading order: `figures.ts` (counts), `tree.ts` (what is shown, and where), `row.ts` (a line of it), `sum.ts` (the last
 * line), `frame.ts` (all lines), `ending.ts` (what is said at the end), `told.ts` (what is printed above), `area.ts` (the
 * bytes that replace what is shown); `view.ts` and its three kinds, `terminal_view.ts`, `plain_view.ts` and
 * `json_view.ts`, with `line_joiner.ts`, `seen.ts` and `long_errors.ts`; `session.ts` (timers, and everything that is
 * not pure).
 * @module
 */
export { barText, fitLine, type Line, lineText, unstyledText } from "./_text.ts";
export { handlesOf } from "./handles.ts";
export { inlineLines } from "./frame.ts";
export { endingLines } from "./ending.ts";
export { isWorthTelling, logLine } from "./told.ts";
export { LiveArea } from "./area.ts";
export { isBusy } from "./figures.ts";
export { LINE_MAX, LineJoiner } from "./line_joiner.ts";
export { Seen, TEXTS_MAX } from "./seen.ts";
export type { Moment, View } from "./view.ts";
export { PICTURE_LINGER_MS, TerminalView } from "./terminal_view.ts";
export { PlainView, PROGRESS_EVERY_MS, progressText } from "./plain_view.ts";
export { JsonView } from "./json_view.ts";
export { Session, type Shown } from "./session.ts";
