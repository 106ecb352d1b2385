/**
 * `nix-btm`: what Nix does on this host, collected, published, remembered and shown.
 *
 * Reading order: `world.ts` (what a client sees), `monitor.ts` (logs become a world, with `derivation_loader.ts`,
 * `output_looks.ts` and `estimates.ts`), `open_socket.ts` and `log_listener.ts` (the socket that Nix writes to),
 * `kept_builds.ts` with `history.ts` and `log_store.ts` (what was built, in `folders.ts`), `builder_looks.ts` (what it
 * used), `publisher.ts` and `routes.ts` (a ring, and HTTP), `daemon.ts` (all of it, with `hook.ts`), `remote.ts`
 * (daemons of other hosts, by `remote_address.ts`, `remote_stream.ts` and `remote_message.ts`), `client.ts` (the other
 * end), `local.ts` (both in one process). Of a world `waiting.ts` tells why a build has not begun, `failure_text.ts`
 * why one failed and `problems.ts` why a command did, `why_rebuilt.ts` why one was not there already,
 * `build_processes.ts` which processes are which build, `summary.ts` all of it in a few lines. `metrics.ts`,
 * `build_use.ts`, `markers.ts` and `agent_push.ts` tell the telemetry agent. `wrap/` runs commands of a Nix that cannot
 * tell by itself, `inline/` shows one where it was typed, `tui/` all of them in a terminal, `tools/` to assistants;
 * `processes/` finds, measures and steers what runs. What Nix' words mean is known by `lib/nix`, which files of the
 * store are read by `store_files.ts`.
 * @module
 */
export { applyUpdate, emptyWorld, type JobRow, snapshotOf, type Update, type World } from "./world.ts";
export { type Log, Monitor } from "./monitor.ts";
export { askedCommand } from "./requester.ts";
export { LogListener } from "./log_listener.ts";
export { History, type PastBuild } from "./history.ts";
export { HISTORY_FORMAT } from "./history_file.ts";
export { LogStore } from "./log_store.ts";
export type { HostUpdate } from "./publisher.ts";
export { Daemon } from "./daemon.ts";
export { openSocket } from "./open_socket.ts";
export { parseRemote } from "./remote_address.ts";
export { BuildHook } from "./hook.ts";
export { isInStore, isRegistered, readDerivation, readNamedDerivation } from "./store_files.ts";
export { Client } from "./client.ts";
export { summaryText } from "./summary.ts";
export { BuildUse } from "./build_use.ts";
export { daemonRows, NIX_METRICS_HELP, prometheusText } from "./metrics.ts";
export { Markers } from "./markers.ts";
export { processesOf } from "./build_processes.ts";
export { differenceText, earlierDerivation, shortDifference } from "./why_rebuilt.ts";
export { waitingText, whyWaiting } from "./waiting.ts";
export { localSource } from "./local.ts";
export { nixTools, type NixView } from "./tools/mod.ts";
export {
  contextHere,
  endAlike,
  type Ended,
  exitCode,
  fileSink,
  onlyPrints,
  readPipe,
  runWrapped,
  type Sink,
  socketSink,
  type Words,
  wrapCommand,
  type WrappedCommand,
} from "./wrap/mod.ts";
export {
  JsonView,
  LineJoiner,
  PICTURE_LINGER_MS,
  PlainView,
  Session,
  type Shown,
  TerminalView,
} from "./inline/mod.ts";
