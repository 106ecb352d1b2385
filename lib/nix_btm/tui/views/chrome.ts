/** What is around every view: tabs, the summary of the host, the keys that matter. Pure. @module */
import { type Area, keyLabel, offered, putSpans, type Span, span, spansWidth } from "../../../tui/mod.ts";
import { isOver } from "../../../nix/mod.ts";
import { durationText } from "../../summary.ts";
import type { World } from "../../world.ts";
import { KEYMAP } from "../keymap.ts";
import { hostText, type Model, TABS, worldOf } from "../model.ts";
import { tabText } from "./places.ts";

/** The tabs, and at the right the host and how its daemon stands. */
export function drawTabs(area: Area, model: Model): void {
  const { theme, tab, source: { standing }, host } = model;
  const right: Span[] = [];
  if (standing.kind === "lost") right.push(span(` ${standing.why}; what was known `, theme.alert));
  if (standing.kind === "connecting") right.push(span("asking the daemon … ", theme.muted));
  right.push(span(hostText(model, host), theme.strong), span(" nix-btm ", theme.muted));
  let x = 0;
  for (const [at, each] of TABS.entries()) {
    x = area.put(x, 0, tabText(each, at), each === tab ? theme.key : theme.muted);
    if (each === tab) {
      area.part({ x: x - tabText(each, at).length, y: 0, width: tabText(each, at).length, height: 1 });
    }
  }
  const room = area.width - x - 1;
  if (spansWidth(right) <= room) putSpans(area, area.width - spansWidth(right), 0, right);
  else if (standing.kind === "lost") putSpans(area, x + 1, 0, right.slice(0, 1), room);
}

/** What Nix does on the host, in a line. */
export function drawSummary(area: Area, model: Model): void {
  const { theme, nowMs } = model;
  const world = worldOf(model);
  const counts = countsOf(world);
  const parts: Span[][] = [
    [span("▶ ", theme.accent), span(`${counts.running} running`)],
    [span("· ", theme.muted), span(`${counts.left - counts.running} to come`)],
    [span("✔ ", theme.good), span(`${counts.done} built`)],
    [
      span("✖ ", counts.failed > 0 ? theme.bad : theme.muted),
      span(`${counts.failed} failed`, counts.failed > 0 ? theme.bad : undefined),
    ],
  ];
  if (counts.copies > 0) parts.push([span("↓ ", theme.info), span(`${counts.copies} copies`)]);
  const endMs = endOf(world, nowMs);
  if (endMs !== undefined) {
    parts.push([
      span("⏱ ", theme.accent),
      span(`about ${durationText(endMs.medianMs)} left`),
      span(` (90 % ${durationText(endMs.p90Ms)})`, theme.muted),
    ]);
  }
  const ratio = counts.fetched + counts.done === 0
    ? undefined
    : counts.fetched / (counts.fetched + counts.done);
  if (ratio !== undefined && counts.fetched > 0) {
    parts.push([span("caches gave ", theme.muted), span(`${Math.round(ratio * 100)}%`)]);
  }
  let x = 1;
  for (const part of parts) {
    if (x + spansWidth(part) > area.width) break;
    x = putSpans(area, x, 0, part) + 3;
  }
}

interface Counts {
  running: number;
  left: number;
  done: number;
  failed: number;
  copies: number;
  fetched: number;
}

function countsOf({ jobs }: World): Counts {
  const counts: Counts = { running: 0, left: 0, done: 0, failed: 0, copies: 0, fetched: 0 };
  for (const job of jobs.values()) {
    const { kind } = job.state;
    if (job.kind === "copy") {
      if (kind === "running") counts.copies++;
      if (kind === "succeeded" && job.host !== "") counts.fetched++;
    }
    if (job.kind !== "build") continue;
    if (kind === "running") counts.running++;
    if (!isOver(job)) counts.left++;
    if (kind === "succeeded" || kind === "ended") counts.done++;
    if (kind === "failed") counts.failed++;
  }
  return counts;
}

/** The latest end of all commands. */
function endOf(
  { estimates, commands }: World,
  nowMs: number,
): { readonly medianMs: number; readonly p90Ms: number } | undefined {
  let found: { medianMs: number; p90Ms: number } | undefined;
  for (const { command, atMs, estimate } of estimates.values()) {
    if (estimate === undefined || commands.get(command)?.state !== "running") continue;
    const passedMs = nowMs - atMs;
    found = {
      medianMs: Math.max(found?.medianMs ?? 0, estimate.medianMs - passedMs, 0),
      p90Ms: Math.max(found?.p90Ms ?? 0, estimate.p90Ms - passedMs, 0),
    };
  }
  return found;
}

/** The keys that have a short name, or what is to be said. */
export function drawKeys(area: Area, model: Model): void {
  const { theme, message, overlay } = model;
  if (overlay?.kind === "confirm") {
    const verb = overlay.steer;
    putSpans(area, 1, 0, [
      span(`${verb} ${overlay.name} and all that it has started? `, theme.warn),
      span("y", theme.key),
      span(" yes, any other key no"),
    ]);
    return;
  }
  if (message !== undefined) {
    putSpans(area, 1, 0, [span(message, theme.warn)]);
    return;
  }
  let x = 1;
  const seen = new Set<string>();
  for (const { keys, short } of offered(KEYMAP, model)) {
    if (short === undefined || keys.length === 0 || seen.has(short)) continue;
    seen.add(short);
    const part = [span(keyLabel(keys[0]!), theme.key), span(` ${short}`, theme.muted)];
    if (x + spansWidth(part) > area.width) break;
    x = putSpans(area, x, 0, part) + 2;
  }
}
