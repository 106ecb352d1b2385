/** Reads the data of server-sent events. @module */

/**
 * The data of each event of a stream, in order; comments and other fields are passed over.
 * @throws {RangeError} When one event is larger than `limitBytes`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limitBytes: number,
): AsyncGenerator<string> {
  let [held, length, data]: [string[], number, string] = [[], 0, ""];
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    // A carriage return at the end may be the first half of a line end.
    const endsLine = /[\r\n]/.test(piece) || held.at(-1)?.endsWith("\r") === true;
    held.push(piece);
    length += piece.length;
    if (length + data.length > limitBytes && !endsLine) throw tooLarge(limitBytes);
    if (!endsLine) continue;
    const lines = held.join("").split(/\r\n|\n|\r(?!$)/);
    const rest = lines.pop()!;
    [held, length] = [[rest], rest.length];
    for (const line of lines) {
      if (line === "" && data !== "") {
        yield data;
        data = "";
      } else if (line.startsWith("data:")) {
        data += (data === "" ? "" : "\n") + line.slice("data:".length).replace(/^ /, "");
      }
    }
    if (length + data.length > limitBytes) throw tooLarge(limitBytes);
  }
}

function tooLarge(limitBytes: number): RangeError {
  return new RangeError(`an event is larger than ${limitBytes} bytes, the limit`);
}
