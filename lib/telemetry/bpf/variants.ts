/**
 * Which variant of a program to take. An event (`sched_switch`) has one program for each way to hook it
 * (`sched_switch__tp_btf`, `sched_switch__raw_tp`…), best first; the kernel decides, at load or at attach, and what it
 * refuses is replaced by the next. Pure: no kernel is asked here.
 * @module
 */

/** Ways to hook an event, best first: cheapest and most stable. */
export const VARIANTS = ["tp_btf", "raw_tp", "tracepoint", "fentry", "kprobe"] as const;
export type Variant = typeof VARIANTS[number];

/** An event with the variants that an object has for it. */
export interface Hook {
  readonly event: string;
  readonly variants: readonly Variant[];
}

/** What became of one event. */
export interface Choice {
  readonly hook: Hook;
  /** The variant in use or to be tried; `undefined` when none is left. */
  readonly variant: Variant | undefined;
  /** Why the variants before it were passed over, in order. */
  readonly refusals: readonly Refusal[];
}

/** Why a variant was passed over. */
export interface Refusal {
  readonly variant: Variant;
  readonly reason: string;
  /** Whether the kernel has no such hook; otherwise it has one, and refused. */
  readonly isMissing: boolean;
}

/** Name of the program of a choice. */
export function programName(hook: Hook, variant: Variant): string {
  return `${hook.event}__${variant}`;
}

/** The first choice of each hook: variants that `why` says the kernel does not have are passed over. */
export function choose(
  hooks: readonly Hook[],
  why: (hook: Hook, variant: Variant) => string | undefined,
): Choice[] {
  return hooks.map((hook) => {
    const refusals: Refusal[] = [];
    for (const variant of hook.variants) {
      const reason = why(hook, variant);
      if (reason === undefined) return { hook, variant, refusals };
      refusals.push({ variant, reason, isMissing: true });
    }
    return { hook, variant: undefined, refusals };
  });
}

/**
 * The choices after the kernel refused `program` (`undefined`: it did not say which). Where an object's programs share
 * state by variant (`uniform`), all hooks move on together.
 */
export function refuse(
  choices: readonly Choice[],
  program: string | undefined,
  reason: string,
  uniform: boolean,
): Choice[] {
  return choices.map((choice) => {
    if (choice.variant === undefined) return choice;
    const named = program === undefined || programName(choice.hook, choice.variant) === program;
    return named || uniform ? next(choice, named ? reason : `goes together with ${program}`) : choice;
  });
}

function next(choice: Choice, reason: string): Choice {
  if (choice.variant === undefined) return choice;
  const refusals = [...choice.refusals, { variant: choice.variant, reason, isMissing: false }];
  const variant = choice.hook.variants[choice.hook.variants.indexOf(choice.variant) + 1];
  return { hook: choice.hook, variant, refusals };
}

/** The program that libbpf's log names as refused by the verifier, if it names one. */
export function refusedProgram(log: string): string | undefined {
  return /prog '([^']+)': (?:BPF program load failed|failed to (?:load|find|resolve|attach|create|prepare))/
    .exec(log)?.[1];
}
