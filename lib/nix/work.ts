/** What one command does: its builds, how they end, and what that makes of the command. Pure. @module */
import { BOUNDS, cutText, labelText } from "./bounds.ts";
import { betterOf, type Build, type Claim } from "./build.ts";
import { Copies } from "./copies.ts";
import { Figures } from "./figures.ts";
import { Jobs } from "./jobs.ts";
import { plainText } from "../tui/plain_text.ts";
import { type Command, isOver, type Job, type JobState, type Requester } from "./model.ts";
import { Proof } from "./proof.ts";
import { ACTIVITY } from "./record.ts";
import type { Rows } from "./rows.ts";
import { nameOf } from "./store_path.ts";

const PLANNED: JobState = { kind: "planned" };
const RUNNING: JobState = { kind: "running" };
const SUCCEEDED: JobState = { kind: "succeeded" };
const ENDED: JobState = { kind: "ended" };
const CANCELLED: JobState = { kind: "cancelled" };

/**
 * What the logs of one command say of it. Times are Unix milliseconds, paths those of derivations; an activity of a build
 * is told by `beginBuild` and `end`, one of a copy by `copies.begin` and `end`, all else by `jobs.begin` and `end`.
 */
export class Work {
  readonly figures: Figures;
  readonly jobs: Jobs;
  readonly copies: Copies;
  readonly #rows: Rows;
  /** Logs that tell of it and are open. */
  #logs = 1;
  #movedTo: Work | undefined;
  /** By derivation the last one; those before are over, or another log has them too. */
  readonly #builds = new Map<string, Build>();
  readonly #all = new Set<Build>();
  /** Those that run. */
  readonly #running = new Map<Job, Build>();
  /** Those that failed for certain. */
  readonly #failures = new Set<Build>();
  /** Which of those that ended are built. */
  readonly #proof = new Proof<Build>();
  /** Whether Nix says that it was interrupted; a builder can say so too, until another build begins. */
  #interrupt: "none" | "claimed" | "certain" = "none";
  #wasCut = false;
  #exitCode: number | undefined;

  constructor(rows: Rows, requester: Requester, nowMs: number) {
    this.#rows = rows;
    const row = { id: rows.nextId(), requester, startedMs: nowMs };
    this.figures = new Figures(row, (command) => rows.command(command));
    this.jobs = new Jobs(rows, this.figures.command);
    this.copies = new Copies(this.jobs);
  }

  get command(): Command {
    return this.figures.command;
  }

