/** Who uses the daemon: a program over standard input and output, or somebody over HTTP. @module */

/** What a client's processes have of it. */
export interface Client {
  /** Its own, made up by it; a daemon that comes later knows it again. */
  readonly id: string;
  /** With whose end it ends. */
  readonly pid: number;
  readonly startTicks: bigint;
  /** Where it works, absolute. */
  readonly folder: string;
  /** Its environment, which its processes have too. Kept only while one of them may be started again without it. */
  readonly env: Readonly<Record<string, string>>;
}
