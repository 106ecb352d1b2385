/** The stream of what happens, from the daemon. @module */
import { batch } from "@preact/signals";
import { ask } from "./api.ts";
import { mergedEvents } from "./history.ts";
import {
  type Change,
  connection,
  daemonStartMs,
  events,
  type Happening,
  type Live,
  now,
  putAll,
  putChanges,
  putHistory,
  putUsage,
  type Usage,
  type UsageColumns,
} from "./state.ts";

const AGAIN_MS = 1_000;

/** What a connection has told. */
interface Since {
  readonly events: Happening[];
  readonly usage: Usage[];
}

/** While it is asked for what was before. */
let since: Since | undefined;

/** Resolves when everything is there for the first time. */
export function connect(): Promise<void> {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1_000);
  return new Promise((resolve) => open(resolve));
}

function open(first: () => void): void {
  const source = new EventSource("/api/events");
  source.addEventListener("processes", async ({ data }) => {
    const { processes, uptime_seconds: uptime }: {
      readonly processes: readonly Live[];
      readonly uptime_seconds: number;
    } = JSON.parse(data);
    batch(() => {
      connection.value = "live";
      daemonStartMs.value = Date.now() - 1_000 * uptime;
      putAll(processes);
    });
    const told = since = { events: [], usage: [] } as Since;
    const [history, past] = await Promise.all([
      ask<UsageColumns>("GET", "/usage"),
      ask<readonly Happening[]>("GET", "/timeline?limit=1000"),
    ]);
    // Otherwise another connection has come, which asks itself.
    if (since === told) {
      since = undefined;
      batch(() => {
        if (history !== undefined) putHistory(history, told.usage);
        if (past !== undefined) events.value = mergedEvents(past, told.events);
      });
    }
    first();
  });
  source.addEventListener("change", ({ data }) => {
    const change: Change = JSON.parse(data);
    since?.events.push(...change.events);
    putChanges(change);
  });
  source.addEventListener("usage", ({ data }) => {
    const usage: Usage = JSON.parse(data);
    since?.usage.push(usage);
    putUsage(usage);
  });
  source.addEventListener("error", () => {
    connection.value = "lost";
    // It tries by itself, but not after an answer that was no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => open(first), AGAIN_MS);
  });
}
