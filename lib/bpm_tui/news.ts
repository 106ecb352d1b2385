/** What the servers and the clock tell. Pure. @module */
import { changed, unheard } from "./changes.ts";
import { append, isApart, mergeTail, type NewLine, NO_LINES } from "./log_lines.ts";
import {
  activeProject,
  type Effect,
  type Link,
  logKey,
  type LogView,
  type Model,
  type Notice,
  type Project,
  type ServerEvent,
  wantedLog,
  withProject,
} from "./model.ts";
import { keepSelectionSeen, refind } from "./select.ts";
import { type Overview, summaryOf } from "./service.ts";
import type { Step } from "./update.ts";
import { withUsage } from "./usage_history.ts";

/** How often a project is asked: the one that is seen, and the others. */
export const POLL_MS = 1_000;
export const POLL_OTHERS_MS = 5_000;
/** How often a log is read on, and while somebody is attached to the service. */
export const READ_MS = 1_000;
export const READ_ATTACHED_MS = 200;
/** Lines that are read of a log that was read before; when all of them are new it is read further back. */
export const READ_ON_LINES = 200;
/** A server that does not answer is tried again after this, doubled each time, up to the other. */
export const RETRY_MS = 1_000;
export const RETRY_MAX_MS = 5_000;
/** How long news are seen. */
export const NOTICE_MS = { good: 4_000, info: 4_000, bad: 10_000 } as const;
/** Logs of one project that are kept. */
const KEPT_LOGS = 12;

/** The model after news. */
export function onServer(before: Model, event: ServerEvent): Step {
  if (event.kind === "tick") return onTick(before, event.nowMs);
  const model = { ...before, nowMs: Math.max(before.nowMs, event.nowMs) };
  switch (event.kind) {
    case "connected": {
      const { project, identity, abilities } = event;
      const changed = unlock(model, project, {
        link: { kind: "online" },
        identity,
        abilities,
        pollDueMs: model.nowMs,
      });
      return onTick(changed, model.nowMs);
    }
    case "polled":
      return [polled(model, event.project, event.overview), []];
    case "pollFailed":
      return [unlock(model, event.project, { link: away(model, event.project, event.reason) }), []];
    case "logRead":
      return [logRead(model, event), []];
    case "logFailed":
      return [logFailed(model, event.project, event.key, event.reason), []];
    case "jobEnded":
      return [jobEnded(model, event.job, event.ok, event.text), []];
    case "changed":
      return [changed(model, event.project, event.uri), []];
    case "unheard":
      return [unheard(model, event.project, event.refused), []];
    case "told":
      return [{ ...model, overlay: { kind: "text", title: event.title, text: event.text, top: 0 } }, []];
    case "notSent":
      return [withNotice(model, "bad", event.reason), []];
    default:
      return event satisfies never;
  }
}

/** News at the lower edge. */
export function withNotice(model: Model, tone: Notice["tone"], text: string): Model {
  return { ...model, notice: { tone, text, untilMs: model.nowMs + NOTICE_MS[tone] } };
}

/** Asks whom it is time to ask. The model stays the same object while nothing that is seen has changed. */
function onTick(before: Model, nowMs: number): Step {
  const effects: Effect[] = [];
  // Spinners turn at each tick; clocks at each second.
  const turns = before.jobs.length > 0 || before.projects.some(({ link }) => link.kind === "connecting");
  const second = Math.floor(nowMs / 1_000) !== Math.floor(before.nowMs / 1_000);
  let model = turns || second ? { ...before, nowMs } : before;
  if (model.notice !== undefined && nowMs >= model.notice.untilMs) {
    const { notice: _over, ...rest } = model;
    model = rest;
  }
  for (const [at, project] of model.projects.entries()) {
    if (project.polling !== undefined) continue;
    const ask = questionFor(project, nowMs);
    if (ask === undefined) continue;
    effects.push({ kind: ask, project: at });
    model = withProject(model, at, { polling: nowMs });
  }
  return [model, effects];
}

function questionFor({ link, pollDueMs }: Project, nowMs: number): "connect" | "poll" | undefined {
  switch (link.kind) {
    case "connecting":
      return "connect";
    case "online":
      return nowMs >= pollDueMs ? "poll" : undefined;
    case "away":
      return nowMs >= link.retryMs ? "connect" : undefined;
    default:
      return link satisfies never;
  }
}

/** The project changed, and none of its polls waited for. */
function unlock(model: Model, at: number, change: Partial<Project>): Model {
  const { polling: _answered, ...rest } = model.projects[at]!;
  return {
    ...model,
    projects: model.projects.map((each, index) => index === at ? { ...rest, ...change } : each),
  };
}

function away({ projects, nowMs }: Model, at: number, reason: string): Link {
  const { link } = projects[at]!;
  const failures = link.kind === "away" ? link.failures + 1 : 1;
  const waitMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (failures - 1));
  return { kind: "away", reason, failures, retryMs: nowMs + waitMs };
}

