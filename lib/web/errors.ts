/** Which HTTP status an error becomes. The one place of the servers that decides it. @module */

/** An error that knows its status. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  constructor(readonly status: number, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Bad input is the caller's fault (400), a missing file is 404, an abort is 499-like 503, all else is a bug. */
export function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  if (error instanceof SyntaxError || error instanceof RangeError) return 400;
  if (error instanceof Deno.errors.NotFound) return 404;
  if (error instanceof DOMException && (error.name === "AbortError" || error.name === "TimeoutError")) {
    return 503;
  }
  return 500;
}

/** The error as one line of text; the details of a bug stay on this side. */
export function errorResponse(error: unknown): Response {
  const status = statusOf(error);
  const message = status < 500 || error instanceof HttpError ? (error as Error).message : "internal error";
  return new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
