/** The stream of what happens, from the daemon. @module */
import { batch } from "@preact/signals";
import { ask } from "./api.ts";
import {
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
  type UsageColumns,
} from "./state.ts";

const AGAIN_MS = 1_000;

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
    const [history, past] = await Promise.all([
      ask<UsageColumns>("GET", "/usage"),
      ask<readonly Happening[]>("GET", "/timeline?limit=1000"),
    ]);
    if (history !== undefined) putHistory(history);
    if (past !== undefined) events.value = past;
    first();
  });
  source.addEventListener("change", ({ data }) => putChanges(JSON.parse(data)));
  source.addEventListener("usage", ({ data }) => putUsage(JSON.parse(data)));
  source.addEventListener("error", () => {
    connection.value = "lost";
    // It tries by itself, but not after an answer that was no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => open(first), AGAIN_MS);
  });
}
