/** `$NAME` and `${NAME:-default}` in compose files. Pure. @module */

/** A text with its variables replaced, and the names of those that had neither a value nor a default. */
export interface Interpolated {
  readonly text: string;
  readonly missing: readonly string[];
}

const VARIABLE = /\$\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\})/g;

/** Replaces variables as docker compose does; `$$` is a dollar. What is missing becomes nothing. */
export function interpolate(text: string, env: Readonly<Record<string, string>>): Interpolated {
  const missing: string[] = [];
  const replaced = text.replaceAll(VARIABLE, (token, bare, braced, operator = "", word = "") => {
    if (token === "$$") return "$";
    const name: string = bare ?? braced;
    const value = env[name];
    const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
    if (operator.endsWith("+")) return isSet ? word : "";
    if (isSet) return value;
    if (operator.endsWith("-")) return word;
    missing.push(name);
    return "";
  });
  return { text: replaced, missing };
}

/**
 * The same text for a process with `expand`: there only `${NAME}` and `${NAME:-default}` are known, and a variable that is
 * not set is an error.
 */
export function forExpand(text: string): string {
  return text.replaceAll(VARIABLE, (token, bare, braced, operator = "", word = "") => {
    if (token === "$$") return "$$";
    return `\${${bare ?? braced}:-${operator.endsWith("-") ? word : ""}}`;
  });
}

/** Whether a text has variables that somebody has to replace. */
export function hasVariables(text: string): boolean {
  return [...text.matchAll(VARIABLE)].some(([token]) => token !== "$$");
}
