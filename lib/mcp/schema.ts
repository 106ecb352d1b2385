/**
 * Schemas of tool arguments and results: JSON Schema 2020-12 as plain data, with the TypeScript type of what it
 * admits beside it. `schema_check.ts` checks values against them and names the argument at fault.
 * @module
 */

/** A JSON Schema document. Pure data: it is sent to clients as it stands. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

declare const TYPE: unique symbol;

/** A schema and, for the compiler only, the type of the values it admits. */
export interface Schema<T> {
  readonly json: JsonSchema;
  readonly [TYPE]?: T;
}

/** A property that may be left out; with a default, the handler always finds it. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly optional: true;
}

/** The type of the values that a schema admits. */
export type TypeOf<S> = S extends Schema<infer T> ? T : never;

/** The properties of an object schema. */
export type Properties = Readonly<Record<string, Schema<unknown>>>;

type OptionalKeys<P extends Properties> = {
  [K in keyof P]: P[K] extends OptionalSchema<unknown> ? (undefined extends TypeOf<P[K]> ? K : never) : never;
}[keyof P];

/** The type of an object with these properties. */
export type ObjectOf<P extends Properties> =
  & { readonly [K in Exclude<keyof P, OptionalKeys<P>>]: TypeOf<P[K]> }
  & { readonly [K in OptionalKeys<P>]?: Exclude<TypeOf<P[K]>, undefined> };

/** What every schema may say of itself to the reader. */
export interface About {
  readonly title?: string;
  readonly description?: string;
}

/** Text. `pattern` is a regular expression in JavaScript's `u` syntax. */
export function string(
  about: About & { minLength?: number; maxLength?: number; pattern?: string; format?: string } = {},
): Schema<string> {
  return { json: { type: "string", ...about } };
}

/** A number; infinite and NaN cannot be written in JSON. */
export function number(about: About & { minimum?: number; maximum?: number } = {}): Schema<number> {
  return { json: { type: "number", ...about } };
}

/** A whole number. */
export function integer(about: About & { minimum?: number; maximum?: number } = {}): Schema<number> {
  return { json: { type: "integer", ...about } };
}

/** True or false. */
export function boolean(about: About = {}): Schema<boolean> {
  return { json: { type: "boolean", ...about } };
}

/** One of the given words. */
export function oneOf<const W extends string>(words: readonly W[], about: About = {}): Schema<W> {
  return { json: { type: "string", enum: words, ...about } };
}

/** A list whose items are all of one kind. */
export function array<T>(
  items: Schema<T>,
  about: About & { minItems?: number; maxItems?: number } = {},
): Schema<readonly T[]> {
  return { json: { type: "array", items: items.json, ...about } };
}

/** An object with keys of any name and values of one kind. */
export function record<T>(values: Schema<T>, about: About = {}): Schema<Readonly<Record<string, T>>> {
  return { json: { type: "object", additionalProperties: values.json, ...about } };
}

/** The value or `null`. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return { json: { anyOf: [schema.json, { type: "null" }] } };
}

/** An object with exactly these properties: an unknown one is an error, since it is most often a misspelt one. */
export function object<P extends Properties>(properties: P, about: About = {}): Schema<ObjectOf<P>> {
  const entries = Object.entries(properties);
  const required = entries.filter(([, schema]) => !("optional" in schema)).map(([name]) => name);
  return {
    json: {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, schema]) => [name, schema.json])),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
      ...about,
    },
  };
}

/** A property that may be left out. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T | undefined> {
  return { json: schema.json, optional: true };
}

/** A property that may be left out and is `value` then. */
export function withDefault<T>(schema: Schema<T>, value: NoInfer<T>): OptionalSchema<T> {
  return { json: { ...schema.json, default: value }, optional: true };
}

/** A schema written by hand; the caller answers for `T`. */
export function jsonSchema<T>(json: JsonSchema): Schema<T> {
  return { json };
}
