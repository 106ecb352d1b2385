/** What a session needs of those who show it: they are told what happens, and say what is to be written. @module */
import { BOUNDS, cutMiddle, cutText, isOver, type Job, meaningOf } from "../../nix/mod.ts";
import type { Update, World } from "../world.ts";
import type { End } from "./ending.ts";
import { directionOf } from "./figures.ts";

/** Where and when something is shown. */
export interface Moment {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Of the terminal. */
  readonly width: number;
  readonly height: number;
}

/** A way of showing; pure, what it returns is written by others. */
export interface View {
  /** Text that waits to be written, about. */
  readonly pendingLength: number;
  /** A line of a build's log. */
  line(job: Job, text: string): void;
  /** What Nix has to say. */
  message(text: string, level: number): void;
  /** What the command itself wrote on its standard error. */
  text(bytes: Uint8Array): void;
  /** What it wrote on its standard output, where that comes through here. */
  output(bytes: Uint8Array): void;
  /** Something changed, or time has passed. */
  show(update: Update | undefined, moment: Moment): string;
  /** Everything is over; the last thing that is asked. */
  end(end: End, moment: Moment): string;
  /** Others have written on the same terminal. */
  forget?(): void;
  /** Something is shown that has to go soon. */
  readonly isLingering?: boolean;
}

/** Whether something goes on that a person may wait for. */
export function isBusy({ jobs, commands }: World): boolean {
  for (const job of jobs.values()) {
    if (isOver(job)) continue;
    if (job.kind === "build" || directionOf(job) !== undefined || SEEN.has(job.kind)) return true;
  }
  // Old commands tell of evaluation only which files they read.
  return [...commands.values()].some(({ state, evaluatedFiles, builds }) =>
    state === "running" && evaluatedFiles > 0 && jobs.size === 0 && builds.expected === 0
  );
}

const SEEN: ReadonlySet<string> = new Set(["evaluation", "fetch", "hook", "maintenance", "query"]);

/** Characters of a line, about; what is longer comes in several. */
export const LINE_MAX = 2 ** 20;

/** Bytes to lines; what has no end yet is kept. */
export class LineJoiner {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** What stands without a newline. */
  get rest(): string {
    return this.#rest;
  }

  /** The lines that are whole now, without their newlines. */
  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    if (this.#rest.length > LINE_MAX) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    return lines;
  }

  /** What is left, which is nobody's any more. */
  drain(): string {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return rest;
  }
}

/** Texts that are remembered; of more the oldest are forgotten. */
export const TEXTS_MAX = 1_000;

/** Texts that were seen before, as far as their begins tell them apart. */
export class Seen {
  readonly #texts = new Set<string>();

  has(text: string): boolean {
    return this.#texts.has(cutText(text, BOUNDS.reason));
  }

  add(text: string): void {
    this.#texts.add(cutText(text, BOUNDS.reason));
    if (this.#texts.size > TEXTS_MAX) this.#texts.delete(this.#texts.values().next().value!);
  }
}

/** Characters of all long errors together; of those that come after only begin and end are told. */
const LONG_ERRORS_MAX = 16 * 2 ** 20;

/** Errors that are longer than what a world keeps of them: whoever waits for the command sees them whole. */
export class LongErrors {
  readonly #whole = new Map<string, string>();
  #length = 0;

  add(message: string): void {
    if (message.length <= BOUNDS.problem) return;
    const meaning = meaningOf(message);
    if (meaning.kind !== "error" || this.#length + meaning.text.length > LONG_ERRORS_MAX) return;
    this.#length += meaning.text.length;
    this.#whole.set(cutMiddle(meaning.text, BOUNDS.problem), meaning.text);
  }

  /** The whole text of a problem. */
  whole(text: string): string {
    return this.#whole.get(text) ?? text;
  }
}
