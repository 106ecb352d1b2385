/** Errors of the API in the form of Prometheus. The one place that decides about statuses. @module */
import { EvaluationError, ParseError } from "../promql/mod.ts";

/** Prometheus' kinds of errors, with the status of each. */
const STATUS = { bad_data: 400, execution: 422, not_found: 404, internal: 500, canceled: 503 } as const;

/** An error that knows its kind. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(readonly kind: keyof typeof STATUS, message: string) {
    super(message);
  }
}

/** The answer for an error; what is nobody's fault but ours is logged and kept from the other side. */
export function apiErrorResponse(error: unknown): Response {
  const [kind, message] = describe(error);
  const body = JSON.stringify({ status: "error", errorType: kind, error: message });
  return new Response(body, { status: STATUS[kind], headers: { "content-type": "application/json" } });
}

function describe(error: unknown): [keyof typeof STATUS, string] {
  if (error instanceof ApiError) return [error.kind, error.message];
  if (error instanceof ParseError) return ["bad_data", `invalid parameter "query": ${error.message}`];
  if (error instanceof EvaluationError) return ["execution", error.message];
  console.error(`Cannot answer a query: ${error instanceof Error ? error.stack : error}`);
  return ["internal", "internal error"];
}
