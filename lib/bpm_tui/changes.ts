/** What a server is asked to tell of by itself, and what is done when it does. Polls go on beside it. Pure. @module */
import { type Effect, type LogTarget, type Model, type Project, wantedLog, withProject } from "./model.ts";
import type { Step } from "./update.ts";

/** Of more services only polls tell. */
const LISTENED_SERVICES = 500;
/** What has changed is asked for so soon: what changes meanwhile comes with it. */
const SOON_MS = 150;
/** A stream that has broken off is begun anew after so long; for something else to listen to, at the earliest. */
const AGAIN_MS = 5_000;
const OTHER_MS = 500;

/** The resource of a service's state, and those of its newest logs. */
function stateUri(service: string): string {
  return `bpm://process/${encodeURIComponent(service)}`;
}

function logUri({ service, of }: LogTarget): string {
  return `${stateUri(service)}/${of === "run" ? "log" : "build-log"}`;
}

/** Listens to what is seen now, where that is another than before: all states of the project, and the newest log. */
export function listenToSeen(model: Model, nowMs: number): Step {
  const effects: Effect[] = [];
  let next = model;
  for (const [at, project] of model.projects.entries()) {
    const wanted = at === model.active ? wantedOf(model, project) : "";
    if (wanted === project.listening || (wanted !== "" && nowMs < project.listenDueMs)) continue;
    next = withProject(next, at, { listening: wanted, listenDueMs: nowMs + OTHER_MS });
    effects.push({ kind: "listen", project: at, uris: wanted === "" ? [] : wanted.split("\n") });
  }
  return [next, effects];
}

/** URIs one a line; none where the server tells nothing by itself. */
function wantedOf(model: Model, { abilities, link, overview }: Project): string {
  if (!abilities.listen || link.kind !== "online" || overview === undefined) return "";
  const target = wantedLog(model);
  const log = target === undefined || target.index !== -1 ? "" : logUri(target);
  return `${statesOf(overview.services)}${log}`.trimEnd();
}

const states = new WeakMap<readonly { readonly name: string }[], string>();

/** Made once for each answer of the server. */
function statesOf(services: readonly { readonly name: string }[]): string {
  const known = states.get(services);
  if (known !== undefined) return known;
  const text = services.slice(0, LISTENED_SERVICES).map(({ name }) => `${stateUri(name)}\n`).join("");
  states.set(services, text);
  return text;
}

/** Something has changed: it is asked for soon. */
export function changed(model: Model, at: number, uri: string): Model {
  const { pollDueMs, readDueMs } = model.projects[at]!;
  const soonMs = model.nowMs + SOON_MS;
  const target = at === model.active ? wantedLog(model) : undefined;
  if (target !== undefined && uri === logUri(target)) {
    return withProject(model, at, { readDueMs: Math.min(readDueMs, soonMs) });
  }
  if (/-?log$/.test(uri.slice(uri.lastIndexOf("/")))) return model;
  return withProject(model, at, { pollDueMs: Math.min(pollDueMs, soonMs) });
}

/** The stream has ended; `refused` when the server knows no such thing. */
export function unheard(model: Model, at: number, refused: boolean): Model {
  const { abilities } = model.projects[at]!;
  return withProject(model, at, {
    listening: "",
    listenDueMs: model.nowMs + AGAIN_MS,
    abilities: refused ? { ...abilities, listen: false } : abilities,
  });
}
