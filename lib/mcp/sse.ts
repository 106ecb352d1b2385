/** Reads server-sent events. @module */

/** One event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
  /** What to say after a lost connection, to go on behind it. */
  readonly id: string | undefined;
}

/** The data of each event of a stream, as `readServerEvents` finds them. */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limitBytes: number,
): AsyncGenerator<string> {
  for await (const { data } of readServerEvents(body, limitBytes)) yield data;
}

/**
 * The events of a stream that have data, in order; comments and other fields are passed over.
 * @throws {RangeError} When one event is larger than `limitBytes`.
 */
export async function* readServerEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limitBytes: number,
): AsyncGenerator<ServerEvent> {
  let [held, length, data]: [string[], number, string] = [[], 0, ""];
  let [name, id]: [string, string | undefined] = ["message", undefined];
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
      if (line === "") {
        if (data !== "") yield { name, data, id };
        [name, data, id] = ["message", "", undefined];
      } else if (line.startsWith("data:")) data += (data === "" ? "" : "\n") + valueOf(line);
      else if (line.startsWith("event:")) name = valueOf(line);
      else if (line.startsWith("id:")) id = valueOf(line);
    }
    if (length + data.length > limitBytes) throw tooLarge(limitBytes);
  }
}

function valueOf(line: string): string {
  return line.slice(line.indexOf(":") + 1).replace(/^ /, "");
}

function tooLarge(limitBytes: number): RangeError {
  return new RangeError(`an event is larger than ${limitBytes} bytes, the limit`);
}
