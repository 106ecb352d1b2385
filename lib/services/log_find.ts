/** What a pattern finds in the logs of a service, each line with its place: for who shows it among lines that are shown anyway. Pure. @module */
import type { Line, Stream } from "../keeper/mod.ts";
import { plainText } from "../tui/plain_text.ts";
import type { PlacedLine, RunPlace } from "./log_follower.ts";
import type { LinePattern } from "../regex/mod.ts";
import { compileLinePattern } from "./log_search.ts";

/** What is asked for. */
export interface FindQuery {
  /** As `compilePattern` takes it; colours are no part of a line. */
  readonly pattern: string;
  /** Of this one alone; left out: of both. */
  readonly stream?: Stream;
  /** Lines from here on are known to who asks. */
  readonly before: RunPlace;
  /** The last so many that match are told; one at least. */
  readonly most: number;
}

/** A line that matches. */
export interface FoundLine extends PlacedLine {
  /** Which of the lines that were searched, from 1. */
  readonly number: number;
}

/** What there was. */
export interface Found {
  readonly matches: number;
  readonly searched: number;
  readonly lines: readonly FoundLine[];
}

/** Lines are let go of in batches. */
const SPARE = 1_000;

/** Is told line after line, and keeps the last that match. */
export class LineFind {
  readonly #query: FindQuery;
  readonly #pattern: LinePattern;
  #lines: FoundLine[] = [];
  #matches = 0;
  #searched = 0;

  /** @throws {PatternError} On a pattern that cannot be read. */
  constructor(query: FindQuery) {
    this.#query = query;
    this.#pattern = compileLinePattern(query.pattern);
  }

  take(line: Line, place: RunPlace): void {
    const { stream, before, most } = this.#query;
    if (stream !== undefined && line.stream !== stream || !isBefore(place, before)) return;
    this.#searched++;
    if (!this.#pattern.test(plainText(line.text))) return;
    this.#matches++;
    this.#lines.push({ line, place, number: this.#searched });
    if (this.#lines.length >= 2 * most + SPARE) this.#lines = this.#lines.slice(-most);
  }

  get found(): Found {
    return { matches: this.#matches, searched: this.#searched, lines: this.#lines.slice(-this.#query.most) };
  }
}

function isBefore(a: RunPlace, b: RunPlace): boolean {
  return (a.run - b.run || a.end - b.end || a.nth - b.nth) < 0;
}