function polled(model: Model, at: number, overview: Overview): Model {
  const before = model.projects[at]!;
  const usage = withUsage(before.usage, overview.services);
  const every = at === model.active ? POLL_MS : POLL_OTHERS_MS;
  const next = unlock(model, at, {
    link: { kind: "online" },
    overview,
    overviewMs: model.nowMs,
    pollDueMs: model.nowMs + every,
    usage,
  });
  const told = newTrouble(before.overview, overview).reduce(
    (each, text) => withNotice(each, "bad", model.projects.length > 1 ? `${before.url}: ${text}` : text),
    next,
  );
  return at === model.active ? keepSelectionSeen(told) : told;
}

/** Services that were well and are not. */
function newTrouble(before: Overview | undefined, now: Overview): string[] {
  if (before === undefined) return [];
  const { bad } = summaryOf(before);
  return [...summaryOf(now).bad].flatMap(([name, state]) => bad.has(name) ? [] : [`${name}: ${state}`]);
}

function doneReading(model: Model, at: number): Model {
  const { reading: _done, ...rest } = model.projects[at]!;
  const every = model.overlay?.kind === "attach" ? READ_ATTACHED_MS : READ_MS;
  const project = { ...rest, readDueMs: model.nowMs + every };
  return { ...model, projects: model.projects.map((each, index) => index === at ? project : each) };
}

function logRead(before: Model, event: ServerEvent & { readonly kind: "logRead" }): Model {
  const { project: at, key, lines, depth } = event;
  const model = doneReading(before, at);
  const view = model.projects[at]!.logs.get(key) ?? newView(key);
  const { failure: _before, behind: _behind, ...rest } = view;
  if (depth === READ_ON_LINES && lines.length === depth && isApart(view.log, lines)) {
    const due = withProject(model, at, { readDueMs: model.nowMs });
    return withLog(due, at, key, { ...rest, behind: true });
  }
  const log = merged(view, lines, depth);
  const next: LogView = {
    ...rest,
    log,
    depth: Math.max(view.depth, depth),
  };
  return withLog(model, at, key, next);
}

/** Reading further back than before begins the log anew, with the old places where lines are the same. */
function merged(view: LogView, lines: readonly NewLine[], depth: number): LogView["log"] {
  if (view.depth > 0 && depth > view.depth && lines.length > view.log.lines.length) {
    const next = Math.max(view.log.next, lines.length);
    return append({ ...NO_LINES, next: next - lines.length }, lines);
  }
  return mergeTail(view.log, lines, lines.length < depth);
}

function logFailed(before: Model, at: number, key: string, reason: string): Model {
  const model = doneReading(before, at);
  const view = model.projects[at]!.logs.get(key) ?? newView(key);
  const next = withLog(model, at, key, { ...view, failure: reason });
  // Whoever asked for an instance before the oldest one stays there.
  const target = wantedLog(next);
  const missing = /^Log instance -?\d+ not found/.test(reason) && target !== undefined && target.index < -1;
  if (!missing || at !== model.active || logKey(target) !== key) return next;
  return withNotice({ ...next, index: next.index + 1 }, "info", reason);
}

/** Keeps a log, and of the others those that were looked at last. */
function withLog(model: Model, at: number, key: string, view: LogView): Model {
  const logs = new Map(model.projects[at]!.logs);
  logs.delete(key);
  logs.set(key, view);
  for (const oldest of [...logs.keys()].slice(0, Math.max(0, logs.size - KEPT_LOGS))) logs.delete(oldest);
  const next = withProject(model, at, { logs });
  const target = wantedLog(next);
  return at === model.active && target !== undefined && logKey(target) === key ? refind(next) : next;
}

function newView(key: string): LogView {
  const [of, index, ...service] = key.split(" ");
  const target = { of: of as "run" | "build", index: Number(index), service: service.join(" ") };
  return { target, log: NO_LINES, clearedTo: 0, depth: 0 };
}

function jobEnded(before: Model, id: number, ok: boolean, text: string): Model {
  const job = before.jobs.find((each) => each.id === id);
  if (job === undefined) return before;
  const outcomes = new Map(before.outcomes).set(`${job.project} ${job.service}`, { ok, text });
  const model = {
    ...withProject(before, job.project, { pollDueMs: before.nowMs, readDueMs: before.nowMs }),
    jobs: before.jobs.filter((each) => each !== job),
    outcomes,
  };
  const [line = ""] = text.split("\n");
  const elsewhere = activeProject(model) === model.projects[job.project]
    ? ""
    : `${model.projects[job.project]!.url}: `;
  return withNotice(model, ok ? "good" : "bad", `${elsewhere}${job.service}: ${line}`);
}
