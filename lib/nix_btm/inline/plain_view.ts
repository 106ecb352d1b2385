/** Where nobody looks on: a line for each build that begins and ends, and now and then how far everything is. Pure. @module */
import { isOver, type Job } from "../../nix/mod.ts";
import { durationWord, plainText, sizeText, stripAnsi } from "../../tui/mod.ts";
import { failedText, hashLines } from "../failure_text.ts";
import { isBlocked, type JobRow, type Update, type World } from "../world.ts";
import { unstyledText } from "./_text.ts";
import { type End, endingLines, otherErrors } from "./ending.ts";
import { figuresOf, isBusy } from "./figures.ts";
import { leftMsOf } from "./sum.ts";
import { errorIn, isWorthTelling } from "./told.ts";
import { LineJoiner } from "./line_joiner.ts";
import { LongErrors } from "./long_errors.ts";
import { Seen } from "./seen.ts";
import type { Moment, View } from "./view.ts";

export interface PlainViewOptions {
  /** Says what GitHub's runner makes groups and annotations of. */
  readonly github?: boolean;
  /** Says nothing but what went wrong. */
  readonly quiet?: boolean;
  /** Prints the logs of builds as they come. */
  readonly logs?: boolean;
}

/** A line about how far everything is comes so often at most. */
export const PROGRESS_EVERY_MS = 10_000;
/** Lines of a build's log: of one that failed, and in a group of one that did not. */
const TAIL_LINES = 25;

