/**
 * Answers that take a while show signs of life, so that a client that has gone is noticed.
 *
 * The signal of a request is of no use for that: Deno 2.9.6 lets it fire for a client that hung up only when the whole
 * request came in the first 512 bytes that were read (measured), fires it after answers as well, and says so on
 * standard error when it is looked at. But a write to a client that has gone fails: so an answer that is late begins as
 * a stream, with comments between events or with blanks before the JSON, and ends with what there is to say.
 * @module
 */
import { isStream } from "./unread.ts";

/** How a late answer looks. */
export interface HeartbeatOptions {
  /** How long nothing is written, at the beginning and then. */
  readonly everyMs: number;
  /** What the client reads: server-sent events, or bare JSON, where blanks before the value mean nothing. */
  readonly as: "events" | "json";
}

/**
 * Returns what `answer` does, at once when that is in time. The request it is given has no body, and its signal fires
 * when the client has gone.
 */
export async function withHeartbeat(
  request: Request,
  answer: (request: Request) => Promise<Response>,
  { everyMs, as }: HeartbeatOptions,
): Promise<Response> {
  const gone = new AbortController();
  const leave = () => gone.abort(new DOMException("The client has gone", "AbortError"));
  const { url, method, headers } = request;
  const answering = answer(new Request(url, { method, headers, signal: gone.signal }));
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), everyMs);
  const early = await Promise.race([answering, late.promise]).finally(() => clearTimeout(timer));
  return early === undefined ? lateResponse(answering, leave, { everyMs, as }) : whenLeft(early, leave);
}

/** The same response; `leave` is called when the reader of its stream goes. Its sender shows signs of life itself. */
function whenLeft(response: Response, leave: () => void): Response {
  if (!isStream(response)) return response;
  const reader = response.body!.getReader();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async (reason) => {
      leave();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

function lateResponse(answering: Promise<Response>, leave: () => void, options: HeartbeatOptions): Response {
  const beat = new TextEncoder().encode(options.as === "events" ? ": waiting\n\n" : "\n");
  let ended = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      timer = setInterval(() => controller.enqueue(beat), options.everyMs);
      try {
        const response = await answering;
        clearInterval(timer);
        for await (const piece of piecesOf(response, options)) controller.enqueue(piece);
        if (!ended) controller.close();
      } catch (error) {
        // Once the client has gone there is nobody to tell.
        if (!ended) controller.error(error);
      } finally {
        clearInterval(timer);
      }
    },
    cancel: () => {
      ended = true;
      // The answer may take its time to end; nobody hears it any more.
      clearInterval(timer);
      leave();
    },
  });
  const type = options.as === "events" ? "text/event-stream" : "application/json";
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-cache, no-transform" } });
}

/** The body as the client reads it: an answer of one piece becomes an event where events are read. */
async function* piecesOf(response: Response, { as }: HeartbeatOptions): AsyncGenerator<Uint8Array> {
  if (as === "json" || isStream(response)) return yield* response.body ?? [];
  const text = await response.text();
  if (text !== "") {
    yield new TextEncoder().encode(`event: message\ndata: ${text.replaceAll(/[\r\n]+/g, " ")}\n\n`);
  }
}
