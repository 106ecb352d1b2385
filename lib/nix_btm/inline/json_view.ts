/**
 * For programs: one JSON object a line for each change, and one for the end. Pure.
 *
 * All have `kind` and `atMs`, Unix milliseconds. Keys without a value are missing.
 *
 * | kind | when | further keys |
 * |---|---|---|
 * | `build` | a build changes its state, phase or host | `id`, `name`, `derivation`, `host`, `state`, `why`, `phase`, `failure`, `startedMs`, `endedMs` |
 * | `transfer` | a path begins to go or has gone; on the way at most once a second | `id`, `direction`, `name`, `path`, `store`, `state`, `doneBytes`, `expectedBytes` |
 * | `message` | Nix or the command's program says something | `text` |
 * | `output` | the command prints a line | `text` |
 * | `end` | all is over | `exitCode` or `signal`, `elapsedMs`, `builds`, `downloads`, `uploads`, `failed`, `errors` |
 * @module
 */
import { isOver, type Job } from "../../nix/mod.ts";
import { plainJson, plainText, stripAnsi } from "../../tui/mod.ts";
import type { JobRow, Update, World } from "../world.ts";
import { type End, failedBuilds, otherErrors } from "./ending.ts";
import { directionOf, figuresOf } from "./figures.ts";
import { startOf } from "./sum.ts";
import { isWorthTelling } from "./told.ts";
import { LineJoiner } from "./line_joiner.ts";
import { LongErrors } from "./long_errors.ts";
import type { Moment, View } from "./view.ts";

const TRANSFER_EVERY_MS = 1_000;
/** Of a row without its text, about. */
const ROW_LENGTH = 200;

export class JsonView implements View {
  readonly #world: World;
  readonly #text = new LineJoiner();
  readonly #output = new LineJoiner();
  readonly #longErrors = new LongErrors();
  /** Of jobs that were told of, what was told, and when. */
  readonly #told = new Map<number, { readonly what: string; readonly atMs: number }>();
  readonly #pending: Record<string, unknown>[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get pendingLength(): number {
    return this.#pending.reduce((sum, { text = "" }) => sum + ROW_LENGTH + `${text}`.length, 0);
  }

  /** Lines of logs are not told: those of builds that failed come with the end. */
  line(_job: Job, _text: string): void {}

  message(text: string, level: number): void {
    this.#longErrors.add(text);
    if (isWorthTelling(text, level)) this.#pending.push({ kind: "message", text: plainText(text) });
  }

  text(bytes: Uint8Array): void {
    for (const text of this.#text.take(bytes)) this.#pending.push({ kind: "message", text: stripAnsi(text) });
  }

  output(bytes: Uint8Array): void {
    for (const text of this.#output.take(bytes)) this.#pending.push({ kind: "output", text });
  }

  show(update: Update | undefined, { nowMs }: Moment): string {
    for (const job of update?.jobs ?? []) this.#job(job, nowMs);
    for (const id of update?.removedJobs ?? []) this.#told.delete(id);
    return this.#take(nowMs);
  }

  end(end: End, { nowMs }: Moment): string {
    for (const [kind, joiner] of [["message", this.#text], ["output", this.#output]] as const) {
      const text = joiner.drain();
      if (text !== "") this.#pending.push({ kind, text });
    }
    for (const job of this.#world.jobs.values()) this.#job(job, nowMs);
    const { builds, downloads, uploads } = figuresOf(this.#world);
    this.#pending.push({
      kind: "end",
      ...(end.kind === "exited" ? { exitCode: end.code } : { signal: end.signal }),
      elapsedMs: nowMs - (startOf(this.#world) ?? nowMs),
      builds,
      downloads,
      uploads,
      failed: failedBuilds(this.#world).map((job) => ({
        ...buildOf(job),
        log: (this.#world.tails.get(job.id) ?? []).map(stripAnsi),
      })),
      errors: otherErrors(this.#world).map(({ text }) => this.#longErrors.whole(text)),
    });
    return this.#take(nowMs);
  }

  #job(job: JobRow, nowMs: number): void {
    const row = job.kind === "build"
      ? buildOf(job)
      : directionOf(job) === undefined
      ? undefined
      : transferOf(job);
    if (row === undefined) return;
    const { doneBytes: _done, expectedBytes: _expected, ...lasting } = row as Record<string, unknown>;
    const what = JSON.stringify(lasting);
    const before = this.#told.get(job.id);
    const isSame = before?.what === what;
    if (isSame && (job.kind === "build" || isOver(job) || nowMs - before!.atMs < TRANSFER_EVERY_MS)) return;
    this.#told.set(job.id, { what, atMs: nowMs });
    this.#pending.push(row);
  }

  #take(nowMs: number): string {
    return this.#pending.splice(0)
      .map(({ kind, ...row }) => `${plainJson(JSON.stringify({ kind, atMs: nowMs, ...row }))}\n`).join("");
  }
}

function buildOf(job: JobRow): Record<string, unknown> {
  const { id, name, subject, host, state, phases, startedMs, endedMs } = job;
  return {
    kind: "build",
    id,
    name,
    derivation: subject,
    host: host || undefined,
    state: state.kind,
    why: state.kind === "waiting" ? state.why : undefined,
    phase: phases.at(-1)?.name,
    failure: state.kind === "failed" ? state.failure : undefined,
    startedMs,
    endedMs,
  };
}

function transferOf(job: JobRow): Record<string, unknown> {
  const { id, name, subject, host, to, state, doneBytes, expectedBytes } = job;
  const direction = directionOf(job);
  return {
    kind: "transfer",
    id,
    direction,
    name,
    path: subject,
    store: direction === "upload" ? to : host,
    state: state.kind,
    doneBytes,
    expectedBytes,
  };
}
