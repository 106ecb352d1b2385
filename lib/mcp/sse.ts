/** Reads the data of server-sent events. @module */

/**
 * The data of each event of a stream, in order; comments and other fields are passed over.
 * @throws {RangeError} When one event is larger than `limitBytes`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limitBytes: number,
): AsyncGenerator<string> {
  let [text, data] = ["", ""];
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    // A carriage return at the end may be the first half of a line end.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    text = lines.pop()!;
    for (const line of lines) {
      if (line === "" && data !== "") {
        yield data;
        data = "";
      } else if (line.startsWith("data:")) {
        data += (data === "" ? "" : "\n") + line.slice("data:".length).replace(/^ /, "");
      }
    }
    if (text.length + data.length > limitBytes) {
      throw new RangeError(`an event is larger than ${limitBytes} bytes, the limit`);
    }
  }
}
