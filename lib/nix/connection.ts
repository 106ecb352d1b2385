/** One log: its open activities, and what they do to the command that it belongs to. Pure. @module */
import { BOUNDS, labelText } from "./bounds.ts";
import { ACTIVITY, type Field, type NixRecord, RESULT } from "./record.ts";
import { meaningOf } from "./message.ts";
import { plainText } from "../tui/plain_text.ts";
import type { Command, Job, JobKind, Requester } from "./model.ts";
import type { Rows } from "./rows.ts";
import { nameOf } from "./store_path.ts";
import { Work } from "./work.ts";

type Start = Extract<NixRecord, { kind: "start" }>;
type Result = Extract<NixRecord, { kind: "result" }>;

/** What all logs have in common. */
export interface Shared {
  readonly rows: Rows;
  /** Open ones of all logs, by the digits of their ids: the last log that began one has it. */
  readonly activities: Map<string, Activity>;
}

/** Something that Nix began and has not stopped. */
export interface Activity {
  readonly start: Start;
  readonly job: Job | undefined;
  /** The log whose word counts; others that tell the same are silent. */
  owner: Connection;
  readonly holders: Set<Connection>;
}

/** Takes the records of one log, in their order. Times are Unix milliseconds. */
export class Connection {
  readonly #shared: Shared;
  readonly #uid: number | undefined;
  #lastWork: Work;
  readonly #open = new Map<string, Activity>();
  /** Whether records came; of a log that has none its plain lines are all that Nix says. */
  #hasRecords = false;
  /** The plan that paths are listed of now, and whether it has told how many. */
  #listing: { readonly kind: "willBuild" | "willFetch"; readonly isCounted: boolean } | undefined;

  constructor(
    shared: Shared,
    { requester, nowMs }: { readonly requester: Requester; readonly nowMs: number },
  ) {
    this.#shared = shared;
    this.#uid = requester.uid;
    this.#lastWork = new Work(shared.rows, requester, nowMs);
  }

