/** The lines of a log in the document: added as they come, searched, and let go of. @module */
import { piecesOf, plainText } from "./ansi.ts";

/** A line as the daemon tells it. */
export interface LogLine {
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** What stands between lines. */
export interface LogMark {
  readonly mark: string;
}

/** Lines in the document; the oldest are let go of, in batches. */
const LINES_KEPT = 5_000;
const SPARE = 500;

/** How lines are searched. */
export interface Search {
  readonly pattern: RegExp | undefined;
  readonly onlyMatches: boolean;
}

/** Fills an element with lines, and knows which of them match. */
export class LogLines {
  readonly #root: HTMLElement;
  #search: Search = { pattern: undefined, onlyMatches: false };
  #entries: { readonly entry: LogLine | LogMark; readonly element: HTMLElement; isMatch: boolean }[] = [];
  #current: HTMLElement | undefined;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Elements of lines that match, in their order. */
  get matches(): readonly HTMLElement[] {
    return this.#entries.filter(({ isMatch }) => isMatch).map(({ element }) => element);
  }

  clear(): void {
    this.#entries = [];
    this.#root.replaceChildren();
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
    this.#root.append(fragment);
    if (this.#entries.length <= LINES_KEPT + SPARE) return;
    for (const { element } of this.#entries.splice(0, this.#entries.length - LINES_KEPT)) element.remove();
  }

  search(search: Search): void {
    this.#search = search;
    this.#root.classList.toggle("only-matches", search.onlyMatches && search.pattern !== undefined);
    for (const each of this.#entries) this.#fill(each);
  }

  /** Goes to a match. @param at Its number, from 0. */
  show(at: number): void {
    this.#current?.classList.remove("current");
    this.#current = this.matches[at];
    this.#current?.classList.add("current");
    this.#current?.scrollIntoView({ block: "center" });
  }

  #fill(each: { readonly entry: LogLine | LogMark; readonly element: HTMLElement; isMatch: boolean }): void {
    const { entry, element } = each;
    element.replaceChildren();
    if ("mark" in entry) {
      element.className = "mark";
      element.textContent = entry.mark;
      return;
    }
    const { pattern } = this.#search;
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

/** What is searched for: text as it stands, or between slashes a regular expression; undefined when it is none. */
export function patternOf(text: string): RegExp | undefined {
  if (text === "") return undefined;
  const source = /^\/(.+)\/$/.exec(text)?.[1] ?? RegExp.escape(text);
  try {
    return new RegExp(source, "i");
  } catch {
    return undefined; // It is being typed.
  }
}
