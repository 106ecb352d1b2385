/** What a command tells of itself: its counts, its plan, its complaints. Pure. @module */
import { BOUNDS, cutMiddle, labelText } from "./bounds.ts";
import {
  type Command,
  NO_PROGRESS,
  type Problem,
  PROBLEMS_MAX,
  type Progress,
  type Requester,
} from "./model.ts";
import { ACTIVITY } from "./record.ts";

/** Goals of one kind of one request. */
interface Goals {
  readonly id: string;
  last: Progress;
}

/** Keeps the row of one command; `command` is changed in place, and told at each change. */
export class Figures {
  readonly command: Command;
  readonly #changed: (command: Command) => void;
  /** Requests under way by the type of their activity, the outermost first; those within are of other machines. */
  readonly #goals = new Map<number, Goals[]>();
  /** What requests before have come to. */
  readonly #sums = new Map<number, Progress>();
  #hasErrors = false;
  #problemChars = 0;

  constructor(
    { id, requester, startedMs }: Pick<Command, "id" | "startedMs"> & { readonly requester: Requester },
    changed: (command: Command) => void,
  ) {
    this.#changed = changed;
    this.command = {
      id,
      requester,
      startedMs,
      endedMs: undefined,
      state: "running",
      targets: [],
      evaluating: undefined,
      evaluatedFiles: 0,
      builds: NO_PROGRESS,
      substitutions: NO_PROGRESS,
      plannedBuilds: 0,
      plannedFetches: 0,
      downloadBytes: 0,
      unpackedBytes: 0,
      problems: [],
    };
    changed(this.command);
  }

  /** Takes over what another log of the same command told. */
  take(other: Figures): void {
    const { command } = this;
    const { targets, problems, evaluatedFiles, plannedBuilds, plannedFetches } = other.command;
    this.#hasErrors ||= other.#hasErrors;
    for (const target of targets) this.target(target);
    for (const problem of problems) this.problem(problem, false);
    command.evaluatedFiles = Math.max(command.evaluatedFiles, evaluatedFiles);
    command.plannedBuilds = Math.max(command.plannedBuilds, plannedBuilds);
    command.plannedFetches = Math.max(command.plannedFetches, plannedFetches);
    this.#changed(command);
  }

  beginGoals(type: number, id: string): void {
    const open = this.#goals.get(type) ?? [];
    open.push({ id, last: NO_PROGRESS });
    this.#goals.set(type, open);
  }

  endGoals(type: number, id: string): void {
    const open = this.#goals.get(type) ?? [];
    const at = open.findIndex((goals) => goals.id === id);
    if (at < 0) return;
    const [goals] = open.splice(at, 1);
    if (at === 0) this.#sums.set(type, sum(this.#sums.get(type), { ...goals!.last, running: 0 }));
  }

  /** Returns how many more are done than before. */
  progress(type: number, { id, now }: { readonly id: string; readonly now: Progress }): number {
    const open = this.#goals.get(type) ?? [];
    const goals = open.find((each) => each.id === id);
    if (goals === undefined) return 0;
    const more = now.done - goals.last.done;
    goals.last = now;
    if (goals === open[0]) this.#total(type, sum(this.#sums.get(type), now));
    return more;
  }

  expected(type: number, bytes: number): void {
    const { command } = this;
    if (!(bytes >= 0)) return;
    if (type === ACTIVITY.fileTransfer && bytes > command.downloadBytes) command.downloadBytes = bytes;
    else if (type === ACTIVITY.copyPath && bytes > command.unpackedBytes) command.unpackedBytes = bytes;
    else return;
    this.#changed(command);
  }

  /** So many more builds or fetches are planned. */
  willDo(what: "willBuild" | "willFetch", count: number): void {
    if (what === "willBuild") this.command.plannedBuilds += count;
    else this.command.plannedFetches += count;
    this.#changed(this.command);
  }

  willFetch(plan: { readonly downloadBytes: number; readonly unpackedBytes: number }): void {
    const { command } = this;
    command.downloadBytes = Math.max(command.downloadBytes, plan.downloadBytes);
    command.unpackedBytes = Math.max(command.unpackedBytes, plan.unpackedBytes);
  }

  target(text: string): void {
    const { command } = this;
    const target = labelText(text, BOUNDS.subject);
    if (command.targets.length >= BOUNDS.targets || command.targets.includes(target)) return;
    command.targets.push(target);
    command.evaluating = target;
    this.#changed(command);
  }

  evaluating(file: string): void {
    this.command.evaluating = labelText(file, BOUNDS.subject);
    this.command.evaluatedFiles++;
    this.#changed(this.command);
  }

  /** @param isCertain Nobody but Nix can have said it: anybody's builder may print what looks like an error. */
  problem({ severity, text, atMs }: Problem, isCertain: boolean): void {
    const { problems } = this.command;
    if (severity === "error" && isCertain) this.#hasErrors = true;
    const told = cutMiddle(text, BOUNDS.problem);
    if (problems.length >= PROBLEMS_MAX || problems.some((each) => each.text === told)) return;
    if (this.#problemChars + told.length > BOUNDS.problems) return;
    this.#problemChars += told.length;
    problems.push({ severity, text: told, atMs });
    this.#changed(this.command);
  }

  end(state: Command["state"], nowMs: number): void {
    this.command.state = state;
    this.command.endedMs = nowMs;
    this.command.evaluating = undefined;
    this.#changed(this.command);
  }

  get hasErrors(): boolean {
    return this.#hasErrors || this.command.builds.failed > 0;
  }

  /** Neither plans nor targets nor complaints. */
  get saysNothing(): boolean {
    const { plannedBuilds, plannedFetches, targets, problems, evaluatedFiles } = this.command;
    return plannedBuilds + plannedFetches + targets.length + problems.length + evaluatedFiles === 0;
  }

  /** By Nix' own count everything that was to be built is. */
  get isAllBuilt(): boolean {
    const { builds } = this.command;
    return builds.expected > 0 && builds.done >= builds.expected;
  }

  #total(type: number, total: Progress): void {
    const { command } = this;
    const isOfBuilds = type === ACTIVITY.builds;
    if (isEqual(total, isOfBuilds ? command.builds : command.substitutions)) return;
    if (isOfBuilds) command.builds = total;
    else command.substitutions = total;
    this.#changed(command);
  }
}

function sum(one: Progress = NO_PROGRESS, other: Progress): Progress {
  return {
    done: one.done + other.done,
    expected: one.expected + other.expected,
    running: one.running + other.running,
    failed: one.failed + other.failed,
  };
}

function isEqual(one: Progress, other: Progress): boolean {
  return one.done === other.done && one.expected === other.expected && one.running === other.running &&
    one.failed === other.failed;
}
