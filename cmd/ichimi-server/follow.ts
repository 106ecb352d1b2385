/** A log that is followed, whatever becomes of the daemon meanwhile. @module */
import { sleep } from "../../lib/async/time.ts";
import type { Connection } from "../../lib/ichimi/connection.ts";
import { REPEATABLE_HEADER } from "../../lib/ichimi/hello.ts";
import { readServerEvents, type ServerEvent } from "../../lib/mcp/sse.ts";
import { connect } from "./connection.ts";

/** Between a connection that was lost and the next. */
const AGAIN_MS = 50;
/** Of one event; the daemon gathers some thousand lines in one. */
const EVENT_BYTES = 2 ** 29;

/** What is followed. */
export interface Followed {
  readonly id: string;
  readonly stream: "both" | "stdout" | "stderr";
  /** The last so many come first. */
  readonly lines: number;
  readonly signal: AbortSignal;
}

/** Who is told. */
export interface Listener {
  lines(lines: readonly { readonly timeMs: number; readonly stream: string; readonly text: string }[]): void;
  /** Of what the process has not said. */
  aside(words: string): void;
}

/** Tells each line once, until the process is removed or the signal fires. @throws {Error} When there is no such process. */
export async function followLog(
  { id, stream, lines, signal }: Followed,
  listener: Listener,
): Promise<void> {
  await using connection = connect();
  const path = `/api/processes/${encodeURIComponent(id)}/logs/stream?stream=${stream}&lines=${lines}`;
  /** Of the last event that was told. */
  let last: string | undefined;
  while (!signal.aborted) {
    const headers = { [REPEATABLE_HEADER]: "1", ...last === undefined ? {} : { "last-event-id": last } };
    const response = await answerOf(connection, path, { headers, signal });
    if (response?.ok === false) {
      const { error } = await response.json();
      if (response.status !== 404 || last === undefined) throw new Error(error);
      return listener.aside(`process '${id}' was removed`);
    }
    for await (const events of response === undefined ? [] : batches(response)) {
      for (const event of events) {
        if (event.name === "removed") return listener.aside(`process '${id}' was removed`);
        tell(event, listener);
      }
      last = events.at(-1)!.id;
    }
    await sleep(AGAIN_MS, { signal }).catch(() => "It is to end.");
  }
}

/** Undefined when the connection was lost, or nobody waits any more. @throws {Error} When there is no daemon to be had. */
async function answerOf(
  connection: Connection,
  path: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response | undefined> {
  try {
    return await connection.fetch(path, init);
  } catch (error) {
    if (init.signal.aborted || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Events up to one with an id: those of a batch that was cut off come again. Ends with the connection. */
async function* batches({ body }: Response): AsyncGenerator<readonly ServerEvent[]> {
  if (body === null) return;
  const events = readServerEvents(body, EVENT_BYTES);
  let batch: ServerEvent[] = [];
  for (let read = await nextOf(events); read !== undefined; read = await nextOf(events)) {
    batch.push(read);
    if (read.id === undefined) continue;
    yield batch;
    batch = [];
  }
}

/** Undefined also when the daemon was killed in the midst of it. */
async function nextOf(events: AsyncGenerator<ServerEvent>): Promise<ServerEvent | undefined> {
  try {
    const { value, done } = await events.next();
    return done === true ? undefined : value;
  } catch (error) {
    if (error instanceof RangeError || !(error instanceof Error)) throw error;
    return undefined;
  }
}

function tell({ name, data }: ServerEvent, listener: Listener): void {
  if (name === "tail" || name === "lines") {
    const lines: readonly { time: string; stream: string; text: string }[] = JSON.parse(data);
    listener.lines(lines.map(({ time, stream, text }) => ({ timeMs: Date.parse(time), stream, text })));
  } else if (name === "lost") {
    listener.aside(`${JSON.parse(data).bytes} bytes of output were overwritten before they were read`);
  }
}
