/** What the REST interface answers when something is wrong: the one place that decides on statuses. @module */
import { object, string } from "../../mcp/mod.ts";
import { HostError, PatternError } from "../../services/mod.ts";
import { NotAllowed } from "../allow_list.ts";
import { SnapshotError } from "../snapshots/mod.ts";
import { TemplateError } from "../template.ts";

/** What is wrong, by status. */
export const CODES = {
  400: "bad_request",
  401: "no_token",
  404: "not_found",
  405: "method_not_allowed",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  422: "refused",
  500: "internal_error",
} as const;

type Status = keyof typeof CODES;

/** Instead, where a person may allow it. */
const ASK_A_PERSON = "not_allowed_yet";

/** The body of every answer that is no good one. */
export const ERROR = object({
  error: string({ description: "What is wrong, in words" }),
  code: string({ description: "The same as a word, by status" }),
});

/** A request that cannot be answered; the message is for whoever asked. */
export class RestError extends Error {
  override readonly name = "RestError";

  constructor(readonly status: Status, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** As an answer; the details of a bug stay on this side. @param tell Told of bugs. */
export function errorAnswer(error: unknown, tell: (text: string) => void): Response {
  const status = statusOf(error);
  if (status === 500) tell(error instanceof Error ? error.stack ?? error.message : String(error));
  const message = status === 500 ? "internal error" : (error as Error).message;
  const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
  const code = error instanceof NotAllowed && error.mayAsk ? ASK_A_PERSON : CODES[status];
  return Response.json({ error: message, code }, { status, headers });
}

function statusOf(error: unknown): Status {
  if (error instanceof RestError) return error.status;
  if (error instanceof TemplateError || error instanceof SnapshotError) return 422;
  if (error instanceof PatternError) return 400;
  if (!(error instanceof HostError)) return 500;
  return error.problem === "missing" ? 404 : error.problem === "conflict" ? 409 : 422;
}
