/** Waiting for the end of a process that need not be a child. @module */
import type { Pidfd } from "../../ffi/sys/mod.ts";
import { nativeWaits } from "./native_waits.ts";

/** One native wait lasts at most this long: after an abort the thread is free again no later. */
const SLICE_MS = 250;

/**
 * Waits until the process has ended. Its exit status is known only to its parent.
 * @throws The signal's reason, within a slice. @throws {RangeError} When the process has no native wait left.
 */
export async function waitForExit(process: Pidfd, options: { signal?: AbortSignal } = {}): Promise<void> {
  do {
    options.signal?.throwIfAborted();
  } while (!await nativeWaits.run(`exit of process ${process.pid}`, () => process.poll(SLICE_MS)));
}
