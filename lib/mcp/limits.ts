/** Every limit of a server, in one place. What happens at each stands beside it. @module */

/** Limits of one server; whoever makes a server may set each. */
export interface McpLimits {
  /** Bytes of one HTTP request or of one line of stdio. Larger: 413, or the stdio connection ends. */
  readonly bodyBytes: number;
  /** Messages of one JSON-RPC batch. More: the batch is refused as a whole. */
  readonly batch: number;
  /** Tool calls that run at the same time. One more is answered at once with an error that says so. */
  readonly calls: number;
  /** How long one call may run. Then its signal fires and its client is told. */
  readonly callMs: number;
  /**
   * How long a client hears nothing while its call runs: one that has gone is noticed after about twice that. For
   * clients of the old dialect it is ten times as long.
   */
  readonly heartbeatMs: number;
  /** Sessions of clients of 2025 and before. One more ends the one unused for the longest time. */
  readonly sessions: number;
  /** A session that is unused for so long ends. Its client is told 404 and starts anew. */
  readonly sessionIdleMs: number;
  /** Streams of changes that are open at the same time, in all. One more is refused. */
  readonly subscriptions: number;
  /** Bytes that may wait for one client to read them. When more comes, its stream or its connection is cut off. */
  readonly unreadBytes: number;
  /** How close together changes of one resource are told. Those that come between are told as one, at the end. */
  readonly changeMs: number;
  /** Tasks that run or whose result is kept. At the limit a call is waited for instead of becoming a task. */
  readonly tasks: number;
  /** How long a task and its result can be asked for, from its start; a task still running then is cancelled. */
  readonly taskMs: number;
}

/** Generous for one machine and its users: a call waiting costs some kilobytes. */
export const DEFAULT_LIMITS: McpLimits = {
  bodyBytes: 4 * 1024 * 1024,
  batch: 100,
  calls: 1024,
  callMs: 3_600_000,
  heartbeatMs: 1_000,
  sessions: 256,
  sessionIdleMs: 1_800_000,
  subscriptions: 1024,
  unreadBytes: 16 * 1024 * 1024,
  changeMs: 100,
  tasks: 1024,
  taskMs: 3_600_000,
};
