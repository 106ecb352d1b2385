/** The panel of the project: where it is, its mode, and how many services are well. Pure. @module */
import { type Area, drawPanel, putSpans, type Span, span, spansWidth } from "../../tui/mod.ts";
import { activeProject, type Model } from "../model.ts";
import { ICONS, summaryOf, type Tone } from "../service.ts";
import { nameOf } from "./places.ts";
import { spinner, toneStyle } from "./tones.ts";

/** Draws it. */
export function drawStatus(area: Area, model: Model): void {
  const { theme } = model;
  const { link, identity, abilities, overview, url } = activeProject(model);
  const inside = drawPanel(area, {
    title: [span("status", theme.strong)],
    note: countSpans(model),
    border: theme.border,
  });
  const dot = link.kind === "online"
    ? span("●", theme.good)
    : link.kind === "away"
    ? span("✗", theme.bad)
    : span(spinner(model.nowMs), theme.warn);
  const server = identity === undefined
    ? []
    : [span(`  ${serverName(identity.name, abilities.structured)} ${identity.version}`, theme.muted)];
  const line = [dot, span(` ${nameOf(url)}`, theme.strong)];
  const fits = spansWidth([...line, ...server]) <= inside.width - 2;
  putSpans(inside, 1, 0, fits ? [...line, ...server] : line, inside.width - 2);
  const mode = overview?.mode === undefined
    ? [span(overview === undefined ? linkText(model) : "", theme.muted)]
    : [
      span(overview.mode, overview.mode === "Dev" ? theme.accent : theme.info),
      span(noteText(overview.modeNote), theme.muted),
    ];
  putSpans(inside, 1, 1, mode, inside.width - 2);
}

/** Upstream's server has a long name, and ours tells the same one. */
function serverName(name: string, structured: boolean): string {
  if (name !== "background-process-manager") return name;
  return structured ? "bpm" : "bpm, the original";
}

/** Upstream's sentence, shorter. */
function noteText(note: string | undefined): string {
  const left = /^Time until release mode: (\d+) hours? (\d+) minutes?$/.exec(note ?? "");
  if (left !== null) return ` · release in ${left[1]}h ${left[2]!.padStart(2, "0")}m`;
  return note === undefined || note === "Currently in release mode" ? "" : ` · ${note}`;
}

function countSpans(model: Model): Span[] {
  const { overview } = activeProject(model);
  if (overview === undefined) return [];
  const { counts } = summaryOf(overview);
  return (Object.keys(ICONS) as Tone[]).filter((tone) => counts.has(tone)).map((tone, at) =>
    span(`${at === 0 ? "" : "  "}${ICONS[tone]} ${counts.get(tone)}`, toneStyle(model.theme, tone))
  );
}

function linkText(model: Model): string {
  return activeProject(model).link.kind === "away" ? "no server" : "connecting …";
}
