/** What one command does: its jobs, and how they end. Pure. @module */
import { BOUNDS, cutText, labelText } from "./bounds.ts";
import { betterOf, type Build, type Claim } from "./build.ts";
import type { Shared } from "./connection.ts";
import { plainText } from "../tui/plain_text.ts";
import {
  type Command,
  isOver,
  type Job,
  type JobKind,
  type JobState,
  newJob,
  OVER_TAIL_LINES,
  type Requester,
  TAIL_LINES,
} from "./model.ts";
import { Figures } from "./figures.ts";
import { Proof } from "./proof.ts";
import { ACTIVITY } from "./record.ts";
import { nameOf } from "./store_path.ts";

const PLANNED: JobState = { kind: "planned" };
const RUNNING: JobState = { kind: "running" };
const SUCCEEDED: JobState = { kind: "succeeded" };
const ENDED: JobState = { kind: "ended" };

/** Jobs that nobody wants to see once they are over. */
const PASSING: ReadonlySet<JobKind> = new Set(["query", "other"]);

/** A copy: a substitution has one within it. */
interface Copy {
  readonly job: Job;
  running: number;
}

export class Work {
  readonly figures: Figures;
  readonly #shared: Shared;
  #logs = 1;
  #movedTo: Work | undefined;
  /** By derivation the last one; those before are over, or another log has them too. */
  readonly #builds = new Map<string, Build>();
  readonly #all = new Set<Build>();
  /** Those that failed for certain. */
  readonly #failures = new Set<Build>();
  readonly #copies = new Map<string, Copy>();
  readonly #builtProof = new Proof<Build>();
  readonly #copiedProof = new Proof<Copy>();
  #wasInterrupted = false;
  #isInterruptCertain = false;
  #wasCut = false;
  /** Anything that is seen when it is over. */
  #hasWorked = false;
  #exitCode: number | undefined;

