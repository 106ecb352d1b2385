/** Schemas: what they say, what they admit, and how what is wrong is told. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  array,
  boolean,
  checkValue,
  integer,
  type JsonSchema,
  jsonSchema,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  string,
  type TypeOf,
  withDefault,
} from "../../lib/mcp/mod.ts";

Deno.test("builders write plain JSON Schema", () => {
  const schema = object({
    text: string({ description: "Some", minLength: 1 }),
    level: oneOf(["low", "high"]),
    list: optional(array(integer({ minimum: 0 }), { maxItems: 3 })),
    index: withDefault(number(), -1),
    on: boolean(),
    of: record(nullable(string())),
  }, { title: "All" });
  deepStrictEqual(schema.json, {
    type: "object",
    title: "All",
    additionalProperties: false,
    required: ["text", "level", "on", "of"],
    properties: {
      text: { type: "string", description: "Some", minLength: 1 },
      level: { type: "string", enum: ["low", "high"] },
      list: { type: "array", items: { type: "integer", minimum: 0 }, maxItems: 3 },
      index: { type: "number", default: -1 },
      on: { type: "boolean" },
      of: { type: "object", additionalProperties: { anyOf: [{ type: "string" }, { type: "null" }] } },
    },
  });
  const value: TypeOf<typeof schema> = { text: "a", level: "low", index: 0, on: true, of: { a: null } };
  ok(checkValue(schema.json, value).ok);
  deepStrictEqual(jsonSchema<number>({ const: 3 }).json, { const: 3 });
});

/** Schema, value, and what is wrong with it. */
const PROBLEMS: [schema: JsonSchema, value: unknown, problem: string][] = [
  [{ type: "string" }, 1, "expected a string, got a number"],
  [{ type: "integer" }, 1.5, "expected an integer, got a number"],
  [{ type: "array" }, {}, "expected an array, got an object"],
  [{ type: ["string", "null"] }, true, "expected a string or null, got a boolean"],
  [{ type: "object" }, null, "expected an object, got null"],
  [{ const: { a: [1] } }, { a: [2] }, 'expected {"a":[1]}, got {"a":[2]}'],
  [{ enum: ["a", 1] }, "b", 'expected one of "a", 1, got "b"'],
  [{ minLength: 2 }, "\u{1f600}", "expected at least 2 characters, got 1"],
  [{ maxLength: 1 }, "ab", "expected at most 1 characters, got 2"],
  [{ pattern: "^a+$" }, "ab", 'expected text like /^a+$/, got "ab"'],
  [{ minimum: 1 }, 0, "expected at least 1, got 0"],
  [{ maximum: 1 }, 2, "expected at most 1, got 2"],
  [{ exclusiveMinimum: 1 }, 1, "expected more than 1, got 1"],
  [{ exclusiveMaximum: 1 }, 1, "expected less than 1, got 1"],
  [{ minItems: 1 }, [], "expected at least 1 items, got 0"],
  [{ maxItems: 1 }, [1, 2], "expected at most 1 items, got 2"],
  [{ items: { type: "string" } }, ["a", 2], "[1]: expected a string, got a number"],
  [{ properties: { a: { items: { type: "null" } } } }, { a: [0] }, "a[0]: expected null, got a number"],
  [{ required: ["a"] }, {}, "a: required but missing"],
  [{ properties: { a: {} }, additionalProperties: false }, { b: 1 }, "b: unknown; known: a"],
  [{ additionalProperties: false }, { b: 1 }, "b: unknown; known: none"],
  [{ additionalProperties: { type: "string" } }, { b: 1 }, "b: expected a string, got a number"],
  [{ properties: { a: false } }, { a: 1 }, "a: nothing is allowed here"],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 3, "expected at most 2, got 3"],
  [{ anyOf: [{ type: "string" }, { type: "null" }] }, 3, "expected a string, got a number"],
  [{ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 3, "fits more than one of the allowed forms"],
  [{ oneOf: [{ minimum: 4 }, { minimum: 5 }] }, 3, "expected at least 4, got 3"],
  [{ not: { type: "string" } }, "a", "has a form that is not allowed"],
  [{ if: { const: 1 }, then: { minimum: 2 }, else: { minimum: 5 } }, 1, "expected at least 2, got 1"],
  [{ if: { const: 1 }, then: { minimum: 2 }, else: { minimum: 5 } }, 4, "expected at least 5, got 4"],
  [{ $defs: { a: { type: "null" } }, $ref: "#/$defs/a" }, 1, "expected null, got a number"],
  [{ $defs: { a: { $anchor: "x", type: "null" } }, $ref: "#x" }, 1, "expected null, got a number"],
  [{ $defs: { "a/b~": { type: "null" } }, $ref: "#/$defs/a~1b~0" }, 1, "expected null, got a number"],
  [{ $ref: "#" }, 1, "nested too deeply"],
  [{ const: "x" }, "y".repeat(100), `expected "x", got "${"y".repeat(76)}...`],
];

for (const [schema, value, problem] of PROBLEMS) {
  Deno.test(`${JSON.stringify(schema)} refuses ${JSON.stringify(value).slice(0, 40)}`, () => {
    deepStrictEqual(checkValue(schema, value), { ok: false, problem });
  });
}

/** Schema, value, and what comes out. */
const ADMITTED: [schema: JsonSchema, value: unknown, out?: unknown][] = [
  [{}, "anything"],
  [{ type: "integer" }, 1],
  [{ unknownKeyword: 3, format: "uri" }, "not a uri"],
  [{ $ref: "#/$defs/none" }, 1],
  [{ $ref: "https://elsewhere.test/schema" }, 1],
  [{ enum: [[1, { a: null }]] }, [1, { a: null }]],
  [{ type: "array", items: { minimum: 1 } }, [1, 2]],
  [{ required: ["toString"], type: "object" }, { toString: 1 }],
  [{ properties: { a: { default: 3 } } }, {}, { a: 3 }],
  [{ properties: { a: { default: 3 } } }, { a: 4 }, { a: 4 }],
  [{ properties: { a: { properties: { b: { default: 1 } } } } }, { a: {} }, { a: { b: 1 } }],
  [{ items: { properties: { b: { default: 1 } } } }, [{}], [{ b: 1 }]],
  [{ allOf: [{ properties: { b: { default: 1 } } }] }, {}, { b: 1 }],
  [{ not: { type: "string" } }, 1],
  [{ oneOf: [{ type: "string" }, { type: "number" }] }, 1],
];

for (const [schema, value, out = value] of ADMITTED) {
  Deno.test(`${JSON.stringify(schema)} admits ${JSON.stringify(value)}`, () => {
    deepStrictEqual(checkValue(schema, value), { ok: true, value: out });
  });
}

Deno.test("names of a prototype are names like others", () => {
  const schema = object({ a: string() }).json;
  const value = JSON.parse('{"a":"x","__proto__":{"b":1}}');
  deepStrictEqual(checkValue(schema, value), { ok: false, problem: "__proto__: unknown; known: a" });
  const open = checkValue({ type: "object" }, value);
  ok(open.ok);
  strictEqual(Object.getPrototypeOf(open.value), Object.prototype);
  deepStrictEqual(checkValue({ required: ["toString"] }, {}), {
    ok: false,
    problem: "toString: required but missing",
  });
});
