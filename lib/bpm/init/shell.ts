/** Command lines as texts, as the words of a program. Pure. @module */

/** Words that only a shell knows, or that mean something else to it. */
const BUILTINS = new Set(
  ".,:,[,alias,bg,cd,command,eval,exec,exit,export,fg,if,for,while,until,case,jobs,kill,read,return,set,shift,source,time,trap,type,ulimit,umask,unset,wait,{,(,!"
    .split(","),
);

/**
 * Program and arguments of a command line: its own words where it needs no shell, otherwise the shell with it.
 * @param shell What runs it, as `["sh", "-c"]`.
 */
export function commandOf(line: string, shell: readonly string[] = ["sh", "-c"]): string[] {
  const trimmed = line.trim();
  const words = plainWords(trimmed);
  if (words !== undefined) return words;
  return [...shell, trimmed.includes("\n") ? `${trimmed}\n` : trimmed];
}

/** The words of a line in which the shell would change nothing; `undefined` when it would. */
export function plainWords(line: string): string[] | undefined {
  const words: string[] = [];
  const part = /[ \t]*(?:'([^'\n]*)'|"([^"\\$`\n!]*)"|([A-Za-z0-9_.,/:=@%+^-]+))(?=[ \t]|$)/y;
  while (part.lastIndex < line.length) {
    const found = part.exec(line);
    if (found === null) return undefined;
    words.push((found[1] ?? found[2] ?? found[3])!);
  }
  const [first] = words;
  if (first === undefined || first === "" || first.includes("=") || BUILTINS.has(first)) return undefined;
  return words;
}

/** The command line of words, for a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) =>
    /^[A-Za-z0-9_.,/:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  )
    .join(" ");
}