  /** Of the command that this log belongs to now. */
  get #work(): Work {
    return this.#lastWork = this.#lastWork.final;
  }

  get command(): Command {
    return this.#work.command;
  }

  apply(record: NixRecord, nowMs: number): void {
    if (record.kind !== "plain") this.#hasRecords = true;
    switch (record.kind) {
      case "start":
        return this.#start(record, nowMs);
      case "stop":
        return this.#stop(record.id, nowMs);
      case "result":
        return this.#result(record, nowMs);
      case "message":
        return this.#message(record.text, { isProof: record.isOwnError, nowMs });
      case "plain":
        return this.#plain(record.text, nowMs);
      default:
        return record satisfies never;
    }
  }

  /** Somebody has found the outputs of a build that runs. */
  built({ subject }: Job, nowMs: number): void {
    this.#work.built(subject, nowMs);
  }

  close(nowMs: number, exitCode?: number): void {
    const wasCut = this.#open.size > 0;
    for (const [id, activity] of this.#open) {
      activity.holders.delete(this);
      const [next] = activity.holders;
      if (activity.owner === this && next !== undefined) activity.owner = next;
      if (activity.holders.size > 0) continue;
      if (this.#shared.activities.get(id) === activity) this.#shared.activities.delete(id);
      if (activity.job !== undefined) this.#work.cut(activity.job, nowMs);
    }
    this.#open.clear();
    this.#work.leave(nowMs, { wasCut, exitCode });
  }

  #start(start: Start, nowMs: number): void {
    const known = this.#shared.activities.get(start.id);
    const isOthers = known !== undefined && !known.holders.has(this);
    if (isOthers && isSame(known.start, start) && this.#mayJoin(known.owner)) {
      known.holders.add(this);
      this.#open.set(start.id, known);
      this.#join(known.owner);
      return;
    }
    // Ids of one process do not come twice: what is open under this one lost its end.
    if (this.#open.has(start.id)) this.#stop(start.id, nowMs);
    if (this.#open.size >= BOUNDS.activities) return;
    const job = this.#begin(start, nowMs);
    const activity = { start, job, owner: this, holders: new Set<Connection>([this]) };
    this.#open.set(start.id, activity);
    if (!isOthers || this.#mayJoin(known.owner)) this.#shared.activities.set(start.id, activity);
  }

  /** Ids can be guessed: of another user nobody is taken for a second log, unless it is that of Nix' daemon. */
  #mayJoin(other: Connection): boolean {
    const uid = other.#uid;
    return uid === this.#uid || uid === undefined || this.#uid === undefined || uid === 0 || this.#uid === 0;
  }

  /** Both logs are of one command: of the client, and of the daemon that works for it. */
  #join(other: Connection): void {
    if (other.#work === this.#work) return;
    this.#work.moveTo(other.#work);
  }

  #begin(start: Start, nowMs: number): Job | undefined {
    const [first, second, third] = start.fields.map(String);
    switch (start.type) {
      case ACTIVITY.build:
        if (first === undefined) return undefined;
        return this.#work.beginBuild({ path: first, host: second ?? "", isNew: isAnew(start.text) }, nowMs);
      case ACTIVITY.buildWaiting:
        if (second !== undefined) this.#work.resolved(first!, second);
        else this.#work.waits(plainText(start.text), nowMs);
        return undefined;
      case ACTIVITY.copyPath:
        return this.#work.copies.begin(
          { path: first ?? start.text, from: second ?? "", to: third ?? "" },
          nowMs,
        );
      case ACTIVITY.substitute:
        return this.#work.copies.begin({ path: first ?? start.text, from: second ?? "", to: "local" }, nowMs);
      case ACTIVITY.builds:
      case ACTIVITY.copyPaths:
        this.#work.figures.beginGoals(start.type, start.id);
        return undefined;
      case ACTIVITY.realise:
        return undefined;
      default:
        return this.#beginOther(start, nowMs);
    }
  }

  #beginOther(start: Start, nowMs: number): Job | undefined {
    const { kind, subject } = otherOf(start);
    if (kind === "evaluation") this.#work.figures.target(subject);
    const job = this.#work.jobs.begin({ kind, subject, name: nameOf(subject) }, nowMs);
    if (start.type === ACTIVITY.queryPathInfo) {
      job.host = labelText(String(start.fields[1] ?? ""), BOUNDS.subject);
    }
    return job;
  }

  #stop(id: string, nowMs: number): void {
    const activity = this.#open.get(id);
    // Of an activity that another log began first, or of one that began before this log did.
    if (activity === undefined) return;
    this.#open.delete(id);
    activity.holders.delete(this);
    if (this.#shared.activities.get(id) === activity) this.#shared.activities.delete(id);
    if (activity.owner !== this) return;
    // The other logs will tell its end too, of which nobody needs to hear.
    for (const each of activity.holders) each.#open.delete(id);
    const { start, job } = activity;
    if (start.type === ACTIVITY.buildWaiting && start.fields.length === 0) {
      this.#work.waitsNoMore(plainText(start.text));
    }
    if (start.type === ACTIVITY.builds || start.type === ACTIVITY.copyPaths) {
      this.#work.figures.endGoals(start.type, id);
    }
    if (job !== undefined) this.#work.end(job, nowMs);
  }

  #result({ id, type, fields, payload }: Result, nowMs: number): void {
    const activity = this.#open.get(id);
    if (activity === undefined || activity.owner !== this) return;
    const { start, job } = activity;
    switch (type) {
      case RESULT.progress:
        return this.#progress(activity, fields.map(Number));
      case RESULT.buildLogLine:
      case RESULT.postBuildLogLine:
        if (job !== undefined) this.#work.jobs.line(job, String(fields[0] ?? ""), nowMs);
        return;
      case RESULT.setPhase:
        if (job !== undefined) this.#work.jobs.phase(job, String(fields[0] ?? ""), nowMs);
        return;
      case RESULT.setExpected:
        if (start.type === ACTIVITY.realise) {
          this.#work.figures.expected(Number(fields[0]), Number(fields[1]));
        }
        return;
      case RESULT.buildResult:
        return this.#work.told(payload, nowMs);
      case RESULT.untrustedPath:
      case RESULT.corruptedPath: {
        const what = type === RESULT.untrustedPath
          ? "is not signed by a key that is trusted"
          : "is corrupted";
        return this.#work.figures.problem(
          { severity: "warning", text: `${fields[0]} ${what}`, atMs: nowMs },
          true,
        );
      }
    }
  }

  #progress({ start, job }: Activity, [done = 0, expected = 0, running = 0, failed = 0]: number[]): void {
    if (start.type === ACTIVITY.builds || start.type === ACTIVITY.copyPaths) {
      const now = { done, expected, running, failed };
      this.#work.counted(start.type, this.#work.figures.progress(start.type, { id: start.id, now }));
    } else if (job !== undefined) this.#work.jobs.bytes(job, done, expected);
  }

  #plain(text: string, nowMs: number): void {
    if (!this.#hasRecords) return this.#human(text, nowMs);
    if (plainText(text).startsWith("error:")) this.#message(text, { isProof: false, nowMs });
  }

  /** A log for people: its builds have no ends, and their lines no names. */
  #human(text: string, nowMs: number): void {
    const meaning = meaningOf(text);
    switch (meaning.kind) {
      case "building":
        this.#work.beginBuild({ path: meaning.path, host: meaning.host, isNew: isAnew(text) }, nowMs);
        return;
      case "copying":
        this.#work.copies.begin(meaning, nowMs);
        return;
      case "info":
        this.#work.unattributedLine(text, nowMs);
        return;
      default:
        this.#message(text, { isProof: true, nowMs });
    }
  }

  #message(text: string, { isProof, nowMs }: { readonly isProof: boolean; readonly nowMs: number }): void {
    // An error is one text; all else that has several lines is a list.
    if (!text.includes("\n") || plainText(text).startsWith("error:")) {
      return this.#say(text, { isProof, nowMs });
    }
    for (const line of text.split("\n")) this.#say(line, { isProof, nowMs });
  }

  #say(text: string, { isProof, nowMs }: { readonly isProof: boolean; readonly nowMs: number }): void {
    const meaning = meaningOf(text);
    if (meaning.kind === "planned") {
      const listing = this.#listing;
      if (listing?.kind === "willBuild") this.#work.plan(meaning.path);
      if (listing !== undefined && !listing.isCounted) this.#work.figures.willDo(listing.kind, 1);
      return;
    }
    this.#listing = undefined;
    switch (meaning.kind) {
      case "willBuild":
      case "willFetch":
        this.#listing = { kind: meaning.kind, isCounted: meaning.count !== undefined };
        if (meaning.kind === "willFetch") this.#work.figures.willFetch(meaning);
        return this.#work.figures.willDo(meaning.kind, meaning.count ?? 0);
      case "failed":
        return this.#work.failed(meaning.path, { failure: meaning.failure, isProof }, nowMs);
      case "interrupted":
        return this.#work.interrupted(isProof);
      case "error":
      case "warning":
        return this.#work.figures.problem(
          { severity: meaning.kind, text: meaning.text, atMs: nowMs },
          isProof,
        );
      case "evaluating":
        return this.#work.figures.evaluating(meaning.file);
      case "instantiated":
        return this.#shared.rows.listener.derivation?.(meaning.path);
      case "edge":
        return this.#shared.rows.listener.edge?.(meaning.path, meaning.input);
    }
  }
}

