/** Server-sent events whose reader says how fast they come. @module */

/** A proxy or a browser forgets a connection on which nothing comes. */
const BEAT_MS = 15_000;

/** Where events are put. */
export interface EventSink {
  /** Whether the reader has taken what was sent before. */
  readonly isReady: boolean;
  send(event: string, data: unknown): void;
}

/**
 * A response whose events come from `open`, which is called once, with a sink, and returns how to end. `more` of what it
 * returns is called whenever the reader has taken all.
 */
export function eventStream(
  open: (sink: EventSink) => { readonly more: () => void; readonly close: () => void },
): Response {
  const encoder = new TextEncoder();
  let source: ReturnType<typeof open> | undefined;
  let beat: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      beat = setInterval(() => {
        if (controller.desiredSize! > 0) controller.enqueue(encoder.encode(":\n\n"));
      }, BEAT_MS);
      source = open({
        get isReady() {
          return controller.desiredSize! > 0;
        },
        send: (event, data) => {
          controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
        },
      });
    },
    pull: () => source?.more(),
    cancel: () => {
      clearInterval(beat);
      source?.close();
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-content-type-options": "nosniff",
    },
  });
}
