/** What an entry of the function table is. @module */
import type { ValueType } from "./ast.ts";
import type { HistogramSamples, NumberSamples } from "./samples.ts";
import type { Grid, Row } from "./value.ts";
import type { Windows } from "./_windows.ts";

/** What an implementation may use of the query. */
export interface FunctionContext {
  readonly grid: Grid;
  /** First, last and step of the query itself, also inside a subquery. */
  readonly scope: { readonly startMs: number; readonly endMs: number; readonly stepMs: number };
  /** Adds an annotation to the answer. */
  warn(text: string): void;
}

/** An evaluated argument. */
export type Argument =
  /** One number for each step. */
  | { readonly kind: "scalar"; readonly values: Float64Array }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "numbers"; readonly values: readonly number[] }
  | { readonly kind: "rows"; readonly rows: readonly Row[] };

/** Fills a row from the samples of one series. `params` are the scalar arguments, one number for each step. */
export type RangeKernel = (
  samples: NumberSamples,
  windows: Windows,
  out: Row,
  params: readonly Float64Array[],
) => void;

/** The same for H2 histograms: `out.buckets` has the buckets of `samples`. */
export type HistogramKernel = (samples: HistogramSamples, windows: Windows, out: Row) => void;

export type Implementation =
  /** Looks at a window of samples of one series; the other arguments are scalars. */
  | { readonly kind: "range"; readonly kernel: RangeKernel; readonly histogram?: HistogramKernel }
  /** Maps each number of the vector that comes first; further arguments are scalars. */
  | { readonly kind: "map"; readonly map: (value: number, ...params: number[]) => number | undefined }
  /** Needs all rows at once. */
  | { readonly kind: "rows"; readonly apply: (args: readonly Argument[], context: FunctionContext) => Row[] }
  /** Gives one number for each step. */
  | {
    readonly kind: "scalar";
    readonly apply: (args: readonly Argument[], context: FunctionContext) => Float64Array;
  }
  /** Asks about its argument's text and not only its value: carried out by the evaluator under this name. */
  | { readonly kind: "special"; readonly special: "absent" | "absent_over_time" | "timestamp" };

/** One function. Help, arity and name are told from here only. */
export interface FunctionEntry {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** How many of the last arguments may be left out. */
  readonly optional?: number;
  /** Whether the last argument may be repeated. */
  readonly variadic?: boolean;
  /** Whether a list of numbers may come first, with a vector after it (upstream's form). */
  readonly takesList?: boolean;
  readonly returns: ValueType;
  readonly help: string;
  /** Experimental in Prometheus 3.14. */
  readonly experimental?: boolean;
  /** Whether the result keeps the metric's name. */
  readonly keepsName?: boolean;
  readonly impl: Implementation;
}
