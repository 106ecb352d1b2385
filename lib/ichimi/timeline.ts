/** What has happened to processes lately, for people who look back. @module */
import type { Notice, ServiceState } from "../supervisor/mod.ts";
import type { IchimiHost } from "./host.ts";
import { timeText } from "./state.ts";

/** Kinds of happenings; how a process ended is told by the outcome of its standing. */
export const EVENT_TYPES = [
  "created",
  "removed",
  "started",
  "ended",
  "failed",
  "killed",
  "not_started",
  "restarting",
  "note",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One happening, under upstream's names. */
export interface TimelineEvent {
  /** Counts from 1; the order in which they happened. */
  readonly number: number;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly process_id: string;
  readonly event_type: EventType;
  /** In English words. */
  readonly message: string;
}

/** The oldest are let go of. */
export const EVENTS_KEPT = 1_000;
/** So many events later the oldest are let go of on disk. */
const TRIM_EVERY = 100;
/** The last words of a supervisor about a process may be as long as a line of its log. */
const MESSAGE_CHARS = 500;

/** Takes note of all that happens until disposed; the next daemon knows it, too. */
export class Timeline implements Disposable {
  readonly #host: IchimiHost;
  readonly #states = new Map<string, ServiceState["kind"]>();
  readonly #events: TimelineEvent[];
  readonly #listeners = new Set<(event: TimelineEvent) => void>();
  readonly #stop: () => void;
  #count: number;

  constructor(host: IchimiHost) {
    this.#host = host;
    this.#events = (host.shelf.events as TimelineEvent[]).slice(-EVENTS_KEPT);
    this.#count = this.#events.at(-1)?.number ?? 0;
    for (const [id, { state }] of host.supervisor.services) this.#states.set(id, state.kind);
    this.#stop = host.supervisor.listen((notice) => this.#take(notice));
  }

  /** Newest first. @param process Only those of one. */
  events({ limit = EVENTS_KEPT, process }: { readonly limit?: number; readonly process?: string } = {}) {
    const meant = process === undefined
      ? this.#events
      : this.#events.filter(({ process_id }) => process_id === process);
    return meant.slice(-limit).reverse();
  }

  /** Hears of each; returns how to stop listening. */
  listen(listener: (event: TimelineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#listeners.clear();
  }

  #take(notice: Notice): void {
    const { kind, service } = notice;
    if (kind === "line" || kind === "part") return;
    if (kind === "came") return this.#add(service, "created", "was created");
    if (kind === "went") {
      this.#states.delete(service);
      return this.#add(service, "removed", "was removed");
    }
    // Why something was not started is told with its end.
    if (kind === "event") return this.#add(service, "note", notice.text);
    const before = this.#states.get(service) ?? "idle";
    const { state } = notice;
    this.#states.set(service, state.kind);
    if (before === state.kind) return;
    if (state.kind === "running") return this.#add(service, "started", this.#startedText(service));
    if (state.kind === "backoff") return this.#add(service, "restarting", "ended and is started again");
    const hasEnded = state.kind === "finished" || (state.kind === "idle" && before === "stopping");
    if (hasEnded && before !== "idle") this.#ended(service);
  }

  #startedText(id: string): string {
    const { state } = this.#host.standing(id);
    return state.kind === "running" ? `runs with PID ${state.pid}` : "was started";
  }

  #ended(id: string): void {
    if (!this.#host.supervisor.services.has(id)) return;
    const { outcome, detail, state } = this.#host.standing(id);
    const code = state.kind === "stopped" && state.exitCode !== null
      ? ` with exit code ${state.exitCode}`
      : "";
    switch (outcome) {
      case "failed":
        return this.#add(id, "failed", `ended${code}`);
      case "killed":
        return this.#add(id, "killed", `was ended by ${detail ?? "a signal"}`);
      case "spawn_error":
        return this.#add(id, "not_started", detail ?? "could not be started");
      case "unknown":
        return this.#add(id, "failed", detail ?? "ended, and nobody knows how");
      case "clean":
      case null:
        return this.#add(id, "ended", detail === null ? `ended${code}` : `was stopped by ${detail}`);
      default:
        return outcome satisfies never;
    }
  }

  #add(process: string, type: EventType, text: string): void {
    const event: TimelineEvent = {
      number: ++this.#count,
      timestamp: timeText(Date.now()),
      process_id: process,
      event_type: type,
      message: this.#host.mask(text).slice(0, MESSAGE_CHARS),
    };
    this.#host.shelf.keepEvent(event);
    if (event.number % TRIM_EVERY === 0) this.#host.shelf.trimEvents(EVENTS_KEPT);
    this.#events.push(event);
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }
}