/** A build that is made once more: to check or to repair its outputs. */
function isAnew(text: string): boolean {
  return /^(?:checking|repairing) outputs of/.test(text);
}

function isSame(one: Start, other: Start): boolean {
  return one.type === other.type && one.text === other.text &&
    one.fields.length === other.fields.length &&
    one.fields.every((field: Field, at) => field === other.fields[at]);
}

function otherOf({ type, text, fields }: Start): { readonly kind: JobKind; readonly subject: string } {
  const subject = fields.length > 0 ? String(fields[0]) : plainText(text);
  switch (type) {
    case ACTIVITY.fileTransfer:
      return { kind: "download", subject };
    case ACTIVITY.queryPathInfo:
      return { kind: "query", subject };
    case ACTIVITY.postBuildHook:
      return { kind: "hook", subject };
    case ACTIVITY.fetchTree:
    case ACTIVITY.fetchToStore:
      return { kind: "fetch", subject };
    case ACTIVITY.optimiseStore:
    case ACTIVITY.verifyPaths:
      return {
        kind: "maintenance",
        subject: subject ||
          (type === ACTIVITY.optimiseStore ? "optimising the store" : "verifying the store"),
      };
  }
  const [, evaluated] = /^evaluating derivation '(.+)'$/.exec(subject) ?? [];
  if (evaluated !== undefined) return { kind: "evaluation", subject: evaluated };
  if (/^querying /.test(subject)) return { kind: "query", subject };
  if (/^copying '.*' to the store$/.test(subject)) return { kind: "fetch", subject };
  return { kind: "other", subject };
}
