/** Streams to clients that read too slowly, or not at all. @module */

/**
 * The same response, whose stream of events is cut off when more comes while `limitBytes` wait to be read: what wants to be told to
 * a client must not fill this process. `onEnd` is called once, when the body has ended in whatever way.
 */
export function boundUnread(response: Response, limitBytes: number, onEnd: () => void = () => {}): Response {
  if (!isStream(response)) {
    onEnd();
    return response;
  }
  const reader = response.body!.getReader();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void pump(reader, controller).finally(onEnd),
    cancel: (reason) => reader.cancel(reason),
  }, new ByteLengthQueuingStrategy({ highWaterMark: limitBytes }));
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

/** Whether a response is a stream of events. Only then is its body looked at: that makes a stream of any other. */
export function isStream(response: Response): boolean {
  return response.headers.get("content-type")?.includes("text/event-stream") === true &&
    response.body !== null;
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableStreamDefaultController<Uint8Array>,
): Promise<void> {
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      // One piece may be larger than all that may wait; a second one then comes too soon.
      if ((controller.desiredSize ?? 0) <= 0) throw new Error("The client reads too slowly and was cut off");
      controller.enqueue(value);
    }
    controller.close();
  } catch (error) {
    // Once the client has gone there is nobody to tell, and both ends are closed already.
    controller.error(error);
    await reader.cancel(error).catch(() => undefined);
  }
}
