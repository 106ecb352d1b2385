/** Server-sent events whose reader says how fast they come. @module */

/** A proxy or a browser forgets a connection on which nothing comes. */
const BEAT_MS = 15_000;

/** Where events are put. */
export interface EventSink {
  /** Whether the reader has taken what was sent before. */
  readonly isReady: boolean;
  /** @param id What a reader that lost its connection says, to go on behind this event. */
  send(event: string, data: unknown, id?: string): void;
  /** Nothing comes any more; disposes what `open` has returned. */
  end(): void;
}

/** What sends events until it is disposed. */
export interface EventSource extends Disposable {
  /** Called whenever the reader has taken all. */
  more(): void;
}

/**
 * A response whose events come from what `open`, which is called once, returns: it is disposed when the reader has gone.
 * @throws What `open` throws; then nothing is left.
 */
export function eventStream(open: (sink: EventSink) => EventSource): Response {
  const encoder = new TextEncoder();
  const owned = new DisposableStack();
  let source: EventSource | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      source = owned.use(open({
        get isReady() {
          return controller.desiredSize! > 0;
        },
        send: (event, data, id) => {
          const lines = [
            `event: ${event}`,
            `data: ${JSON.stringify(data)}`,
            ...id === undefined ? [] : [`id: ${id}`],
          ];
          controller.enqueue(encoder.encode(`${lines.join("\n")}\n\n`));
        },
        end: () => {
          owned.dispose();
          controller.close();
        },
      }));
      const beat = setInterval(() => {
        if (controller.desiredSize! > 0) controller.enqueue(encoder.encode(":\n\n"));
      }, BEAT_MS);
      owned.defer(() => clearInterval(beat));
    },
    pull: () => source?.more(),
    cancel: () => owned.dispose(),
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-content-type-options": "nosniff",
    },
  });
}
