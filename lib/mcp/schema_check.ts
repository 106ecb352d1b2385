/**
 * Checks a value against a JSON Schema and fills in defaults. Knows the keywords of 2020-12 that describe data; unknown
 * keywords say nothing, as the standard has it. A problem names the place, so that a model can correct its call.
 * @module
 */
import type { JsonSchema } from "./schema.ts";

/** A checked value with defaults filled in, or what is wrong: `service: expected a string, got a number`. */
export type Checked = { readonly ok: true; readonly value: unknown } | {
  readonly ok: false;
  readonly problem: string;
};

/** References inside references end here; only a schema that refers to itself gets so deep. */
const MAX_DEPTH = 64;

/** Where in the value the check is, and in which document references are looked up. */
interface Place {
  /** The place around it; undefined for the whole value. */
  readonly outer: Place | undefined;
  /** The name or the index within that. */
  readonly step: string | number;
  readonly root: JsonSchema;
  readonly depth: number;
}

/** What a keyword asks for: undefined when it has no objection and changes nothing. */
type Rule = (schema: JsonSchema, value: unknown, place: Place) => Checked | undefined;

/** Checks `value`. The value that comes back is a copy wherever a default was filled in. */
export function checkValue(schema: JsonSchema, value: unknown): Checked {
  return check(schema, value, { outer: undefined, step: "", root: schema, depth: 0 });
}

function check(schema: unknown, value: unknown, place: Place): Checked {
  if (schema === false) return wrong(place, "nothing is allowed here");
  if (!isObject(schema)) return { ok: true, value };
  if (place.depth > MAX_DEPTH) return wrong(place, "nested too deeply");
  let current = value;
  for (const rule of rulesOf(schema)) {
    const result = rule(schema, current, place);
    if (result === undefined) continue;
    if (!result.ok) return result;
    current = result.value;
  }
  return { ok: true, value: current };
}

const RULES: readonly (readonly [Rule, ...keywords: string[]])[] = [
  [checkReference, "$ref"],
  [checkKind, "type", "const", "enum"],
  [checkText, "minLength", "maxLength", "pattern"],
  [checkNumber, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  [checkArray, "minItems", "maxItems", "items"],
  [checkObject, "required", "properties", "additionalProperties"],
  [checkLogic, "allOf", "if", "anyOf", "oneOf", "not"],
];

const known = new WeakMap<JsonSchema, readonly Rule[]>();

/** The rules that a schema has keywords of; looked up once, since a long list is checked entry by entry. */
function rulesOf(schema: JsonSchema): readonly Rule[] {
  let rules = known.get(schema);
  if (rules === undefined) {
    rules = RULES.filter(([, ...keywords]) => keywords.some((each) => each in schema)).map(([rule]) => rule);
    known.set(schema, rules);
  }
  return rules;
}

function checkReference(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  if (typeof schema.$ref !== "string") return undefined;
  const target = resolve(place.root, schema.$ref);
  return target === undefined ? undefined : check(target, value, { ...place, depth: place.depth + 1 });
}

/** Only references into the same document: `#`, `#/$defs/name`, `#anchor`. */
function resolve(root: JsonSchema, reference: string): unknown {
  if (reference === "#") return root;
  if (reference.startsWith("#/")) {
    return reference.slice(2).split("/").reduce<unknown>((node, part) => {
      const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
      return isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
    }, root);
  }
  const definitions = isObject(root.$defs) ? Object.values(root.$defs) : [];
  return definitions.find((each) => isObject(each) && `#${each.$anchor}` === reference);
}

function checkKind(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  const types = typeof schema.type === "string"
    ? [schema.type]
    : Array.isArray(schema.type)
    ? schema.type
    : undefined;
  if (types !== undefined && !types.some((type) => hasType(value, type))) {
    return wrong(place, `expected ${types.map(withArticle).join(" or ")}, got ${typeName(value)}`);
  }
  if ("const" in schema && !sameJson(schema.const, value)) {
    return wrong(place, `expected ${JSON.stringify(schema.const)}, got ${shown(value)}`);
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((each) => sameJson(each, value))) {
    const allowed = schema.enum.map((each) => JSON.stringify(each)).join(", ");
    return wrong(place, `expected one of ${allowed}, got ${shown(value)}`);
  }
  return undefined;
}

function checkText(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  if (typeof value !== "string") return undefined;
  // The standard counts characters, not UTF-16 units.
  const length = typeof schema.minLength === "number" || typeof schema.maxLength === "number"
    ? [...value].length
    : 0;
  if (typeof schema.minLength === "number" && length < schema.minLength) {
    return wrong(place, `expected at least ${schema.minLength} characters, got ${length}`);
  }
  if (typeof schema.maxLength === "number" && length > schema.maxLength) {
    return wrong(place, `expected at most ${schema.maxLength} characters, got ${length}`);
  }
  if (typeof schema.pattern === "string" && !new RegExp(schema.pattern, "u").test(value)) {
    return wrong(place, `expected text like /${schema.pattern}/, got ${shown(value)}`);
  }
  return undefined;
}

const BOUNDS: readonly [string, (value: number, bound: number) => boolean, string][] = [
  ["minimum", (value, bound) => value >= bound, "at least"],
  ["maximum", (value, bound) => value <= bound, "at most"],
  ["exclusiveMinimum", (value, bound) => value > bound, "more than"],
  ["exclusiveMaximum", (value, bound) => value < bound, "less than"],
];

function checkNumber(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  if (typeof value !== "number") return undefined;
  for (const [keyword, holds, words] of BOUNDS) {
    const bound = schema[keyword];
    if (typeof bound === "number" && !holds(value, bound)) {
      return wrong(place, `expected ${words} ${bound}, got ${value}`);
    }
  }
  return undefined;
}

function checkArray(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  if (!Array.isArray(value)) return undefined;
  if (typeof schema.minItems === "number" && value.length < schema.minItems) {
    return wrong(place, `expected at least ${schema.minItems} items, got ${value.length}`);
  }
  if (typeof schema.maxItems === "number" && value.length > schema.maxItems) {
    return wrong(place, `expected at most ${schema.maxItems} items, got ${value.length}`);
  }
  if (schema.items === undefined) return undefined;
  let changed: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const result = check(schema.items, value[index], within(place, index));
    if (!result.ok) return result;
    if (result.value !== value[index]) (changed ??= [...value])[index] = result.value;
  }
  return changed && { ok: true, value: changed };
}

