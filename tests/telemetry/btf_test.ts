import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parseBtf, tracepointArguments, tracepointNames } from "../../lib/telemetry/btf.ts";
import { BLOCKIO } from "../../lib/telemetry/bpf/blockio.ts";
import { type Kernel, probeKernel, Procfs } from "../../lib/telemetry/mod.ts";

/** A BTF blob of types, each given as `[name, kind, members, size or type, words behind]`. */
type TypeWords = readonly [name: string, kind: number, members: number, refers: number, behind: number];

function btf(list: readonly TypeWords[]): Uint8Array<ArrayBuffer> {
  let strings = "\0";
  const types: number[] = [];
  for (const [name, kind, members, refers, behind] of list) {
    types.push(name === "" ? 0 : strings.length, kind << 24 | members, refers, ...Array(behind).fill(7));
    if (name !== "") strings += `${name}\0`;
  }
  const typesBytes = 4 * types.length;
  const header = [0x0001_eb9f, 24, 0, typesBytes, typesBytes, strings.length];
  const blob = new Uint8Array(24 + typesBytes + strings.length);
  blob.set(new Uint8Array(Uint32Array.from([...header, ...types]).buffer));
  blob.set(new TextEncoder().encode(strings), 24 + typesBytes);
  return blob;
}

/** One type of every kind with what stands behind it, then two tracepoints: of one argument, and of two. */
const BLOB = btf([
  ["int", 1, 0, 4, 1], // 1
  ["", 3, 0, 0, 3], // 2: array
  ["task", 4, 2, 16, 6], // 3: struct of two members
  ["either", 5, 1, 8, 3], // 4: union
  ["kinds", 6, 3, 4, 6], // 5: enum
  ["ahead", 7, 0, 0, 0], // 6: forward declaration
  ["", 13, 2, 0, 4], // 7: prototype of (void *, request)
  ["", 2, 0, 7, 0], // 8: pointer to it
  ["btf_trace_one", 8, 0, 8, 0], // 9
  ["run", 12, 0, 7, 0], // 10: function
  ["value", 14, 0, 1, 1], // 11: variable
  [".data", 15, 1, 8, 3], // 12: section
  ["ratio", 16, 0, 8, 0], // 13: float
  ["tag", 17, 0, 3, 1], // 14: declaration tag
  ["wide", 19, 1, 8, 3], // 15: enum of 64 bits
  ["", 13, 3, 0, 6], // 16: prototype of (void *, queue, request)
  ["", 2, 0, 16, 0], // 17
  ["btf_trace_two", 8, 0, 17, 0], // 18
  ["btf_trace_odd", 8, 0, 1, 0], // 19: no function
]);

Deno.test("BTF tells the tracepoints and how many arguments each has", () => {
  const parsed = parseBtf(BLOB)!;
  deepStrictEqual(tracepointNames(parsed), new Set(["one", "two", "odd"]));
  deepStrictEqual(["one", "two", "odd", "none"].map((event) => tracepointArguments(parsed, event)), [
    1,
    2,
    undefined,
    undefined,
  ]);
});

Deno.test("what is no BTF, or is cut short, tells nothing", () => {
  strictEqual(parseBtf(undefined), undefined);
  strictEqual(parseBtf(new Uint8Array(100)), undefined);
  for (const bytes of [0, 10, 24, BLOB.length - 1]) strictEqual(parseBtf(BLOB.subarray(0, bytes)), undefined);
});

Deno.test("block requests have the queue before them on old kernels that say so; new ones are not asked", () => {
  const queueFirst = (release: string, count: number | undefined): boolean => {
    const kernel = { release, tracepointArguments: () => count } as unknown as Kernel;
    const { queue_first: value } = BLOCKIO.settings(new Set(), {}, { kernel, variants: new Set() });
    return new Uint8Array(value!.buffer)[0] === 1;
  };
  const cases: [string, number | undefined, boolean][] = [
    ["5.8.0", 2, true],
    ["5.10.120", 2, true],
    ["5.10.223-cloud", 1, false],
    ["5.9.1", undefined, false],
    ["5.11.0", 2, false],
    ["6.1.0", 2, false],
    ["unknown", 2, false],
  ];
  for (const [release, count, expected] of cases) strictEqual(queueFirst(release, count), expected, release);
});

const kernel = probeKernel(new Procfs());

Deno.test({
  name: "the running kernel's block_rq_issue has the request, and before it at most the queue",
  ignore: !kernel.hasBtf,
  fn() {
    const count = kernel.tracepointArguments("block_rq_issue");
    const [major = 0, minor = 0] = kernel.release.split(".").map(Number);
    strictEqual(count, major * 100 + minor >= 511 ? 1 : count === 2 ? 2 : 1);
    strictEqual(kernel.tracepointArguments("no_such_event"), undefined);
  },
});
