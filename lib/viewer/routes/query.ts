/** `query`, `query_range` and the batch form: PromQL over HTTP. @module */
import { type Context, Hono } from "hono";
import { type Grid, parse, print, query, type QueryOptions } from "../../promql/mod.ts";
import { ApiError } from "../api_error.ts";
import { durationMs, rangeGrid, required, timeMs } from "../api_params.ts";
import { COLUMNS_TYPE, encodeColumns } from "../columns.ts";
import { type Batch, evaluateBatch } from "../evaluation.ts";
import { followGrid } from "../follow.ts";
import { resultJson, successJson } from "../prometheus_json.ts";
import type { ViewerSource } from "../viewer_source.ts";

/** Queries in one batch; a section of the viewer has fewer than a hundred. */
export const MAX_BATCH = 1_000;

/** Bytes of a request's body. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export function queryRoutes(source: ViewerSource): Hono {
  const app = new Hono();
  app.on(["GET", "POST"], "/query", async (c) => {
    const params = await paramsOf(c);
    const now = source.state().end ?? 0;
    const time = params.get("time");
    const startMs = time === null ? Math.round(now * 1000) : timeMs(time, "time");
    return answer(c, source, { params, grid: { startMs, stepMs: 0, count: 1 }, instant: true });
  });
  app.on(["GET", "POST"], "/query_range", async (c) => {
    const params = await paramsOf(c);
    const grid = rangeGrid({
      startMs: timeMs(required(params, "start"), "start"),
      endMs: timeMs(required(params, "end"), "end"),
      stepMs: durationMs(required(params, "step"), "step"),
    });
    return answer(c, source, { params, grid, instant: false });
  });
  app.on(["GET", "POST"], "/format_query", async (c) => {
    const params = await paramsOf(c);
    return json(successJson(print(parse(required(params, "query")))));
  });
  app.post("/batch", async (c) => {
    const batch = batchOf(await bodyText(c), source);
    const { signal } = c.req.raw;
    const answers = await evaluateBatch(source.series, batch, signal).catch((error) => {
      throw signal.aborted ? new ApiError("canceled", "the request was given up") : error;
    });
    return columns(encodeColumns(source.state(), answers));
  });
  return app;
}

function answer(
  c: Context,
  source: ViewerSource,
  { params, grid, instant }: { params: URLSearchParams; grid: Grid; instant: boolean },
): Response {
  const lookback = params.get("lookback_delta");
  const options: QueryOptions = lookback === null
    ? {}
    : { lookbackMs: durationMs(lookback, "lookback_delta") };
  const result = query(source.series, { query: required(params, "query"), grid }, options);
  const wantsColumns = params.get("format") === "columns" || c.req.header("accept")?.includes(COLUMNS_TYPE);
  return wantsColumns ? columns(encodeColumns(source.state(), [result])) : json(resultJson(result, instant));
}

/** Parameters of the URL, and of a form in the body. */
export async function paramsOf(c: Context): Promise<URLSearchParams> {
  const params = new URL(c.req.url).searchParams;
  if (c.req.method !== "POST") return params;
  for (const [name, value] of new URLSearchParams(await bodyText(c))) params.append(name, value);
  return params;
}

async function bodyText(c: Context): Promise<string> {
  const length = Number(c.req.header("content-length") ?? 0);
  if (length > MAX_BODY_BYTES) throw tooLong();
  const text = await c.req.text().catch((cause) => {
    // The page drops a request when the person has moved on: nobody waits for this answer.
    throw new ApiError(
      "bad_data",
      `request ended before its body: ${cause instanceof Error ? cause.message : cause}`,
    );
  });
  if (text.length > MAX_BODY_BYTES) throw tooLong();
  return text;
}

function tooLong(): ApiError {
  return new ApiError("bad_data", `request body is longer than ${MAX_BODY_BYTES} bytes`);
}

/** The body of a batch: `{queries, start, end, step}` in seconds, or `{queries, span, step}` for the newest `span`. */
interface BatchBody {
  readonly queries: readonly string[];
  readonly step: number;
  readonly start?: number;
  readonly end?: number;
  readonly span?: number;
  readonly lookback?: number;
}

function batchOf(text: string, source: ViewerSource): Batch {
  const body = readJson(text) as Partial<BatchBody>;
  const { queries, step } = body;
  if (
    !Array.isArray(queries) || !queries.every((one) => typeof one === "string") || queries.length > MAX_BATCH
  ) {
    throw new ApiError("bad_data", `batch needs "queries": a list of at most ${MAX_BATCH} texts`);
  }
  for (const name of ["step", "start", "end", "span", "lookback"] as const) {
    const value = body[name];
    if (value !== undefined && !Number.isFinite(value)) {
      throw new ApiError("bad_data", `batch needs a number as "${name}"`);
    }
  }
  if (step === undefined) throw new ApiError("bad_data", `batch needs "step" in seconds`);
  const stepMs = Math.round(step * 1000);
  const options: QueryOptions = body.lookback === undefined
    ? {}
    : { lookbackMs: Math.round(body.lookback * 1000) };
  if (body.span !== undefined) {
    const range = followGrid(source.state(), { spanMs: body.span * 1000, stepMs });
    return { queries, grid: rangeGrid({ ...range, stepMs }), options };
  }
  if (body.start === undefined || body.end === undefined) {
    throw new ApiError("bad_data", `batch needs "start" and "end", or "span"`);
  }
  const [startMs, endMs] = [Math.round(body.start * 1000), Math.round(body.end * 1000)];
  return { queries, grid: rangeGrid({ startMs, endMs, stepMs }), options };
}

function readJson(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, as for any other value that is no object.
  }
  throw new ApiError("bad_data", "batch body is no JSON object");
}

function columns(body: Uint8Array<ArrayBuffer>): Response {
  return new Response(body, { headers: { "content-type": COLUMNS_TYPE, "cache-control": "no-store" } });
}

export function json(body: string): Response {
  return new Response(body, { headers: { "content-type": "application/json" } });
}
