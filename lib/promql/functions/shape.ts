/** Functions between scalars, vectors and time; sorting. @module */
import type { Argument, FunctionContext, FunctionEntry } from "../function.ts";
import { compareLabels, hasPoints, newRow, type Row, timeAt } from "../value.ts";

/** The rows of an argument whose type was checked. */
export function rowsOf(arg: Argument | undefined): readonly Row[] {
  if (arg?.kind !== "rows") throw new TypeError(`Cannot read argument: it is ${arg?.kind}, expected rows`);
  return arg.rows;
}

/** The text of a string argument. */
export function textOf(arg: Argument | undefined): string {
  if (arg?.kind !== "string") {
    throw new TypeError(`Cannot read argument: it is ${arg?.kind}, expected string`);
  }
  return arg.value;
}

/** The numbers of a scalar argument. */
export function numbersOf(arg: Argument | undefined): Float64Array {
  if (arg?.kind !== "scalar") {
    throw new TypeError(`Cannot read argument: it is ${arg?.kind}, expected scalar`);
  }
  return arg.values;
}

/** Sorting shows only in instant queries: a range answer is ordered by labels. */
function sorting(
  name: string,
  help: string,
  compare: (args: readonly Argument[]) => (a: Row, b: Row) => number,
): FunctionEntry {
  return {
    name,
    help,
    args: ["vector"],
    returns: "vector",
    keepsName: true,
    impl: {
      kind: "rows",
      apply(args, context) {
        const rows = rowsOf(args[0]);
        if (context.grid.count === 1) return rows.filter(hasPoints).sort(compare(args));
        context.warn(`${name} is ineffective for range queries since results are always ordered by labels`);
        return [...rows];
      },
    },
  };
}

/** NaN goes last, whichever way the rest is ordered. */
function byValue(sign: 1 | -1): () => (a: Row, b: Row) => number {
  return () => (a, b) => {
    const [x, y] = [a.values[0]!, b.values[0]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  };
}

function byLabels(sign: 1 | -1): (args: readonly Argument[]) => (a: Row, b: Row) => number {
  return (args) => (a, b) => {
    for (const label of args.slice(1).map(textOf)) {
      const order = naturalCompare(a.labels[label] ?? "", b.labels[label] ?? "");
      if (order !== 0) return sign * order;
    }
    return sign * compareLabels(a.labels, b.labels);
  };
}

/** Digits within text compare as numbers. */
function naturalCompare(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!];
    const numeric = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : 0;
    if (numeric !== 0) return numeric;
    if (x !== y) return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

function ofGrid(
  name: string,
  help: string,
  of: (context: FunctionContext, i: number) => number,
): FunctionEntry {
  return {
    name,
    help,
    args: [],
    returns: "scalar",
    impl: {
      kind: "scalar",
      apply: (_, context) => Float64Array.from({ length: context.grid.count }, (_, i) => of(context, i)),
    },
  };
}

function ofTwo(name: string, help: string, of: (a: number, b: number) => number): FunctionEntry {
  return {
    name,
    help,
    args: ["scalar", "scalar"],
    returns: "scalar",
    experimental: true,
    impl: {
      kind: "scalar",
      apply: ([a, b]) => {
        const right = numbersOf(b);
        return numbersOf(a).map((value, i) => of(value, right[i]!));
      },
    },
  };
}

export const SHAPE_FUNCTIONS: readonly FunctionEntry[] = [
  ofGrid("time", "Evaluation time in seconds of Unix time.", ({ grid }, i) => timeAt(grid, i)),
  ofGrid("pi", "π.", () => Math.PI),
  {
    ...ofGrid("start", "Time of the query's first step.", ({ scope }) => scope.startMs / 1000),
    experimental: true,
  },
  {
    ...ofGrid("end", "Time of the query's last step.", ({ scope }) => scope.endMs / 1000),
    experimental: true,
  },
  {
    ...ofGrid("step", "The query's step in seconds.", ({ scope }) => scope.stepMs / 1000),
    experimental: true,
  },
  {
    ...ofGrid(
      "range",
      "Seconds from the query's first to its last step.",
      ({ scope }) => (scope.endMs - scope.startMs) / 1000,
    ),
    experimental: true,
  },
  ofTwo("max_of", "The larger of two numbers.", Math.max),
  ofTwo("min_of", "The smaller of two numbers.", Math.min),
  {
    name: "scalar",
    help: "The value of a vector's only element, else NaN.",
    args: ["vector"],
    returns: "scalar",
    impl: {
      kind: "scalar",
      apply([arg], { grid }) {
        const rows = rowsOf(arg).filter((row) => row.buckets === undefined);
        const out = new Float64Array(grid.count);
        for (let i = 0; i < grid.count; i++) {
          const here = rows.filter((row) => row.present[i] === 1);
          out[i] = here.length === 1 ? here[0]!.values[i]! : NaN;
        }
        return out;
      },
    },
  },
  {
    name: "vector",
    help: "A scalar as the one element of a vector without labels.",
    args: ["scalar"],
    returns: "vector",
    impl: {
      kind: "rows",
      apply([arg], { grid }) {
        const row = newRow({}, grid.count);
        row.values.set(numbersOf(arg));
        row.present.fill(1);
        return [row];
      },
    },
  },
  {
    name: "timestamp",
    help: "Time of each element's sample.",
    args: ["vector"],
    returns: "vector",
    impl: { kind: "special", special: "timestamp" },
  },
  {
    name: "absent",
    help: "1 where the vector is empty.",
    args: ["vector"],
    returns: "vector",
    impl: { kind: "special", special: "absent" },
  },
  {
    name: "absent_over_time",
    help: "1 where the window has no sample.",
    args: ["matrix"],
    returns: "vector",
    impl: { kind: "special", special: "absent_over_time" },
  },
  sorting("sort", "Ordered by value, smallest first.", byValue(1)),
  sorting("sort_desc", "Ordered by value, largest first.", byValue(-1)),
  {
    ...sorting("sort_by_label", "Ordered by the named labels.", byLabels(1)),
    args: ["vector", "string"],
    optional: 1,
    variadic: true,
    experimental: true,
  },
  {
    ...sorting("sort_by_label_desc", "Ordered by the named labels, last first.", byLabels(-1)),
    args: ["vector", "string"],
    optional: 1,
    variadic: true,
    experimental: true,
  },
];
