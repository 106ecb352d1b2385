/**
 * What another host's daemon says, looked at: it may be of another version, or no daemon at all, and whatever is let in
 * goes to every client. Rows that are not what they have to be are left out, and so are kinds that are not known. Pure.
 * @module
 */
import {
  boolean,
  type Check,
  dictionary,
  isRecord,
  list,
  maybe,
  missing,
  number,
  oneOf,
  shape,
  text,
  texts,
} from "./_shape.ts";
import type { Update, World } from "./world.ts";

/** Jobs of a host; its daemon keeps 10,000 that are over. */
const JOBS_MAX = 100_000;
/** Derivations of a host; its daemon keeps 50,000, and those that its jobs need. */
const NODES_MAX = 500_000;

/** An update of a host, and whether it begins anew. */
export interface RemoteMessage {
  readonly isNew: boolean;
  readonly update: Update;
}

/**
 * Reads one message; `undefined` when it is of a host that the other one follows itself, which is asked of that host.
 * @throws {SyntaxError} When it is no message.
 */
export function readRemoteMessage(line: string): RemoteMessage | undefined {
  const message = parsed(line);
  if (message.host !== "") return undefined;
  const rows = isRecord(message.update) ? message.update : {};
  const update: Record<string, unknown[]> = {};
  for (const [kind, isRow] of Object.entries(ROWS)) {
    const found = rows[kind];
    if (Array.isArray(found)) update[kind] = found.filter(isRow);
  }
  return { isNew: message.isNew === true, update };
}

/** @throws {RangeError} When a host has more than anybody can look at. */
export function checkSize(name: string, { jobs, graph }: World): void {
  if (jobs.size > JOBS_MAX) throw new RangeError(`Cannot follow ${name}: it has over ${JOBS_MAX} jobs`);
  if (graph.size > NODES_MAX) {
    throw new RangeError(`Cannot follow ${name}: it has over ${NODES_MAX} derivations`);
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined; // It is told below.
  }
  if (isRecord(value)) return value;
  throw new SyntaxError(`it says what is no message: ${JSON.stringify(line.slice(0, 60))}`);
}

const PROGRESS = shape({ done: number, expected: number, running: number, failed: number });

const isExit = shape({ kind: oneOf("exit", "signal"), text, code: number });
const isMismatch = shape({ kind: oneOf("hash-mismatch"), text, specified: text, got: text });
const isOtherFailure = shape({
  kind: oneOf("hash-mismatch", "timeout", "not-deterministic", "dependency", "output", "platform", "other"),
  text,
  specified: missing,
  got: missing,
});
const FAILURE: Check = (value) => isExit(value) || isMismatch(value) || isOtherFailure(value);

const isPlainState = shape({
  kind: oneOf("planned", "running", "succeeded", "ended", "skipped", "cancelled", "lost"),
});
const isWaiting = shape({ kind: oneOf("waiting"), why: text, sinceMs: number });
const isFailed = shape({ kind: oneOf("failed"), failure: FAILURE });
const STATE: Check = (value) => isPlainState(value) || isWaiting(value) || isFailed(value);

const USAGE = shape({
  source: oneOf("cgroup", "processes", "agent"),
  cpuSeconds: number,
  cpuRatio: maybe(number),
  waitRatio: maybe(number),
  residentBytes: number,
  memoryBytes: number,
  readBytes: maybe(number),
  writtenBytes: maybe(number),
  readBytesPerSecond: maybe(number),
  writtenBytesPerSecond: maybe(number),
  hasEnded: boolean,
});

const PROCESS = shape({
  pid: number,
  ppid: number,
  startTicks: number,
  startedMs: number,
  uid: number,
  user: text,
  name: text,
  command: texts,
  state: text,
  threads: number,
  cpuSeconds: number,
  cpuRatio: maybe(number),
  residentBytes: number,
  virtualBytes: number,
  readBytes: maybe(number),
  writtenBytes: maybe(number),
  depth: number,
});

const BUILD = shape({
  id: text,
  name: maybe(text),
  drvPath: maybe(text),
  outputs: dictionary,
  foundBy: texts,
  uid: number,
  user: text,
  requesterUid: maybe(number),
  nixPid: maybe(number),
  folder: maybe(text),
  cgroup: maybe(shape({ path: text, byController: dictionary, hash: maybe(text) })),
  startedMs: number,
  isPaused: boolean,
  usage: USAGE,
  processes: list(PROCESS),
});

const JOB_KINDS = [
  "build",
  "copy",
  "download",
  "query",
  "evaluation",
  "fetch",
  "hook",
  "maintenance",
  "other",
] as const;

/** Of each kind of row; the names are those of `Update`. */
const ROWS: Readonly<Record<keyof Required<Update>, Check>> = {
  commands: shape({
    id: number,
    requester: shape({
      source: oneOf("socket", "wrapped", "pipe", "replay"),
      pid: maybe(number),
      uid: maybe(number),
      user: maybe(text),
      command: maybe(texts),
    }),
    startedMs: number,
    endedMs: maybe(number),
    state: oneOf("running", "succeeded", "failed", "interrupted", "lost"),
    targets: texts,
    evaluating: maybe(text),
    evaluatedFiles: number,
    builds: PROGRESS,
    substitutions: PROGRESS,
    plannedBuilds: number,
    plannedFetches: number,
    downloadBytes: number,
    unpackedBytes: number,
    problems: list(shape({ severity: oneOf("error", "warning"), text, atMs: number })),
  }),
  jobs: shape({
    id: number,
    command: number,
    kind: oneOf(...JOB_KINDS),
    subject: text,
    name: text,
    host: text,
    to: text,
    state: STATE,
    startedMs: maybe(number),
    endedMs: maybe(number),
    doneBytes: number,
    expectedBytes: number,
    phases: list(shape({ name: text, atMs: number })),
    lineCount: number,
  }),
  lines: shape({ job: number, lines: texts }),
  removedCommands: number,
  removedJobs: number,
  nodes: shape({ path: text, inputs: texts, outputs: dictionary, system: text }),
  removedNodes: text,
  estimates: shape({
    command: number,
    atMs: number,
    estimate: maybe(shape({
      medianMs: number,
      p90Ms: number,
      left: number,
      unknown: number,
      criticalPath: texts,
    })),
  }),
  caches: shape({ store: text, paths: number, bytes: number, busyMs: number }),
  builders: shape({
    atMs: number,
    builds: list(BUILD),
    users: list(shape({ uid: number, user: text, builds: list(BUILD) })),
  }),
  notes: text,
};