  /** The one that this one turned out to be. */
  get final(): Work {
    if (this.#movedTo === undefined) return this;
    return this.#movedTo = this.#movedTo.final;
  }

  /** Everything goes to the command that this one is a second log of. */
  moveTo(other: Work): void {
    this.#movedTo = other;
    other.#logs += this.#logs;
    this.jobs.join(other.jobs);
    for (const build of this.#all) {
      const { job } = build;
      const isKnown = other.#builds.has(job.subject);
      // Both logs tell the same plan.
      if (isKnown && job.startedMs === undefined) {
        this.jobs.forget(job);
        continue;
      }
      other.#all.add(build);
      if (build.running > 0) other.#running.set(job, build);
      if (!isKnown) other.#builds.set(job.subject, build);
      this.jobs.give(job, other.jobs);
    }
    this.copies.moveTo(other.copies);
    this.#rows.dropped(this.command);
    other.figures.take(this.figures);
  }

  /** An activity of a build begins; `host` is empty for this machine, `isNew` where it is built once more. */
  beginBuild(
    { path, host, isNew }: { readonly path: string; readonly host: string; readonly isNew: boolean },
    nowMs: number,
  ): Job {
    this.#proof.begin();
    if (this.#interrupt === "claimed") this.#interrupt = "none";
    const { listener } = this.#rows;
    listener.derivation?.(path);
    for (const input of listener.inputs?.(path) ?? []) this.built(input, nowMs);
    const build = isNew ? this.#newBuild(path) : this.#buildOf(path);
    const { job } = build;
    build.running++;
    this.#running.set(job, build);
    if (host !== "") job.host = labelText(host, BOUNDS.subject);
    if (job.state.kind !== "running") {
      // It may have ended before, and what is counted now is not that end.
      this.#proof.settle(build);
      job.startedMs = nowMs;
      job.endedMs = undefined;
      this.jobs.set(job, RUNNING);
    }
    return job;
  }

  /** A job's activity has stopped. */
  end(job: Job, nowMs: number): void {
    if (job.kind === "build") return this.#endBuild(job, nowMs);
    if (job.kind === "copy") return this.copies.end(job, { wasInterrupted: this.#wasInterrupted, nowMs });
    this.jobs.over(job, SUCCEEDED, nowMs);
  }

  /** A job's activity did not stop before its log did. */
  cut(job: Job, nowMs: number): void {
    this.#running.delete(job);
    if (!isOver(job)) this.jobs.over(job, { kind: this.#wasInterrupted ? "cancelled" : "lost" }, nowMs);
  }

  /** So many more builds, or copies, are done. */
  counted(type: number, more: number): void {
    if (type !== ACTIVITY.builds) return this.copies.counted(more);
    for (const { job } of this.#proof.count(more)) this.jobs.over(job, SUCCEEDED, job.endedMs!);
  }

  /** Of a derivation whose content decides on its path another one is built, which counts as a second goal. */
  resolved(path: string, by: string): void {
    const build = this.#builds.get(path);
    if (build !== undefined && build.running === 0 && !isOver(build.job)) {
      this.#builds.delete(path);
      this.#all.delete(build);
      this.jobs.forget(build.job);
      this.plan(by);
    }
  }

  /** Nix says that a build waits, and why. */
  waits(text: string, nowMs: number): void {
    const build = this.#waiting(text);
    if (build === undefined || build.running > 0) return;
    const why = labelText(text.replace(/ '[^']*'.*$/, ""), BOUNDS.subject);
    this.jobs.set(build.job, { kind: "waiting", why, sinceMs: nowMs });
  }

  /** And that it no longer does. */
  waitsNoMore(text: string): void {
    const build = this.#waiting(text);
    if (build?.job.state.kind === "waiting") this.jobs.set(build.job, PLANNED);
  }

  /** A line of a log for people: it belongs to a build only where a single one runs, or where it says so. */
  unattributedLine(text: string, nowMs: number): void {
    const running = [...this.#running.values()];
    const [, name, rest] = /^([^\s>]+)> (.*)$/.exec(plainText(text)) ?? [];
    const named = name === undefined
      ? undefined
      : running.find(({ job }) => job.name === name || job.name.startsWith(`${name}-`));
    if (named !== undefined) this.jobs.line(named.job, rest!, nowMs);
    else if (running.length === 1) this.jobs.line(running[0]!.job, text, nowMs);
  }

  /** Nix says that it will build this. */
  plan(path: string): void {
    if (!this.#mayKnow(path)) return;
    this.#rows.listener.derivation?.(path);
    this.#buildOf(path);
  }

  /** Somebody says that a build failed. A builder can say so too: then the count of builds decides. */
  failed(path: string, { failure, isProof }: Claim, nowMs: number): void {
    const known = this.#builds.get(path);
    const isProven = isProof || (known !== undefined && this.#isCountedFailure(known));
    if (isProven || known?.job.state.kind !== "succeeded") {
      const told = failure.kind === "dependency" ? failure.text : `${nameOf(path)}: ${failure.text}`;
      this.figures.problem({ severity: "error", text: told, atMs: nowMs }, isProven);
    }
    const build = known ?? (isProof && this.#mayKnow(path) ? this.#buildOf(path) : undefined);
    if (build === undefined) return;
    const { job } = build;
    build.claim = betterOf(build.claim, { failure, isProof: isProven });
    if (isProven) this.#failures.add(build);
    if (build.running > 0) return;
    if (isOver(job) && job.state.kind !== "ended" && !isProven) return;
    this.#proof.settle(build);
    this.jobs.over(job, { kind: "failed", failure: build.claim.failure }, job.endedMs ?? nowMs);
  }

  /** Nix counts more failed builds than are known: this is one of them. */
  #isCountedFailure(build: Build): boolean {
    return build.running > 0 && this.command.builds.failed > this.#failures.size;
  }

  /** Nix says so after it has stopped everything; a builder that says so runs. */
  interrupted(isProof: boolean): void {
    if (!isProof && this.#running.size > 0) return;
    if (this.#interrupt === "none") this.#interrupt = "claimed";
    if (isProof) this.#interrupt = "certain";
    for (const { job } of this.#proof.drain()) this.jobs.over(job, CANCELLED, job.endedMs!);
    this.copies.settle(CANCELLED);
  }

  get #wasInterrupted(): boolean {
    return this.#interrupt !== "none";
  }

  /** Determinate Nix says how a build ended. */
  told(payload: unknown, nowMs: number): void {
    const { path, status, errorMsg } = (payload ?? {}) as Record<string, unknown>;
    const drv = (path as { drvPath?: unknown } | undefined)?.drvPath;
    if (typeof drv !== "string" || typeof status !== "string") return;
    const build = this.#builds.get(drv);
    if (build === undefined) return;
    if (/^(Built|Substituted|AlreadyValid|ResolvesToAlreadyValid)$/.test(status)) {
      this.#proof.settle(build);
      if (build.running > 0) this.#proof.count(1);
      else this.jobs.over(build.job, SUCCEEDED, build.job.endedMs ?? nowMs);
    } else {
      const text = cutText(typeof errorMsg === "string" ? errorMsg : status, BOUNDS.reason);
      this.failed(drv, { failure: { kind: "other", text }, isProof: true }, nowMs);
    }
  }

  /** One of the command's logs is over; with the last one the command is. */
  leave(
    nowMs: number,
    { wasCut, exitCode }: { readonly wasCut: boolean; readonly exitCode: number | undefined },
  ): void {
    this.#wasCut ||= wasCut;
    this.#exitCode ??= exitCode;
    if (--this.#logs > 0) return;
    const isGood = this.#exitCode === 0 ||
      (this.figures.isAllBuilt && !this.figures.hasErrors && !this.#wasCut && !this.#wasInterrupted);
    for (const build of this.#all) this.#settle(build, { isGood, nowMs });
    if (isGood || (!this.figures.hasErrors && !this.#wasCut)) this.copies.settle(SUCCEEDED);
    this.figures.end(this.#outcome(isGood), nowMs);
    // A question that was answered at once, or somebody who looked whether anybody listens.
    if (!this.jobs.hasWorked && this.figures.saysNothing) this.#rows.dropped(this.command);
  }

  /** The command is over; so are its builds. */
  #settle(
    { job, claim }: Build,
    { isGood, nowMs }: { readonly isGood: boolean; readonly nowMs: number },
  ): void {
    if (isOver(job) && job.state.kind !== "ended") return;
    const over = (state: JobState) => this.jobs.over(job, state, job.endedMs ?? nowMs);
    if (claim !== undefined) return over({ kind: "failed", failure: claim.failure });
    if (isGood && job.startedMs !== undefined) return over(SUCCEEDED);
    if (this.#wasInterrupted) return over(CANCELLED);
    if (job.startedMs === undefined) return over({ kind: "skipped" });
    // Where something failed Nix stops what else it builds.
    over(this.figures.hasErrors ? CANCELLED : ENDED);
  }

  #outcome(isGood: boolean): Command["state"] {
    if (this.#wasInterrupted) return "interrupted";
    if (this.#exitCode !== undefined) return this.#exitCode === 0 ? "succeeded" : "failed";
    if (this.figures.hasErrors) return "failed";
    return this.#wasCut ? "lost" : isGood || this.command.builds.failed === 0 ? "succeeded" : "failed";
  }

  #endBuild(job: Job, nowMs: number): void {
    const build = this.#builds.get(job.subject);
    if (build?.job !== job) {
      this.#running.delete(job);
      return this.jobs.over(job, ENDED, nowMs);
    }
    // What is counted is of others: this one's outputs were found before.
    if (build.running === 0) return;
    if (--build.running === 0) this.#running.delete(job);
    // Of one that has failed Nix may tell the end much later: what was counted meanwhile is of others.
    const isCounted = build.claim?.isProof !== true && this.#proof.take();
    if (build.running > 0 || isOver(job)) return;
    if (build.claim !== undefined && !isCounted) {
      return this.jobs.over(job, { kind: "failed", failure: build.claim.failure }, nowMs);
    }
    if (this.#wasInterrupted) return this.jobs.over(job, CANCELLED, nowMs);
    this.jobs.over(job, isCounted ? SUCCEEDED : ENDED, nowMs);
    if (!isCounted) this.#proof.await(build);
  }

  /** Its outputs are there: a build that needs them has begun, or somebody has looked. */
  built(path: string, nowMs: number): void {
    const build = this.#builds.get(path);
    if (build === undefined || build.job.startedMs === undefined) return;
    const { state, endedMs } = build.job;
    if (state.kind !== "ended" && state.kind !== "running") return;
    if (state.kind === "ended") this.#proof.settle(build);
    else this.#proof.take();
    // Of a log for people nothing else tells the end, and of what was asked for Nix tells it when all of that is over.
    build.running = 0;
    this.#running.delete(build.job);
    this.jobs.over(build.job, SUCCEEDED, endedMs ?? nowMs);
  }

  /** The build that waits: named by its derivation, or by an output that it has to lock. */
  #waiting(text: string): Build | undefined {
    const path = /'([^']+)'/.exec(text)?.[1];
    if (path === undefined) return undefined;
    const derivation = path.endsWith(".drv") ? path : this.#rows.listener.derivationOf?.(path);
    if (derivation !== undefined) {
      return this.#mayKnow(derivation) ? this.#buildOf(derivation) : undefined;
    }
    const name = nameOf(path);
    return [...this.#builds.values()].find(({ job }) => job.name === name && job.startedMs === undefined);
  }

  #buildOf(path: string): Build {
    return this.#builds.get(path) ?? this.#newBuild(path);
  }

  /** Beyond the bound only what begins is told, until its activity is over. */
  #mayKnow(path: string): boolean {
    return this.#all.size < BOUNDS.builds || this.#builds.has(path);
  }

  #newBuild(path: string): Build {
    const mayKnow = this.#mayKnow(path);
    const job = this.jobs.begin({ kind: "build", subject: path, name: nameOf(path) }, undefined);
    const build = { job, running: 0, claim: undefined };
    if (!mayKnow) return build;
    this.#builds.set(job.subject, build);
    this.#all.add(build);
    return build;
  }
}
