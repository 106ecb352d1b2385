/**
 * A body that is sent in pieces as the client takes them. A server that is given the whole copies it once a request,
 * and a client that asks and does not read holds that copy for as long as it likes: a thousand of them are gigabytes.
 * @module
 */

/** Bytes that a client which does not read holds, beside the kernel's buffers. */
export const PIECE_BYTES = 65_536;

/** A client that takes nothing for so long is cut off. */
const STALL_MS = 10_000;

/** Streams `bytes`, which must not change. @param stallMs Milliseconds without a taken piece until the stream fails. */
export function streamBody(
  bytes: Uint8Array<ArrayBuffer>,
  stallMs = STALL_MS,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      clearTimeout(timer);
      if (at >= bytes.length) return controller.close();
      // A copy: who sends a piece may take its buffer away.
      controller.enqueue(bytes.slice(at, at + PIECE_BYTES));
      at += PIECE_BYTES;
      timer = setTimeout(
        () => controller.error(new Error(`Cannot send answer: nothing was taken for ${stallMs} ms`)),
        stallMs,
      );
    },
    cancel: () => clearTimeout(timer),
  }, { highWaterMark: 0 });
}
