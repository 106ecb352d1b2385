/** A build as its command knows it, and what is said of its end. Pure. @module */
import type { Failure } from "./message.ts";
import type { Job } from "./model.ts";

/** The word that a build failed, and whether it can only come from Nix itself. */
export interface Claim {
  readonly failure: Failure;
  readonly isProof: boolean;
}

/** A build with what only its course needs. */
export interface Build {
  readonly job: Job;
  /** Activities that run: of a build on another machine its own daemon tells of it too. */
  running: number;
  claim: Claim | undefined;
}

/** What proves more counts more, then what says more. */
export function betterOf(before: Claim | undefined, now: Claim): Claim {
  if (before === undefined || (now.isProof && !before.isProof)) return now;
  return before.failure.kind === "other" && now.failure.kind !== "other" ? now : before;
}
