/** Whether data from elsewhere has the fields that it has to have. Pure. @module */

/** Whether a value is what it has to be. */
export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === "string";
export const number: Check = (value) => typeof value === "number";
export const boolean: Check = (value) => typeof value === "boolean";

/** It is of another shape. */
export const missing: Check = (value) => value === undefined;

/** It may be missing. */
export function maybe(isGood: Check): Check {
  return (value) => value === undefined || isGood(value);
}

export function list(isGood: Check): Check {
  return (value) => Array.isArray(value) && value.every(isGood);
}

export const texts = list(text);

/** Texts by any names. */
export const dictionary: Check = (value) => isRecord(value) && texts(Object.values(value));

export function oneOf(...values: readonly string[]): Check {
  const all = new Set<unknown>(values);
  return (value) => all.has(value);
}

/** All these fields; others may be there too. */
export function shape(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value) => isRecord(value) && checks.every(([name, isGood]) => isGood(value[name]));
}

/** An object that is no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
