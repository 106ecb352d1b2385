/** The forms in which the original's programs were called, in today's words. @module */

/**
 * Returns the words with the command that the original implies: `rezolus CONFIG` and a bare `rezolus` mean the agent.
 */
export function withCommand(words: readonly string[], known: readonly string[]): readonly string[] {
  const [first] = words;
  if (first === undefined) return ["agent"];
  if (known.includes(first) || ["-h", "--help", "-V", "--version"].includes(first)) return words;
  return first.startsWith("-") || first.endsWith(".toml") || first.includes("/")
    ? ["agent", ...words]
    : words;
}
