/**
 * Completion scripts for bash, zsh and fish, made of the command tree. They are static: completing never starts the
 * tool, so that it is instant and works while the tool is broken; but where a `command` of the tree is asked for words.
 * @module
 */
import { type Command, type Completion, flagName } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** Returns the script of a tool for a shell. */
export function completionScript(tool: Command, shell: Shell): string {
  return shell === "bash" ? bash(tool) : shell === "zsh" ? zsh(tool) : fish(tool);
}

/** A command with the words that lead to it. */
interface Node {
  readonly words: readonly string[];
  readonly command: Command;
}

function nodes(command: Command, words: readonly string[] = []): Node[] {
  return [{ words, command }, ...command.commands.flatMap((each) => nodes(each, [...words, each.name]))];
}

function flagsOf(command: Command): string[] {
  const own = Object.entries(command.options).flatMap(([name, { short }]) =>
    short === undefined ? [`--${flagName(name)}`] : [`--${flagName(name)}`, `-${short}`]
  );
  return [...own, "--help", "--version"];
}

/** Which completion follows each option that takes a value. */
function valueCases(
  command: Command,
  line: (flags: string[], complete: Completion | undefined) => string,
): string[] {
  return Object.entries(command.options).flatMap(([name, { short, value, complete }]) => {
    if (value === undefined) return [];
    const flags = [`--${flagName(name)}`, ...(short === undefined ? [] : [`-${short}`])];
    return [line(flags, complete)];
  });
}

function bashWords(complete: Completion | undefined): string {
  if (complete === "file") return `compgen -f -- "$word"`;
  if (complete === "directory") return `compgen -d -- "$word"`;
  const words = isCommand(complete) ? `$(${complete.command} 2>/dev/null)` : (complete ?? []).join(" ");
  return `compgen -W "${words}" -- "$word"`;
}

function isCommand(complete: Completion | undefined): complete is { readonly command: string } {
  return typeof complete === "object" && "command" in complete;
}

function bash(tool: Command): string {
  const id = `_${tool.name.replaceAll("-", "_")}`;
  const cases = nodes(tool).map(({ words, command }) => {
    const values = valueCases(
      command,
      (flags, complete) => `        ${flags.join("|")}) COMPREPLY=($(${bashWords(complete)})); return;;`,
    );
    const names = command.commands.map((each) => each.name);
    const position = command.positionals[0]?.complete;
    const files = position === undefined
      ? []
      : [`      [[ $word == -* ]] || COMPREPLY+=($(${bashWords(position)}))`];
    return [
      `    "${words.join(" ")}")`,
      ...(values.length > 0 ? [`      case "$previous" in`, ...values, `      esac`] : []),
      `      COMPREPLY=($(compgen -W "${[...names, ...flagsOf(command)].join(" ")}" -- "$word"))`,
      ...files,
      `      ;;`,
    ].join("\n");
  });
  const known = nodes(tool).map(({ words }) => `"${words.join(" ")}"`).join("|");
  return `${id}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in ${known}) path="$next" ;; *) break ;; esac
  done
  COMPREPLY=()
  case "$path" in
${cases.join("\n")}
  esac
}
complete -F ${id} ${tool.name}
`;
}

/** zsh runs the bash function through its own emulation: one description less that could drift. */
function zsh(tool: Command): string {
  return `#compdef ${tool.name}
autoload -U +X bashcompinit && bashcompinit
${bash(tool)}`;
}

function fish(tool: Command): string {
  const lines: string[] = [`complete -c ${tool.name} -f`];
  for (const { words, command } of nodes(tool)) {
    const when = words.length === 0
      ? command.commands.length === 0 ? "true" : `not __fish_seen_subcommand_from ${names(command)}`
      : words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const head = `complete -c ${tool.name} -n '${when}'`;
    for (const each of command.commands) lines.push(`${head} -a ${each.name} -d ${quote(each.summary)}`);
    for (const [name, { short, value, complete, key }] of Object.entries(command.options)) {
      const flags = `-l ${flagName(name)}${short === undefined ? "" : ` -s ${short}`}`;
      const values = value === undefined ? "" : ` -r${fishWords(complete)}`;
      lines.push(`${head} ${flags}${values} -d ${quote(key.help)}`);
    }
    const position = command.positionals[0]?.complete;
    if (position !== undefined) lines.push(`${head}${fishWords(position)}`);
  }
  return `${lines.join("\n")}\n`;
}

function names(command: Command): string {
  return command.commands.map((each) => each.name).join(" ");
}

function fishWords(complete: Completion | undefined): string {
  if (complete === "file") return " -F";
  if (complete === "directory") return " -a '(__fish_complete_directories)'";
  if (isCommand(complete)) return ` -a ${quote(`(${complete.command} 2>/dev/null)`)}`;
  return complete === undefined ? "" : ` -a ${quote(complete.join(" "))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