/** What GitHub's runner takes for a command, at the begin of a line: an expression that is evaluated may print it. */
const COMMAND = /^\s*(?:::|##\[)/gm;

export class PlainView implements View {
  readonly #world: World;
  readonly #options: PlainViewOptions;
  readonly #joiner = new LineJoiner();
  /** Of builds that were told of, how they stood. */
  readonly #told = new Map<number, string>();
  readonly #messages = new Seen();
  /** Those that the command has written itself. */
  readonly #errors = new Seen();
  readonly #longErrors = new LongErrors();
  #pending: string[] = [];
  /** Of the command itself: what comes at once with the end of a build comes after it. */
  readonly #words: string[] = [];
  #progressMs: number | undefined;
  #progress = "";

  constructor(world: World, options: PlainViewOptions = {}) {
    this.#world = world;
    this.#options = options;
  }

  get pendingLength(): number {
    return [...this.#pending, ...this.#words].reduce((sum, { length }) => sum + length, 0);
  }

  line(job: Job, text: string): void {
    if (this.#options.logs !== true) return;
    if (job.kind === "build") this.#begun(job);
    this.#say(logText(job.name, text));
  }

  message(text: string, level: number): void {
    this.#longErrors.add(text);
    if (!isWorthTelling(text, level) || this.#messages.has(text)) return;
    if (!text.startsWith("trace:")) this.#messages.add(text);
    const plain = plainText(text);
    if (this.#options.github === true && plain.startsWith("warning:")) {
      this.#say(`::warning::${escapeData(plain.slice("warning:".length).trim())}`);
    } else if (this.#options.quiet !== true) {
      this.#say(this.#options.github === true ? plain.replaceAll(COMMAND, "| $&") : plain);
    }
  }

  text(bytes: Uint8Array): void {
    const lines = this.#joiner.take(bytes);
    for (const line of lines) {
      const error = errorIn(line);
      if (error !== undefined) this.#errors.add(error);
      this.#words.push(line);
    }
  }

  /** Standard output of who does not look on is his own. */
  output(bytes: Uint8Array): void {
    this.text(bytes);
  }

  show(update: Update | undefined, { nowMs }: Moment): string {
    this.#builds(update?.jobs ?? []);
    for (const id of update?.removedJobs ?? []) this.#told.delete(id);
    this.#pending.push(...this.#words.splice(0));
    this.#sayProgress(nowMs);
    return this.#take();
  }

  end(end: End, { nowMs }: Moment): string {
    this.#builds([...this.#world.jobs.values()], true);
    const rest = this.#joiner.drain();
    this.#pending.push(...this.#words.splice(0), ...rest === "" ? [] : [rest]);
    for (const { text } of otherErrors(this.#world)) {
      const whole = this.#longErrors.whole(text);
      if (this.#options.github === true) this.#say(`::error::${escapeData(whole)}`);
      else if (!this.#errors.has(whole)) this.#say(`error: ${whole}`);
    }
    const lines = endingLines(this.#world, { width: Number.MAX_SAFE_INTEGER, nowMs, end, tailLines: 0 });
    const last = lines.at(-1);
    // What failed was said when it did.
    if (last !== undefined && this.#told.size > 0 && this.#options.quiet !== true) {
      this.#say(unstyledText(last).replace(/^┗━ /, ""));
    }
    return this.#take();
  }

  #say(line: string): void {
    this.#pending.push(line);
  }

  #take(): string {
    const lines = this.#pending;
    this.#pending = [];
    return lines.map((line) => `${line}\n`).join("");
  }

  /** In the order in which it happened. How a build ended that has just stopped is told by what Nix says next. */
  #builds(jobs: readonly JobRow[], isLast = false): void {
    const events: { readonly atMs: number; readonly tell: () => void }[] = [];
    for (const job of jobs) {
      if (job.kind !== "build" || job.startedMs === undefined) continue;
      if (!this.#told.has(job.id)) events.push({ atMs: job.startedMs, tell: () => this.#begun(job) });
      if (isOver(job) && !isBlocked(job) && (isLast || job.state.kind !== "ended")) {
        // Of what happens at once, what ends makes room for what begins.
        events.push({ atMs: job.endedMs! - 0.5, tell: () => this.#ended(job) });
      }
    }
    for (const { tell } of events.sort((one, other) => one.atMs - other.atMs)) tell();
  }

  #begun(job: JobRow): void {
    if (this.#told.has(job.id)) return;
    this.#told.set(job.id, "running");
    this.#note(`building ${job.name}${hostOf(job)}`);
  }

  #ended(job: JobRow): void {
    this.#begun(job);
    const end = job.state.kind === "ended" ? "succeeded" : job.state.kind;
    if (this.#told.get(job.id) === end) return;
    this.#told.set(job.id, end);
    const took = durationWord(job.endedMs! - job.startedMs!);
    if (end === "succeeded") this.#note(`built ${job.name}${hostOf(job)} in ${took}`, this.#tail(job));
    else if (end === "failed") this.#failed(job);
    else this.#note(`stopped ${job.name}${hostOf(job)} after ${took}`);
  }

  /** What went well. */
  #note(line: string, group: readonly string[] = []): void {
    if (this.#options.quiet === true) return;
    const isGroup = this.#options.github === true && group.length > 0;
    if (!isGroup) return this.#say(line);
    this.#pending.push(`::group::${line}`, ...group, "::endgroup::");
  }

  #failed(job: JobRow): void {
    const how = failedText(job);
    const tail = this.#tail(job);
    const line = `${job.name} ${how}`;
    if (this.#options.github === true) {
      this.#pending.push(`::group::${line}`, ...tail, "::endgroup::");
      const text = [how, job.subject, ...tail.slice(-5).map((each) => each.slice(job.name.length + 2))];
      this.#say(`::error title=${escapeProperty(`${job.name} failed`)}::${escapeData(text.join("\n"))}`);
    } else this.#pending.push(line, `  ${job.subject}`, ...this.#options.logs === true ? [] : tail);
    this.#pending.push(...hashLines(job).map((each) => `  ${each}`));
  }

  #tail({ id, name }: JobRow): string[] {
    return (this.#world.tails.get(id) ?? []).slice(-TAIL_LINES).map((line) => logText(name, line));
  }

  #sayProgress(nowMs: number): void {
    this.#progressMs ??= nowMs;
    if (nowMs - this.#progressMs < PROGRESS_EVERY_MS || !isBusy(this.#world)) return;
    this.#progressMs = nowMs;
    const text = progressText(this.#world, nowMs);
    if (text === this.#progress || this.#options.quiet === true) return;
    this.#progress = text;
    this.#say(text);
  }
}

/** `3 building, 14 built, 1 failed, 34 left; 3 of 12 fetched, 1.2 MiB; done in about 3m10s`. */
export function progressText(world: World, nowMs: number): string {
  const figures = figuresOf(world);
  const { builds, downloads, uploads, expectedDownloads } = figures;
  const counts: [count: number, what: string][] = [
    [builds.running, "building"],
    [builds.done, "built"],
    [builds.failed, "failed"],
    [builds.left, "left"],
  ];
  const built = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(", ");
  const fetched = expectedDownloads === 0
    ? ""
    : `${downloads.done} of ${expectedDownloads} fetched, ${sizeText(downloads.bytes)}`;
  const sent = uploads.running + uploads.done === 0 ? "" : `${uploads.done} sent`;
  const leftMs = leftMsOf(world, figures, nowMs);
  const end = leftMs === undefined ? "" : `done in about ${durationWord(leftMs)}`;
  return [built, fetched, sent, end].filter((part) => part !== "").join("; ");
}

function hostOf({ host }: JobRow): string {
  return host === "" ? "" : ` on ${host}`;
}

/** The name before it keeps a line from being a command to GitHub's runner. */
function logText(name: string, text: string): string {
  return `${name}> ${stripAnsi(text)}`;
}

/** Text of a workflow command (GitHub's toolkit, `command.ts`). */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
