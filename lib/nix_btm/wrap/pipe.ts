/** Reads what another command says on our standard input: `nix build … 2>&1 | nix-btm pipe`. @module */
import { type Ended, readAll, type RunOptions } from "./run.ts";

/**
 * Reads to the end. The first SIGINT is the other command's too: it stops its builds and says so, and we read that; the
 * second, or SIGTERM or SIGHUP at once, ends the reading.
 */
export async function readPipe(
  input: ReadableStream<Uint8Array>,
  options: Omit<RunOptions, "lingerMs"> = {},
): Promise<Ended> {
  const reader = input.getReader();
  let interrupts = 0;
  let by: Deno.Signal | undefined;
  const listeners = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const listener = () => {
      if (signal === "SIGINT" && ++interrupts === 1) return;
      by ??= signal;
      reader.cancel();
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const leave = () => void reader.cancel();
  options.signal?.addEventListener("abort", leave, { once: true });
  try {
    if (options.signal?.aborted === true) leave();
    await readAll(reader, options);
  } finally {
    options.signal?.removeEventListener("abort", leave);
    for (const remove of listeners) remove();
  }
  return by === undefined ? { kind: "exited", code: 0 } : { kind: "signaled", signal: by };
}
