/** Variables in the texts of a process. Pure. @module */

/**
 * A copy in which all texts have `${NAME}` and `${NAME:-default}` replaced; `$$` stands for a dollar.
 * @throws {SyntaxError} When a variable is not set and has no default.
 */
export function expandTexts<T>(value: T, env: Readonly<Record<string, string>>): T {
  return expand(value, env) as T;
}

function expand(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return expandText(value, env);
  if (Array.isArray(value)) return value.map((each) => expand(each, env));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, expand(each, env)]));
}

function expandText(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (token, name, fallback) => {
    if (token === "$$") return "$";
    const value = env[name] || fallback;
    if (value === undefined) throw new SyntaxError(`Cannot expand "${text}": ${name} is not set`);
    return value;
  });
}
