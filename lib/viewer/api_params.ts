/** Reads the parameters of the HTTP API. @module */
import { type Grid, parse } from "../promql/mod.ts";
import { ApiError } from "./api_error.ts";

/** Points a series may have in one range answer. */
export const MAX_POINTS = 11_000;

/** Milliseconds of a time: Unix seconds with fraction, or RFC 3339. */
export function timeMs(text: string, name: string): number {
  const ms = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isFinite(ms)) throw badParam(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  return Math.round(ms);
}

/** Milliseconds of a length: seconds, or a duration such as `1m30s`. */
export function durationMs(text: string, name: string): number {
  try {
    const expr = parse(text);
    if (expr.kind === "number" && Number.isFinite(expr.value)) return Math.round(expr.value * 1000);
  } catch {
    // Whatever it is, it is no duration: told below.
  }
  throw badParam(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
}

/** The grid of a range query. @throws {ApiError} When it is empty, backwards or too fine. */
export function rangeGrid(range: { startMs: number; endMs: number; stepMs: number }): Grid {
  const { startMs, endMs, stepMs } = range;
  if (endMs < startMs) throw badParam("end", "end timestamp must not be before start time");
  if (!(stepMs > 0)) {
    throw badParam(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  const count = Math.floor((endMs - startMs) / stepMs) + 1;
  if (count > MAX_POINTS) {
    throw new ApiError(
      "bad_data",
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return { startMs, stepMs, count };
}

/** A required parameter. */
export function required(params: URLSearchParams, name: string): string {
  const value = params.get(name);
  if (value === null || value === "") throw badParam(name, "it is missing");
  return value;
}

export function badParam(name: string, problem: string): ApiError {
  return new ApiError("bad_data", `invalid parameter ${JSON.stringify(name)}: ${problem}`);
}
