/**
 * What Nix says, understood. Pure: bytes and times come in, rows come out.
 *
 * Reading order: `record.ts` (one record of `internal-json`), `log_reader.ts` (a stream of them), `message.ts` (what the
 * texts for people mean), `model.ts` (the rows), `state.ts` (all logs together, with `rows.ts`), `connection.ts` (one log)
 * and `work.ts` (one command: how its builds end, by `build.ts` and `proof.ts`; its `jobs.ts`, `copies.ts` and
 * `figures.ts`); `bounds.ts` (how much of it is kept), `store_path.ts` and `derivation.ts` (what lies in the store),
 * `graph.ts` (what needs what), `estimate.ts` (how long it will take), `why_rebuilt.ts`.
 * Sockets, files, clocks and screens are left to `lib/nix_btm`.
 * @module
 */
export { BOUNDS, cutMiddle, cutText, labelText } from "./bounds.ts";
export { ACTIVITY, type Field, LEVEL, type NixRecord, parseRecord, RESULT } from "./record.ts";
export { LogReader, type ReaderCounts } from "./log_reader.ts";
export { type Failure, type Meaning, meaningOf } from "./message.ts";
export {
  type Command,
  type CommandState,
  isOver,
  type Job,
  type JobKind,
  type JobState,
  OVER_TAIL_LINES,
  type Phase,
  type Problem,
  type Progress,
  type Requester,
  TAIL_LINES,
} from "./model.ts";
export { type Changes, NixState } from "./state.ts";
export type { Listener } from "./rows.ts";
export { Graph, type Node } from "./graph.ts";
export { type Durations, durations, type DurationsOf, type Estimate, estimate } from "./estimate.ts";
export { type Difference, whyRebuilt } from "./why_rebuilt.ts";
export { nameOf, packageOf, parseStorePath, type StorePath } from "./store_path.ts";
export { type Derivation, type Input, type Output, parseDerivation } from "./derivation.ts";
