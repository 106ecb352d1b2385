/** What clients introduce themselves with. Pure. @module */

/** A client's own words. */
export interface Hello {
  readonly pid: number;
  /** Where it works, absolute. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The default ones when left out. */
  readonly toolsets?: readonly string[];
}

/** Stands on requests that change nothing: they can be made again. */
export const REPEATABLE_HEADER = "x-hostkit-repeatable";

/** Stands on the answer to who comes: names of tools of which a call changes nothing, parted by spaces. */
export const LOOKS_HEADER = "x-hostkit-looks";

/** Undefined when it is not what a client says. */
export function parseHello(text: string, toolsetNames: readonly string[]): Hello | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, folder, env, toolsets } = value as Record<string, unknown>;
  const isHello = Number.isInteger(pid) && typeof folder === "string" && folder.startsWith("/") &&
    isTexts(env) &&
    (toolsets === undefined ||
      (Array.isArray(toolsets) && toolsets.every((each) => toolsetNames.includes(each))));
  return isHello ? value as Hello : undefined;
}

function isTexts(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((each) => typeof each === "string");
}
