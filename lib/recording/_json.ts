/** JSON in metadata, which others may have written. Pure. @module */

/** What `JSON.parse` asks of each value; `source` is the text of a number. */
export type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Returns what `text` says; `undefined` for what is no JSON. */
export function jsonValue(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Returns the object that `text` is; `undefined` for what is none. */
export function jsonObject(text: string, reviver?: Reviver): Record<string, unknown> | undefined {
  const value = jsonValue(text, reviver);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}
