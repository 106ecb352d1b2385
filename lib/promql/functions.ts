/** The list of all functions: help, arity and implementation of each. @module */
import type { FunctionEntry } from "./function.ts";
import { HISTOGRAM_FUNCTIONS } from "./functions/histogram.ts";
import { LABEL_FUNCTIONS } from "./functions/label.ts";
import { MATH_FUNCTIONS } from "./functions/math.ts";
import { RANGE_FUNCTIONS } from "./functions/range.ts";
import { SHAPE_FUNCTIONS } from "./functions/shape.ts";

/** By name. */
export const FUNCTIONS: ReadonlyMap<string, FunctionEntry> = new Map(
  [...RANGE_FUNCTIONS, ...MATH_FUNCTIONS, ...HISTOGRAM_FUNCTIONS, ...LABEL_FUNCTIONS, ...SHAPE_FUNCTIONS]
    .map((entry): [string, FunctionEntry] => [entry.name, entry]),
);
