/** Functions of single numbers. @module */
import type { FunctionEntry } from "../function.ts";

function map(name: string, help: string, of: (value: number, ...params: number[]) => number): FunctionEntry {
  return { name, help, args: ["vector"], returns: "vector", impl: { kind: "map", map: of } };
}

function withParams(entry: FunctionEntry, count: number, optional = 0): FunctionEntry {
  return { ...entry, args: ["vector", ...Array<"scalar">(count).fill("scalar")], optional };
}

/** The calendar in UTC; without an argument, of the evaluation time. */
function calendar(name: string, help: string, of: (date: Date) => number): FunctionEntry {
  return { ...map(name, help, (value) => of(new Date(Math.trunc(value) * 1000))), optional: 1 };
}

function round(value: number, nearest = 1): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

/** Go's `math.Max` and `math.Min`: NaN if either is. */
function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}

export const MATH_FUNCTIONS: readonly FunctionEntry[] = [
  map("abs", "Absolute value.", Math.abs),
  map("ceil", "Rounded up.", Math.ceil),
  map("floor", "Rounded down.", Math.floor),
  withParams(map("round", "Rounded to the nearest multiple, halves up.", round), 1, 1),
  map("exp", "The power of e.", Math.exp),
  map("ln", "Natural logarithm.", Math.log),
  map("log2", "Binary logarithm.", Math.log2),
  map("log10", "Decimal logarithm.", Math.log10),
  map("sqrt", "Square root.", Math.sqrt),
  map("sgn", "−1, 0 or 1 by its sign.", (value) => value < 0 ? -1 : value > 0 ? 1 : value),
  withParams(map("clamp", "Kept between two bounds.", clamp), 2),
  withParams(map("clamp_min", "Not below a bound.", (value, min = NaN) => Math.max(value, min)), 1),
  withParams(map("clamp_max", "Not above a bound.", (value, max = NaN) => Math.min(value, max)), 1),
  map("deg", "Radians as degrees.", (value) => value * 180 / Math.PI),
  map("rad", "Degrees as radians.", (value) => value * Math.PI / 180),
  map("sin", "Sine.", Math.sin),
  map("cos", "Cosine.", Math.cos),
  map("tan", "Tangent.", Math.tan),
  map("asin", "Arc sine.", Math.asin),
  map("acos", "Arc cosine.", Math.acos),
  map("atan", "Arc tangent.", Math.atan),
  map("sinh", "Hyperbolic sine.", Math.sinh),
  map("cosh", "Hyperbolic cosine.", Math.cosh),
  map("tanh", "Hyperbolic tangent.", Math.tanh),
  map("asinh", "Inverse hyperbolic sine.", Math.asinh),
  map("acosh", "Inverse hyperbolic cosine.", Math.acosh),
  map("atanh", "Inverse hyperbolic tangent.", Math.atanh),
  calendar("minute", "Minute of the hour, 0 to 59.", (date) => date.getUTCMinutes()),
  calendar("hour", "Hour of the day, 0 to 23.", (date) => date.getUTCHours()),
  calendar("day_of_week", "Day of the week, 0 (Sunday) to 6.", (date) => date.getUTCDay()),
  calendar("day_of_month", "Day of the month, 1 to 31.", (date) => date.getUTCDate()),
  calendar(
    "day_of_year",
    "Day of the year, 1 to 366.",
    (date) =>
      (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) -
        Date.UTC(date.getUTCFullYear(), 0, 0)) /
      86_400_000,
  ),
  calendar(
    "days_in_month",
    "Days of the month, 28 to 31.",
    (date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  ),
  calendar("month", "Month of the year, 1 to 12.", (date) => date.getUTCMonth() + 1),
  calendar("year", "Year.", (date) => date.getUTCFullYear()),
];