function checkObject(schema: JsonSchema, value: unknown, place: Place): Checked | undefined {
  if (!isObject(value)) return undefined;
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const name of Array.isArray(schema.required) ? schema.required : []) {
    if (!Object.hasOwn(value, name)) return wrong(within(place, name), "required but missing");
  }
  let changed: Map<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const isKnown = Object.hasOwn(properties, name);
    const rule = isKnown ? properties[name] : schema.additionalProperties;
    if (rule === false && !isKnown) {
      const names = Object.keys(properties).join(", ") || "none";
      return wrong(within(place, name), `unknown; known: ${names}`);
    }
    const result = check(rule, value[name], within(place, name));
    if (!result.ok) return result;
    if (result.value !== value[name]) {
      (changed ??= new Map(Object.entries(value))).set(name, result.value);
    }
  }
  for (const name of Object.keys(properties)) {
    const rule = properties[name];
    if (Object.hasOwn(value, name) || !isObject(rule) || !("default" in rule)) continue;
    (changed ??= new Map(Object.entries(value))).set(name, rule.default);
  }
  return changed && { ok: true, value: Object.fromEntries(changed) };
}

function checkLogic(schema: JsonSchema, value: unknown, outer: Place): Checked | undefined {
  // The same value again: it does not get smaller.
  const place = { ...outer, depth: outer.depth + 1 };
  let current = value;
  for (const part of listOf(schema.allOf)) {
    const result = check(part, current, place);
    if (!result.ok) return result;
    current = result.value;
  }
  if (schema.if !== undefined) {
    const branch = check(schema.if, current, place).ok ? schema.then : schema.else;
    const result = check(branch, current, place);
    if (!result.ok) return result;
    current = result.value;
  }
  const any = listOf(schema.anyOf);
  if (any.length > 0) {
    const results = any.map((part) => check(part, current, place));
    const fitting = results.find(({ ok }) => ok);
    if (fitting === undefined) return results[0];
    if (fitting.ok) current = fitting.value;
  }
  const one = listOf(schema.oneOf);
  if (one.length > 0) {
    const results = one.map((part) => check(part, current, place));
    const fitting = results.filter(({ ok }) => ok).length;
    if (fitting === 0) return results[0];
    if (fitting > 1) return wrong(place, "fits more than one of the allowed forms");
  }
  if (schema.not !== undefined && check(schema.not, current, place).ok) {
    return wrong(place, "has a form that is not allowed");
  }
  return { ok: true, value: current };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function within(outer: Place, step: string | number): Place {
  return { outer, step, root: outer.root, depth: outer.depth + 1 };
}

/** `filter.names[2]`. */
function pathOf({ outer, step }: Place): string {
  if (outer === undefined) return "";
  const before = pathOf(outer);
  if (typeof step === "number") return `${before}[${step}]`;
  return before === "" ? step : `${before}.${step}`;
}

function wrong(place: Place, problem: string): Checked {
  const path = pathOf(place);
  return { ok: false, problem: path === "" ? problem : `${path}: ${problem}` };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasType(value: unknown, type: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return typeof value === "number";
  return typeName(value) === withArticle(type);
}

function withArticle(type: unknown): string {
  if (type === "null") return "null";
  return /^[aeio]/.test(String(type)) ? `an ${type}` : `a ${type}`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return withArticle(Array.isArray(value) ? "array" : typeof value);
}

/** Long values are cut: the message is for a model's context. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Whether two values are the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length &&
    left.every(([key, value]) =>
      Object.hasOwn(b, key) && sameJson(value, (b as Record<string, unknown>)[key])
    );
}
