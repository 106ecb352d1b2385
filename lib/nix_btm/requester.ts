/** What a process that writes a log was asked for. Pure. @module */

/** How the tool is named in its own command line: by its name, or from source by its main file. */
const OWN = /(?:^|\/)nix-btm(?:\/main\.ts)?$/;

/**
 * The command of whoever writes a log, by the words of its command line. `nix-btm run` writes for the command that it runs,
 * which is what was asked for; the words of the runtime before any other of ours say nothing to people.
 */
export function askedCommand(words: readonly string[]): readonly string[] {
  const own = words.findIndex((word) => OWN.test(word));
  if (own < 0) return words;
  const [subcommand] = words.slice(own + 1);
  const separator = words.indexOf("--", own);
  const wrapped = subcommand === "run" && separator > 0 ? words.slice(separator + 1) : [];
  return wrapped.length > 0 ? wrapped : ["nix-btm", ...words.slice(own + 1)];
}
