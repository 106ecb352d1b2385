/** The lines of a log in the document: added as they come, searched, and let go of. @module */
import { piecesOf, plainText } from "./ansi.ts";

/** A line as the daemon tells it. */
export interface LogLine {
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** Where it stands in all that the process has said. */
  readonly place: string;
}

/** One that the daemon has found. */
export interface FoundLine extends LogLine {
  /** Which of the lines that were searched, from 1. */
  readonly number: number;
}

/** What the daemon has found before the lines that are here. */
export interface Found {
  readonly matches: number;
  readonly searched: number;
  /** The last of them. */
  readonly lines: readonly FoundLine[];
}

/** What stands between lines. */
export interface LogMark {
  readonly mark: string;
}

/** Lines in the document; the oldest are let go of, in batches. */
const LINES_KEPT = 5_000;
const SPARE = 500;

/** Place before all lines, where there are none. */
const BEGINNING = "0.0.0";

interface Entry {
  readonly entry: LogLine | LogMark;
  readonly element: HTMLElement;
  isMatch: boolean;
}

/**
 * An element with lines that knows which of them match. Lines that the daemon has found stand before those that
 * are here anyway.
 */
export class LogLines {
  /** Lines are not let go of while this is set: the daemon searches what comes before them. */
  isHeld = false;
  readonly root: HTMLElement = document.createElement("div");
  /** Says how many lines stand between two that were found. */
  readonly #gapText: (lines: number) => string;
  #pattern: RegExp | undefined;
  #entries: Entry[] = [];
  #found: HTMLElement[] = [];
  /** Where older ones can be searched for: before the oldest that is shown. */
  #oldest: string | undefined;
  /** What is known of the lines before those that are here. */
  #before = { matches: 0, searched: 0 };
  #current: HTMLElement | undefined;

  constructor(gapText: (lines: number) => string) {
    this.#gapText = gapText;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Elements of lines that match, in their order. */
  get matches(): readonly HTMLElement[] {
    return [...this.#found, ...this.#entries.filter(({ isMatch }) => isMatch).map(({ element }) => element)];
  }

  /** How many older lines match that are not shown. */
  get olderMatches(): number {
    return this.#before.matches - this.#found.length;
  }

  /** How many lines were searched. */
  get searched(): number {
    return this.#before.searched + this.#entries.filter(({ entry }) => !("mark" in entry)).length;
  }

  /** Place of the oldest line that is here. */
  get first(): string {
    for (const { entry } of this.#entries) if ("place" in entry) return entry.place;
    return BEGINNING;
  }

  /** Place of the oldest line that was found. */
  get oldest(): string {
    return this.#oldest ?? this.first;
  }

  clear(): void {
    this.#entries = [];
    this.#forget();
    this.root.replaceChildren();
    this.#current = undefined;
  }

  add(entries: readonly (LogLine | LogMark)[]): void {
    const fragment = document.createDocumentFragment();
    for (const entry of entries.slice(-LINES_KEPT)) {
      const element = document.createElement("div");
      const made = { entry, element, isMatch: false };
      this.#fill(made);
      fragment.append(element);
      this.#entries.push(made);
    }
    this.root.append(fragment);
    if (this.#entries.length <= LINES_KEPT + SPARE || this.isHeld) return;
    for (const each of this.#entries.splice(0, this.#entries.length - LINES_KEPT)) this.#letGo(each);
  }

  /** Marks what matches, and shows what was found before the lines that are here. */
  search(pattern: RegExp, found: Found): void {
    this.#forget();
    this.#pattern = pattern;
    this.#before = { matches: found.matches, searched: found.searched };
    for (const each of this.#entries) this.#fill(each);
    this.#show(found);
  }

  /** Shows what was found before all that is shown. */
  searchOlder(found: Found): void {
    this.#show(found);
  }

  unsearch(): void {
    this.#forget();
    this.#pattern = undefined;
    for (const each of this.#entries) this.#fill(each);
  }

  /** Goes to a match. @param at Its number, from 0. */
  show(at: number): void {
    this.#current?.classList.remove("current");
    this.#current = this.matches[at];
    this.#current?.classList.add("current");
    this.#current?.scrollIntoView({ block: "center" });
  }

  #show({ lines, searched }: Found): void {
    const fragment = document.createDocumentFragment();
    const shown = lines.map((entry): Entry => ({
      entry,
      element: document.createElement("div"),
      isMatch: true,
    }));
    for (const [at, each] of shown.entries()) {
      this.#fill(each);
      each.element.classList.add("match");
      fragment.append(each.element);
      const gap = (lines[at + 1]?.number ?? searched + 1) - lines[at]!.number - 1;
      if (gap === 0) continue;
      const mark = document.createElement("div");
      mark.className = "mark gap";
      mark.textContent = this.#gapText(gap);
      fragment.append(mark);
    }
    this.root.prepend(fragment);
    this.#found.unshift(...shown.map(({ element }) => element));
    this.#oldest = lines[0]?.place ?? this.#oldest;
  }

  /** What was found goes from the document. */
  #forget(): void {
    for (const element of this.#found) element.remove();
    for (const gap of this.root.querySelectorAll(".gap")) gap.remove();
    this.#found = [];
    this.#oldest = undefined;
    this.#before = { matches: 0, searched: 0 };
  }

  /** A line goes from the document, unless it was found. */
  #letGo({ entry, element, isMatch }: Entry): void {
    if (isMatch) this.#found.push(element);
    else element.remove();
    if ("mark" in entry || this.#pattern === undefined) return;
    this.#before.searched++;
    if (isMatch) this.#before.matches++;
  }

  #fill(each: Entry): void {
    const { entry, element } = each;
    element.replaceChildren();
    if ("mark" in entry) {
      element.className = "mark";
      element.textContent = entry.mark;
      return;
    }
    const pattern = this.#pattern;
    each.isMatch = pattern !== undefined && pattern.test(plainText(entry.text));
    element.className = `line ${entry.stream}${each.isMatch ? " match" : ""}`;
    const time = document.createElement("time");
    time.textContent = new Date(entry.time).toLocaleTimeString("sv");
    const text = document.createElement("span");
    if (each.isMatch) marked(text, plainText(entry.text), pattern!);
    else {
      for (const { text: piece, look } of piecesOf(entry.text)) {
        if (look === "") text.append(piece);
        else {
          const span = document.createElement("span");
          span.className = look;
          span.textContent = piece;
          text.append(span);
        }
      }
    }
    element.append(time, text);
  }
}

/** A text in which what matches stands out. */
function marked(into: HTMLElement, text: string, pattern: RegExp): void {
  let from = 0;
  for (const { 0: found, index } of text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))) {
    if (found === "") continue;
    into.append(text.slice(from, index));
    const mark = document.createElement("mark");
    mark.textContent = found;
    into.append(mark);
    from = index + found.length;
  }
  into.append(text.slice(from));
}
