/** Why a build has not begun: what it needs, and what Nix says. Pure. @module */
import { isOver } from "../nix/mod.ts";
import type { JobRow, World } from "./world.ts";

/** What a build waits for. */
export type Waiting =
  /** Nix says so itself: a lock, a user, a machine. */
  | { readonly kind: "told"; readonly why: string; readonly sinceMs: number }
  /** Others that it needs, the running ones first; all of them are builds of its command. */
  | { readonly kind: "inputs"; readonly jobs: readonly JobRow[] }
  /** One that it needs has failed: it never will. */
  | { readonly kind: "hopeless"; readonly jobs: readonly JobRow[] }
  /** Nothing is known that it waits for: there is no free slot. */
  | { readonly kind: "slot" };

/** Builds of a command by their derivations. */
export interface BuildsByPath {
  get(path: string): JobRow | undefined;
}

/**
 * Why a build that has not begun has not; `undefined` for others.
 * @param builds All builds of its command by their derivations: whoever asks for many jobs has them at hand.
 */
export function whyWaiting(
  world: World,
  job: JobRow,
  builds: BuildsByPath = buildsOf(world, job.command),
): Waiting | undefined {
  if (job.kind !== "build") return undefined;
  if (job.state.kind === "waiting") return { kind: "told", why: job.state.why, sinceMs: job.state.sinceMs };
  if (job.state.kind !== "planned") return undefined;
  const inputs = openInputs(world, job, builds);
  const failed = inputs.filter(({ state }) => state.kind === "failed");
  if (failed.length > 0) return { kind: "hopeless", jobs: failed };
  const open = inputs.filter((each) => !isOver(each));
  return open.length === 0
    ? { kind: "slot" }
    : { kind: "inputs", jobs: open.sort((one, other) => rankOf(one) - rankOf(other)) };
}

/** In a line. */
export function waitingText(waiting: Waiting): string {
  switch (waiting.kind) {
    case "told":
      return waiting.why;
    case "slot":
      return "waiting for a free slot";
    case "inputs":
    case "hopeless": {
      const [first, ...more] = waiting.jobs;
      const rest = more.length === 0 ? "" : ` and ${more.length} more`;
      return waiting.kind === "inputs"
        ? `waiting for ${first!.name} (${first!.state.kind})${rest}`
        : `${first!.name}${rest} failed, which it needs`;
    }
    default:
      return waiting satisfies never;
  }
}

/** Builds of the same command that a build needs. */
function openInputs({ graph }: World, job: JobRow, builds: BuildsByPath): JobRow[] {
  return graph.inputs(job.subject).flatMap((path) => builds.get(path) ?? []);
}

function buildsOf({ jobs }: World, command: number): Map<string, JobRow> {
  const found = new Map<string, JobRow>();
  for (const job of jobs.values()) {
    if (job.command === command && job.kind === "build") found.set(job.subject, job);
  }
  return found;
}

function rankOf({ state }: JobRow): number {
  return ["running", "waiting", "planned"].indexOf(state.kind);
}
