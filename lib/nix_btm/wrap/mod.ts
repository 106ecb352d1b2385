/**
 * Watches Nix where it cannot be asked to tell by itself (before 2.30): how a command is to be called (`command.ts`, with
 * what `here.ts` looks up), running it as if nobody watched (`run.ts`) or reading what it says from a pipe (`pipe.ts`),
 * telling records from text (`split.ts`), and where they go: a monitor's socket (`socket_sink.ts`), a file
 * (`file_sink.ts`), or whoever gives a function. What records mean is `lib/nix`' matter, what a person sees of them that
 * of the views.
 * @module
 */
export { onlyPrints, type Words, wrapCommand, type WrappedCommand } from "./command.ts";
export { fileSink } from "./file_sink.ts";
export { contextHere } from "./here.ts";
export { readPipe } from "./pipe.ts";
export { endAlike, type Ended, exitCode, type RunOptions, runWrapped, type Sink } from "./run.ts";
export { CLOSE_MS, socketSink } from "./socket_sink.ts";
export { RECORD_LIMIT_BYTES, RecordSplitter } from "./split.ts";
