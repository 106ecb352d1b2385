/** Which commands may be started in which project. Pure. @module */
import { normalize } from "node:path/posix";
import { wholePattern } from "./pattern.ts";

/** What happens to a command that no pattern matches. */
export const UNLISTED = ["allow", "ask", "refuse"] as const;
export type Unlisted = (typeof UNLISTED)[number];

/** What may be started in a folder, and below. */
export interface AllowRule {
  /** Absolute. */
  readonly folder: string;
  /** Command lines; `*` stands for anything, `?` for one character. */
  readonly commands: readonly string[];
  readonly unlisted: Unlisted;
}

/** What a person has allowed for good. */
export interface Allowed {
  readonly folder: string;
  readonly line: string;
}

/** Where a folder really lies, whatever links lead to it. */
export type Really = (folder: string) => string;

/** Everything is allowed where no rule is of the folder; among several the one of the deepest folder counts. */
export function verdict(
  rules: readonly AllowRule[],
  learned: readonly Allowed[],
  { folder, line, really = tidied }: {
    readonly folder: string | null;
    readonly line: string;
    readonly really?: Really;
  },
): Unlisted {
  const rule = ruleOf(rules, folder, really);
  if (rule === undefined || rule.unlisted === "allow") return "allow";
  if (rule.commands.some((pattern) => wholePattern(pattern)(line))) return "allow";
  const isLearned = learned.some((each) => each.folder === rule.folder && each.line === line);
  return isLearned ? "allow" : rule.unlisted;
}

/** The rule that counts in a folder; what nobody knows the folder of, has the rule of `/` if there is one. */
export function ruleOf(
  rules: readonly AllowRule[],
  folder: string | null,
  really: Really = tidied,
): AllowRule | undefined {
  const path = folder === null ? "/" : really(folder);
  const isBelow = (root: string) => root === "/" || path === root || path.startsWith(`${root}/`);
  return rules.map((rule) => ({ rule, root: really(rule.folder) })).filter(({ root }) => isBelow(root))
    .sort((a, b) => b.root.length - a.root.length)[0]?.rule;
}

/** Without steps that lead nowhere, and slashes that say nothing. */
function tidied(folder: string): string {
  return normalize(folder).replace(/(?<=.)\/$/, "");
}

/** A command with its arguments as patterns see it: an argument with a space, or none in it, is told from two. */
export function lineOf(command: string, args: readonly string[]): string {
  return [command, ...args].map((word) => /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word)).join(" ");
}
