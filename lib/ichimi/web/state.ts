/** What the page shows, as signals: processes as they are, what they use, what has happened, and where in the page one is. @module */
import { batch, computed, type Signal, signal } from "@preact/signals";
import type { TypeOf } from "../../mcp/mod.ts";
import { type Column, mergedEvents, shownTimes, spanOf } from "./history.ts";
import type { EVENT, LIVE, SETTINGS, USAGE } from "../rest/shapes.ts";

export type Live = TypeOf<typeof LIVE>;
export type Happening = TypeOf<typeof EVENT>;
export type UsageColumns = TypeOf<typeof USAGE>;
export type Settings = TypeOf<typeof SETTINGS>;

/** What has changed. */
export interface Change {
  readonly changed: readonly Live[];
  readonly removed: readonly string[];
  readonly events: readonly Happening[];
}

/** One look at what everything uses. */
export interface Usage {
  /** Unix milliseconds. */
  readonly time: number;
  readonly machine: { readonly cpu: number | null; readonly memory: number };
  readonly processes: Readonly<Record<string, readonly [cpu: number, memory: number]>>;
  readonly manager_memory: number;
  readonly assistants: number;
}

/** One process: each part changes by itself, so that only what shows it is drawn again. */
export interface Process {
  readonly id: string;
  readonly live: Signal<Live>;
  /** Percent of a core, and bytes, at the last of `times`. */
  readonly cpu: Signal<Column>;
  readonly memory: Signal<Column>;
}

export const processes = signal<readonly Process[]>([]);
export const events = signal<readonly Happening[]>([]);
/** When it was looked at what is used; charts show these. */
export const times = signal<readonly number[]>([]);
/** How long that is. */
export const span = computed(() => spanOf(times.value));
export const machineCpu = signal<Column>([]);
export const machineMemory = signal<Column>([]);
export const managerMemory = signal(0);
/** Assistants that are connected; undefined until it is known. */
export const assistants = signal<number | undefined>(undefined);
export const connection = signal<"connecting" | "live" | "lost">("connecting");
/** Unix milliseconds; moves each second, for times that go on. */
export const now = signal(Date.now());
/** Unix milliseconds of the daemon's start. */
export const daemonStartMs = signal(Date.now());

export const byId = computed(() => new Map(processes.value.map((each) => [each.id, each])));

export const PAGES = [
  "dashboard",
  "processes",
  "templates",
  "snapshots",
  "clipboard",
  "timeline",
  "settings",
] as const;
export type Page = (typeof PAGES)[number];

export const helpOpen = signal(false);

/** Where one is, as the address says it. */
export const place = signal(readPlace());
export const page = computed(() => place.value.page);

addEventListener("hashchange", () => {
  place.value = readPlace();
  scrollTo({ top: 0 });
});

function readPlace(): { readonly page: Page; readonly item: string | undefined } {
  const [first = "", item] = location.hash.replace(/^#\/?/, "").split("/");
  const page = PAGES.find((each) => each === first) ?? "dashboard";
  try {
    return { page, item: item === undefined || item === "" ? undefined : decodeURIComponent(item) };
  } catch {
    return { page, item: undefined }; // An address that somebody has mistyped.
  }
}

/** The address of a page, or of one process. */
export function addressOf(page: Page, item?: string): string {
  return `#/${page}${item === undefined ? "" : `/${encodeURIComponent(item)}`}`;
}

export function go(page: Page, item?: string): void {
  location.hash = addressOf(page, item);
}

/** All processes are these. */
export function putAll(found: readonly Live[]): void {
  const known = byId.peek();
  processes.value = found.map((live) => {
    const process = known.get(live.info.id);
    if (process === undefined) return newProcess(live);
    process.live.value = live;
    return process;
  });
}

/** Some have changed, or have gone. */
export function putChanges({ changed, removed, events: happened }: Change): void {
  batch(() => {
    const known = byId.peek();
    const added = changed.filter(({ info }) => !known.has(info.id)).map(newProcess);
    for (const live of changed) {
      const process = known.get(live.info.id);
      if (process !== undefined) process.live.value = live;
    }
    const gone = new Set(removed);
    if (added.length > 0 || removed.some((id) => known.has(id))) {
      processes.value = [...processes.value.filter(({ id }) => !gone.has(id)), ...added];
    }
    if (happened.length > 0) {
      events.value = mergedEvents(events.value, happened);
    }
  });
}

/** What everything uses now; what is known already is passed over. */
export function putUsage(
  { time, machine, processes: used, manager_memory, assistants: present }: Usage,
): void {
  batch(() => {
    managerMemory.value = manager_memory;
    assistants.value = present;
    if (time <= (times.value.at(-1) ?? 0)) return;
    times.value = shownTimes([...times.value, time]);
    const count = times.value.length;
    const put = (column: Signal<Column>, value: number | null) =>
      column.value = [...column.peek(), value].slice(-count);
    put(machineCpu, machine.cpu);
    put(machineMemory, machine.memory);
    for (const { id, cpu, memory } of processes.peek()) {
      const [usedCpu, usedMemory] = used[id] ?? [null, null];
      // What does not run, and did not, stays as it is.
      if (usedCpu === null && cpu.peek().every((each) => each === null)) continue;
      put(cpu, usedCpu);
      put(memory, usedMemory);
    }
  });
}

/** What was used before the page was opened. @param since What has come while it was asked for. */
export function putHistory(
  { times: known, machine, processes: used }: UsageColumns,
  since: readonly Usage[],
): void {
  batch(() => {
    times.value = shownTimes(known);
    const shown = (column: Column = []) => times.value.length === 0 ? [] : column.slice(-times.value.length);
    machineCpu.value = shown(machine.cpu);
    machineMemory.value = shown(machine.memory);
    for (const { id, cpu, memory } of processes.peek()) {
      cpu.value = shown(used[id]?.cpu);
      memory.value = shown(used[id]?.memory);
    }
    for (const usage of since) putUsage(usage);
  });
}

function newProcess(live: Live): Process {
  return { id: live.info.id, live: signal(live), cpu: signal([]), memory: signal([]) };
}
