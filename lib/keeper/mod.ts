/**
 * Keepers: processes that outlive whoever started them, with their output and their exit status.
 *
 * Reading order: `instance.ts` (one run of a command: begun, found again, looked at), `lines.ts` (its output as lines,
 * pure), `follow.ts` (the lines as they come, and the end), `control.ts` (input, signals, its end), `left_over.ts` (what is left when a
 * keeper was killed). What runs when, and what its end means, is left to others; what a
 * keeper promises stands in `ffi/keeper/keeper.h`.
 * @module
 */
export { exitOf, type ExitStatus, giveUpInstance, inspectInstance, type InstanceStatus } from "./instance.ts";
export {
  type Line,
  LINE_BYTES,
  LineAssembler,
  type LogEntry,
  STAMP_BYTES,
  type Stream,
  STREAMS,
} from "./lines.ts";
export { type FollowOptions, type Heard, type InstanceEnd, InstanceFollower, isPassing } from "./follow.ts";
export { endLeftOver, type LeftBehind, leftOver } from "./left_over.ts";
export { KeeperControl } from "./control.ts";
export {
  isStartedHere,
  type KeeperOptions,
  type KeptListener,
  RESOURCE_NAMES,
  type StartedKeeper,
  startKeeper as startInstance,
} from "../../ffi/keeper/mod.ts";
