/** What words mean that are not there: the original's forms of calling, and the agent of this host. @module */

/** The agent that is meant when none is named: where one listens with the default configuration. */
export const DEFAULT_AGENT_URL = "http://127.0.0.1:4241";

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
