/** Searching a log: the daemon looks through all of it, the page marks what it finds in the lines that are here. @module */
import { signal } from "@preact/signals";
import { pathOf, request } from "./api.ts";
import type { Found, LogLines } from "./log_lines.ts";

/** Further letters may follow one. */
const TYPING_MS = 150;
/** Lines found that are shown at once. */
const AT_ONCE = 1_000;
/** What the daemon says first of every pattern that it cannot read. */
const BAD_PATTERN = /^Invalid regex pattern: /;

export type SearchState =
  | { readonly kind: "none" }
  | { readonly kind: "searching" }
  /** Numbers grow with the log. `at` is the match that was gone to, from 1. */
  | { readonly kind: "found"; readonly at: number; readonly matches: number; readonly searched: number }
  | { readonly kind: "failed"; readonly reason: string };

/** The process whose log is searched, and which of its lines. */
export interface Searched {
  readonly id: string;
  readonly stream: "both" | "stdout" | "stderr";
}

type Answer = Found & { readonly pattern: { readonly source: string; readonly flags: string } };

/** One search at a time; the next one ends it. */
export class LogSearch {
  readonly state = signal<SearchState>({ kind: "none" });
  readonly #lines: LogLines;
  readonly #searched: () => Searched;
  #text = "";
  #abort = new AbortController();
  /** Until it has an answer. */
  #answered: Promise<void> = Promise.resolve();
  #hurry = () => {};
  /** Of the elements that match. */
  #at = -1;

  constructor(lines: LogLines, searched: () => Searched) {
    this.#lines = lines;
    this.#searched = searched;
  }

  /** How many older matches there are than those that can be gone to. */
  get older(): number {
    return this.#lines.olderMatches;
  }

  /** Searches for a text, or between slashes for a regular expression. */
  search(text: string): void {
    this.#text = text;
    this.#begin(TYPING_MS);
  }

  /** There are other lines now. */
  again(): void {
    if (this.#text !== "") this.#begin(0);
  }

  /** Lines have come. */
  grown(): void {
    if (this.state.peek().kind === "found") this.#tell();
  }

  end(): void {
    this.#abort.abort();
    this.#hurry();
  }

  /** Goes to the next match or the one before, around the ends; false when there is none. */
  async goTo(by: 1 | -1): Promise<boolean> {
    this.#hurry();
    await this.#answered;
    if (this.state.peek().kind !== "found") return false;
    if (by < 0 && this.#at === 0 && this.older > 0) await this.showOlder();
    const { length } = this.#lines.matches;
    if (length === 0) return false;
    this.#at = this.#at < 0 ? (by > 0 ? 0 : length - 1) : (this.#at + by + length) % length;
    this.#lines.show(this.#at);
    this.#tell();
    return true;
  }

  /** Shows older matches. */
  async showOlder(): Promise<void> {
    const { signal } = this.#abort;
    const found = await this.#ask(this.#lines.oldest, signal);
    if (found === undefined || signal.aborted) return;
    this.#lines.searchOlder(found);
    if (this.#at >= 0) this.#at += found.lines.length;
    this.#tell();
  }

  #begin(waitMs: number): void {
    this.end();
    this.#abort = new AbortController();
    this.#at = -1;
    this.#lines.isHeld = this.#text !== "";
    if (this.#text === "") {
      this.#lines.unsearch();
      this.state.value = { kind: "none" };
      return;
    }
    this.state.value = { kind: "searching" };
    this.#answered = this.#search(waitMs, this.#abort.signal);
  }

  async #search(waitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (signal.aborted) return;
    const found = await this.#ask(this.#lines.first, signal);
    if (signal.aborted) return;
    this.#lines.isHeld = false;
    if (found === undefined) return this.#lines.unsearch();
    this.#lines.search(new RegExp(found.pattern.source, found.pattern.flags), found);
    this.#tell();
  }

  /** Undefined when it has failed, or is wanted no more. */
  async #ask(before: string, signal: AbortSignal): Promise<Answer | undefined> {
    const { id, stream } = this.#searched();
    const query = new URLSearchParams({ pattern: patternOf(this.#text), before, stream, last: `${AT_ONCE}` });
    try {
      return await request<Answer>(
        "GET",
        `/processes${pathOf(id)}/logs/matches?${query}`,
        undefined,
        signal,
      );
    } catch (error) {
      if (signal.aborted) return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      this.state.value = { kind: "failed", reason: reason.replace(BAD_PATTERN, "") };
      return undefined;
    }
  }

  #tell(): void {
    const { matches, olderMatches, searched } = this.#lines;
    this.state.value = {
      kind: "found",
      at: this.#at < 0 ? 0 : olderMatches + this.#at + 1,
      matches: olderMatches + matches.length,
      searched,
    };
  }
}

/** In the daemon's syntax; case makes no difference. */
function patternOf(text: string): string {
  const source = /^\/(.+)\/$/.exec(text)?.[1] ?? text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return `(?i)${source}`;
}
