/** Every limit of a proxy. What happens at each stands beside it. Pure. @module */

export interface ProxyLimits {
  /** How long a request waits for a server. Then it is answered with what is known of why there is none. */
  readonly waitMs: number;
  /** How long a request may take. Then it is answered so, cancelled, and the server is asked whether it lives. */
  readonly callMs: number;
  /** How long a server that has work says nothing before it is asked whether it lives; 0: it is not asked. */
  readonly pingMs: number;
  /** How long it may take to answer that, and to read what it is sent. Then it is killed, and started anew. */
  readonly hangMs: number;
  /** How long a new server may take to answer its first request. Then it is killed. */
  readonly startMs: number;
  /** How long a server that was replaced may take to finish what it has, and one that is to end to do so. */
  readonly drainMs: number;
  /** How long after its start the end of a server counts as one more failure in a row. */
  readonly settleMs: number;
  /** Longest pause before a server is started again; the first is none, the second 100 ms, and they double. */
  readonly backoffMs: number;
  /** Requests of the client without an answer, and of servers. One more is refused. */
  readonly calls: number;
  /** Bytes of one message. A longer one is dropped, and its request, if it can be told, answered with an error. */
  readonly messageBytes: number;
  /**
   * Bytes that wait to be read by one side. At more of them a server counts as hung, and a client is cut off; at a
   * quarter of them no server is read any more until the client has read.
   */
  readonly unreadBytes: number;
}

export const DEFAULT_PROXY_LIMITS: ProxyLimits = {
  waitMs: 30_000,
  callMs: 3_600_000,
  pingMs: 30_000,
  hangMs: 120_000,
  startMs: 60_000,
  drainMs: 5_000,
  settleMs: 10_000,
  backoffMs: 10_000,
  calls: 4_096,
  messageBytes: 32 * 2 ** 20,
  unreadBytes: 64 * 2 ** 20,
};

/** How often a request is given to a server, the first time included. */
export const MOST_SENDS = 3;