  constructor(shared: Shared, requester: Requester, nowMs: number) {
    this.#shared = shared;
    const row = { id: shared.nextId(), requester, startedMs: nowMs };
    this.figures = new Figures(row, (command) => shared.command(command));
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
    other.#hasWorked ||= this.#hasWorked;
    other.#logs += this.#logs;
    for (const build of this.#all) {
      const { job } = build;
      const isKnown = other.#builds.has(job.subject);
      // Both logs tell the same plan.
      if (isKnown && job.startedMs === undefined) {
        this.#shared.forget(job);
        continue;
      }
      other.#all.add(build);
      if (!isKnown) other.#builds.set(job.subject, build);
      this.#give(job, other);
    }
    for (const [path, copy] of this.#copies) {
      if (!other.#copies.has(path)) other.#copies.set(path, copy);
      this.#give(copy.job, other);
    }
    this.#shared.dropped(this.command);
    other.figures.take(this.figures);
  }

  begin(
    { kind, subject, name }: { readonly kind: JobKind; readonly subject: string; readonly name: string },
    nowMs: number | undefined,
  ): Job {
    const named = { subject: labelText(subject, BOUNDS.subject), name: labelText(name, BOUNDS.subject) };
    const job = newJob({ id: this.#shared.nextId(), command: this.command.id, kind, ...named }, nowMs);
    this.#shared.job(job);
    this.#hasWorked ||= !PASSING.has(kind);
    return job;
  }

  beginBuild(
    { path, host, isNew }: { readonly path: string; readonly host: string; readonly isNew: boolean },
    nowMs: number,
  ): Job {
    this.#builtProof.begin();
    if (!this.#isInterruptCertain) this.#wasInterrupted = false;
    const { listener } = this.#shared;
    listener.derivation?.(path);
    for (const input of listener.inputs?.(path) ?? []) this.built(input, nowMs);
    const build = isNew ? this.#newBuild(path) : this.#buildOf(path);
    const { job } = build;
    build.running++;
    if (host !== "") job.host = labelText(host, BOUNDS.subject);
    if (job.state.kind !== "running") {
      job.state = RUNNING;
      job.startedMs = nowMs;
      this.#shared.job(job);
    }
    return job;
  }

  /** A substitution and the copy within it are one. */
  beginCopy(
    { path, from, to }: { readonly path: string; readonly from: string; readonly to: string },
    nowMs: number,
  ): Job {
    const known = this.#copies.get(path);
    if (known !== undefined && known.running > 0) {
      known.running++;
      return known.job;
    }
    this.#copiedProof.begin();
    const job = this.begin({ kind: "copy", subject: path, name: nameOf(path) }, nowMs);
    job.host = from === "local" ? "" : labelText(from, BOUNDS.subject);
    job.to = to === "local" ? "" : labelText(to, BOUNDS.subject);
    this.#copies.set(job.subject, { job, running: 1 });
    return job;
  }

  /** A job's activity has stopped. */
  end(job: Job, nowMs: number): void {
    if (job.kind === "build") return this.#endBuild(job, nowMs);
    if (job.kind === "copy") return this.#endCopy(job, nowMs);
    if (PASSING.has(job.kind)) return this.#shared.forget(job);
    this.#over(job, SUCCEEDED, nowMs);
  }

  /** A job's activity did not stop before its log did. */
  cut(job: Job, nowMs: number): void {
    if (isOver(job)) return;
    if (PASSING.has(job.kind)) return this.#shared.forget(job);
    this.#over(job, { kind: this.#wasInterrupted ? "cancelled" : "lost" }, nowMs);
  }

  /** So many more builds, or copies, are done. */
  counted(type: number, more: number): void {
    const proven = type === ACTIVITY.builds ? this.#builtProof.count(more) : this.#copiedProof.count(more);
    for (const { job } of proven) this.#over(job, SUCCEEDED, job.endedMs!);
  }

  /** Of a derivation whose content decides on its path another one is built, which counts as a second goal. */
  resolved(path: string, by: string): void {
    const build = this.#builds.get(path);
    if (build !== undefined && build.running === 0 && !isOver(build.job)) {
      this.#builds.delete(path);
      this.#all.delete(build);
      this.#shared.forget(build.job);
      this.plan(by);
    }
  }

  waits(text: string, nowMs: number): void {
    const build = this.#waiting(text);
    if (build === undefined || build.running > 0) return;
    build.job.state = {
      kind: "waiting",
      why: labelText(text.replace(/ '[^']*'.*$/, ""), BOUNDS.subject),
      sinceMs: nowMs,
    };
    this.#shared.job(build.job);
  }

  waitsNoMore(text: string): void {
    const build = this.#waiting(text);
    if (build?.job.state.kind !== "waiting") return;
    build.job.state = PLANNED;
    this.#shared.job(build.job);
  }

  line(job: Job, text: string, nowMs: number): void {
    job.lineCount++;
    if (job.tail.length === TAIL_LINES) job.tail.shift();
    job.tail.push(cutText(text, BOUNDS.line));
    this.#shared.job(job);
    this.#shared.listener.line?.(job, text, nowMs);
  }

  /** Of a log for people: it belongs to a build only where a single one runs, or where it says so. */
  unattributedLine(text: string, nowMs: number): void {
    const running = [...this.#builds.values()].filter((build) => build.running > 0);
    const [, name, rest] = /^([^\s>]+)> (.*)$/.exec(plainText(text)) ?? [];
    const named = name === undefined
      ? undefined
      : running.find(({ job }) => job.name === name || job.name.startsWith(`${name}-`));
    if (named !== undefined) this.line(named.job, rest!, nowMs);
    else if (running.length === 1) this.line(running[0]!.job, text, nowMs);
  }

  phase(job: Job, name: string, nowMs: number): void {
    if (job.phases.length === BOUNDS.phases) job.phases.pop();
    job.phases.push({ name: labelText(name, BOUNDS.phase), atMs: nowMs });
    this.#shared.job(job);
  }

  bytes(job: Job, done: number, expected: number): void {
    if (!(done >= 0 && expected >= 0) || (done === job.doneBytes && expected === job.expectedBytes)) return;
    job.doneBytes = done;
    job.expectedBytes = expected;
    this.#shared.job(job);
  }

  plan(path: string): void {
    this.#shared.listener.derivation?.(path);
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
    const build = known ?? (isProof ? this.#buildOf(path) : undefined);
    if (build === undefined) return;
    const { job } = build;
    build.claim = betterOf(build.claim, { failure, isProof: isProven });
    if (isProven) this.#failures.add(build);
    if (build.running > 0) return;
    if (isOver(job) && job.state.kind !== "ended" && !isProven) return;
    this.#builtProof.settle(build);
    this.#over(job, { kind: "failed", failure: build.claim.failure }, job.endedMs ?? nowMs);
  }

  /** Nix counts more failed builds than are known: this is one of them. */
  #isCountedFailure(build: Build): boolean {
    return build.running > 0 && this.command.builds.failed > this.#failures.size;
  }

  /** Nix says so after it has stopped everything; a builder that says so runs. */
  interrupted(isProof: boolean, nowMs: number): void {
    if (!isProof && [...this.#builds.values()].some(({ running }) => running > 0)) return;
    this.#wasInterrupted = true;
    this.#isInterruptCertain ||= isProof;
    const open = [...this.#builtProof.drain(), ...this.#copiedProof.drain()];
    for (const { job } of open) this.#over(job, { kind: "cancelled" }, job.endedMs ?? nowMs);
  }

  /** Determinate Nix says how a build ended. */
  told(payload: unknown, nowMs: number): void {
    const { path, status, errorMsg } = (payload ?? {}) as Record<string, unknown>;
    const drv = (path as { drvPath?: unknown } | undefined)?.drvPath;
    if (typeof drv !== "string" || typeof status !== "string") return;
    const build = this.#builds.get(drv);
    if (build === undefined) return;
    if (/^(Built|Substituted|AlreadyValid|ResolvesToAlreadyValid)$/.test(status)) {
      this.#builtProof.settle(build);
      if (build.running > 0) this.#builtProof.count(1);
      else this.#over(build.job, SUCCEEDED, build.job.endedMs ?? nowMs);
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
    const isCopied = isGood || (!this.figures.hasErrors && !this.#wasCut);
    for (const { job } of isCopied ? this.#copiedProof.drain() : []) this.#over(job, SUCCEEDED, job.endedMs!);
    this.figures.end(this.#outcome(isGood), nowMs);
    // A question that was answered at once, or somebody who looked whether anybody listens.
    if (!this.#hasWorked && this.figures.saysNothing) this.#shared.dropped(this.command);
  }

  /** The command is over; so are its builds. */
  #settle(
    { job, claim }: Build,
    { isGood, nowMs }: { readonly isGood: boolean; readonly nowMs: number },
  ): void {
    if (isOver(job) && job.state.kind !== "ended") return;
    const over = (state: JobState) => this.#over(job, state, job.endedMs ?? nowMs);
    if (claim !== undefined) return over({ kind: "failed", failure: claim.failure });
    if (isGood && job.startedMs !== undefined) return over(SUCCEEDED);
    if (this.#wasInterrupted) return over({ kind: "cancelled" });
    if (job.startedMs === undefined) return over({ kind: "skipped" });
    // Where something failed Nix stops what else it builds.
    over(this.figures.hasErrors ? { kind: "cancelled" } : ENDED);
  }

  #outcome(isGood: boolean): Command["state"] {
    if (this.#wasInterrupted) return "interrupted";
    if (this.#exitCode !== undefined) return this.#exitCode === 0 ? "succeeded" : "failed";
    if (this.figures.hasErrors) return "failed";
    return this.#wasCut ? "lost" : isGood || this.command.builds.failed === 0 ? "succeeded" : "failed";
  }

  #endBuild(job: Job, nowMs: number): void {
    const build = this.#builds.get(job.subject);
    if (build?.job !== job) return this.#over(job, ENDED, nowMs);
    // What is counted is of others: this one's outputs were found before.
    if (build.running === 0) return;
    build.running--;
    // Of one that has failed Nix may tell the end much later: what was counted meanwhile is of others.
    const isCounted = build.claim?.isProof !== true && this.#builtProof.take();
    if (build.running > 0 || isOver(job)) return;
    if (build.claim !== undefined && !isCounted) {
      return this.#over(job, { kind: "failed", failure: build.claim.failure }, nowMs);
    }
    if (this.#wasInterrupted) return this.#over(job, { kind: "cancelled" }, nowMs);
    this.#over(job, isCounted ? SUCCEEDED : ENDED, nowMs);
    if (!isCounted) this.#builtProof.await(build);
  }

  #endCopy(job: Job, nowMs: number): void {
    const copy = this.#copies.get(job.subject);
    if (copy?.job !== job) return this.#over(job, ENDED, nowMs);
    if (--copy.running > 0) return;
    const isWhole = job.expectedBytes > 0 && job.doneBytes === job.expectedBytes;
    const isCounted = this.#copiedProof.take();
    if (this.#wasInterrupted) return this.#over(job, { kind: "cancelled" }, nowMs);
    this.#over(job, isCounted || isWhole ? SUCCEEDED : ENDED, nowMs);
    if (!isCounted && !isWhole) this.#copiedProof.await(copy);
  }

  /** Its outputs are there: a build that needs them has begun, or somebody has looked. */
  built(path: string, nowMs: number): void {
    const build = this.#builds.get(path);
    if (build === undefined || build.job.startedMs === undefined) return;
    const { state, endedMs } = build.job;
    if (state.kind !== "ended" && state.kind !== "running") return;
    if (state.kind === "ended") this.#builtProof.settle(build);
    else this.#builtProof.take();
    // Of a log for people nothing else tells the end, and of what was asked for Nix tells it when all of that is over.
    build.running = 0;
    this.#over(build.job, SUCCEEDED, endedMs ?? nowMs);
  }

  /** The build that waits: named by its derivation, or by an output that it has to lock. */
  #waiting(text: string): Build | undefined {
    const path = /'([^']+)'/.exec(text)?.[1];
    if (path === undefined) return undefined;
    const derivation = path.endsWith(".drv") ? path : this.#shared.listener.derivationOf?.(path);
    if (derivation !== undefined) return this.#buildOf(derivation);
    const name = nameOf(path);
    return [...this.#builds.values()].find(({ job }) => job.name === name && job.startedMs === undefined);
  }

  #buildOf(path: string): Build {
    return this.#builds.get(path) ?? this.#newBuild(path);
  }

  #newBuild(path: string): Build {
    const job = this.begin({ kind: "build", subject: path, name: nameOf(path) }, undefined);
    const build = { job, running: 0, claim: undefined };
    this.#builds.set(job.subject, build);
    this.#all.add(build);
    return build;
  }

  #give(job: Job, { command }: Work): void {
    job.command = command.id;
    this.#shared.job(job);
  }

  #over(job: Job, state: JobState, nowMs: number): void {
    if (!isOver(job)) this.#shared.finished(job);
    job.state = state;
    job.endedMs = nowMs;
    if (state.kind !== "failed") job.tail.splice(0, Math.max(0, job.tail.length - OVER_TAIL_LINES));
    this.#shared.job(job);
  }
}
