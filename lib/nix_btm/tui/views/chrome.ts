/** What is around every view: tabs, the summary of the host, the keys that matter. Pure. @module */
import {
  type Area,
  blend,
  durationWord,
  keyLabel,
  offered,
  putSpans,
  type Span,
  span,
  spansWidth,
} from "../../../tui/mod.ts";
import type { World } from "../../world.ts";
import { countsOf } from "../facts.ts";
import { type Action, KEYMAP } from "../keymap.ts";
import { hostText, type Model, TABS, worldOf } from "../model.ts";
import { tabText } from "./places.ts";

/** The tabs, and at the right the host. */
export function drawTabs(area: Area, model: Model): void {
  const { theme, tab, host } = model;
  const right = [span(hostText(model, host), theme.strong), span(" nix-btm ", theme.muted)];
  let x = 0;
  for (const [at, each] of TABS.entries()) {
    x = area.put(x, 0, tabText(model, at), each === tab ? theme.key : theme.muted);
    // Without colours the tab that is seen has to be told too.
    if (each === tab) {
      area.restyle(
        0,
        (id) => blend(id, theme.selected),
        x - tabText(model, at).length,
        tabText(model, at).length,
      );
    }
  }
  if (spansWidth(right) <= area.width - x - 1) putSpans(area, area.width - spansWidth(right), 0, right);
}

/** How the daemon stands, or that of another host, where it is not as usual; returns whether there is something to say. */
function drawStanding(area: Area, model: Model): boolean {
  const { theme, source: { standing, worlds } } = model;
  const { note } = worldOf(model);
  if (standing.kind === "live" && note === "") return false;
  const isLost = standing.kind !== "connecting";
  const why = standing.kind === "lost" ? standing.why : note;
  const style = isLost ? theme.alert : theme.muted;
  area.fill(style);
  const rest = worlds.size === 0 ? "nix-btm daemon starts one" : "what was known is shown";
  area.put(0, 0, isLost ? ` ${why}; ${rest}` : " asking the daemon …", style);
  return true;
}

/** What Nix does on the host, in a line. */
export function drawSummary(area: Area, model: Model): void {
  if (drawStanding(area, model)) return;
  const { theme, nowMs } = model;
  const world = worldOf(model);
  const counts = countsOf(model);
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
    parts.push([span("⏱ ", theme.accent), span(`about ${durationWord(endMs.medianMs)} left`)]);
    parts.push([span(`9 of 10 within ${durationWord(endMs.p90Ms)}`, theme.muted)]);
  }
  if (counts.blocked > 0) parts.push([span("– ", theme.muted), span(`${counts.blocked} blocked`)]);
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
  const shorts = shortKeys(model);
  // How it ends and where the rest is told are always seen.
  const last = shorts.filter(({ action }) => action === "help" || action === "quit").map(({ part }) => part);
  const lastWidth = last.reduce((sum, part) => sum + spansWidth(part) + 2, -1);
  const x = putParts(
    area,
    1,
    shorts.filter(({ action }) => action !== "help" && action !== "quit"),
    area.width - lastWidth - 1,
  );
  putParts(area, Math.max(x, area.width - lastWidth - 1), last.map((part) => ({ part })), area.width);
}

function putParts(
  area: Area,
  from: number,
  parts: readonly { readonly part: readonly Span[] }[],
  end: number,
): number {
  let x = from;
  for (const { part } of parts) {
    if (x + spansWidth(part) > end) break;
    x = putSpans(area, x, 0, part) + 2;
  }
  return x;
}

/** The keys that have a short name: of those that do the same here the first. */
function shortKeys(model: Model): { readonly action: Action; readonly part: readonly Span[] }[] {
  const { theme } = model;
  const seen = new Set<string>();
  return offered(KEYMAP, model).flatMap(({ keys, short, action }) => {
    const key = keys.find((each) => !seen.has(each));
    if (short === undefined || key === undefined || seen.has(short)) return [];
    seen.add(short).add(key);
    return [{ action, part: [span(keyLabel(key), theme.key), span(` ${short}`, theme.muted)] }];
  });
}
