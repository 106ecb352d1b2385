/** What a cluster answers when it does not do what it is asked for. @module */

/** For programs; each has its code in gRPC. */
export type ClusterProblem =
  | "not found"
  | "exists"
  | "invalid"
  /** It is not in a state for that. */
  | "conflict"
  | "quota"
  /** Nothing was done; it may be later. */
  | "unavailable";

/** The message is for whoever asks. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly problem: ClusterProblem;

  constructor(message: string, problem: ClusterProblem, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
