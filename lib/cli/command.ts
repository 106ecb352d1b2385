/** The command tree: one description drives parser, help, completion and manual pages. @module */
import type { Key } from "../config/mod.ts";

/** A flag or option of a command: `--name`, `-n`. */
export interface Option<T = unknown> {
  readonly key: Key<T>;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in help, for example `DURATION`; absent for switches. */
  readonly value?: string;
  /** Whether it may be given several times; the values become a list. */
  readonly multiple?: boolean;
  /** What a shell completes the value with. */
  readonly complete?: Completion;
}

/** Files, words that are known, or a command that prints the words that are known now, one a line. */
export type Completion = "file" | "directory" | readonly string[] | { readonly command: string };

/** An argument by position. */
export interface Positional {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  /** Takes all words that are left; for the last one. */
  readonly many?: boolean;
  readonly complete?: Completion;
}

export type Options = Readonly<Record<string, Option>>;

/** What `run` is given of the options: by the name in the description. */
export type ValuesOf<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { multiple: true; key: Key<infer T> } ? readonly NonNullable<T>[]
    : O[K] extends { key: Key<infer T> } ? T
    : never;
};

/** What a command was called with. */
export interface Call<O extends Options = Options> {
  readonly options: ValuesOf<O>;
  /** Arguments by position; missing optional ones are `undefined`. */
  readonly args: readonly (string | undefined)[];
  /** What stood behind `--`, for commands that take a command line; without positionals `--` may be missing. */
  readonly rest: readonly string[];
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** One command, with commands below it or with something to run. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** Paragraphs for help and manual. */
  readonly description?: string;
  readonly options: O;
  readonly positionals: readonly Positional[];
  /** What the words behind `--` are, for example `COMMAND`; absent: none are taken. */
  readonly rest?: string;
  /** Command line and what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly commands: readonly Command[];
  /** Returns the exit code. */
  run?(call: Call<O>): Promise<number>;
}

/** Describes a command. */
export function command<const O extends Options = Record<never, never>>(
  spec: Pick<Command<O>, "name" | "summary"> & Partial<Command<O>>,
): Command {
  const full = { options: {}, positionals: [], examples: [], commands: [], ...spec };
  // Options are erased here: the tree is walked without knowing each command's own type.
  return full as unknown as Command;
}

/** A switch or option. `value` names the value in help; without it the option is a switch. */
export function option<T, const M extends boolean = false>(
  key: Key<T>,
  spec: Omit<Option<T>, "key" | "multiple"> & { readonly multiple?: M } = {},
): Option<T> & { readonly key: Key<T>; readonly multiple: M } {
  return { multiple: false as M, ...spec, key };
}

/** `max_metrics` and `maxMetrics` are `--max-metrics` on the command line. */
export function flagName(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
}
