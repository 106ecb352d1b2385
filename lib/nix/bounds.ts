/**
 * How much is kept of what a log says. Whoever may write to the socket may say anything, and what he says is held for
 * thousands of jobs and sent to every client; whole lines go to the files of logs alone. Pure.
 * @module
 */

/** Characters, unless it says otherwise. */
export const BOUNDS = {
  /** Store paths, URLs and names; Linux' own paths are no longer. */
  subject: 4_096,
  /** A line of a build's log, in its tail. */
  line: 2_000,
  phase: 100,
  /** Phases of one build; more take the place of the last one. */
  phases: 100,
  /** One error or warning, its begin and its end: most traces of evaluations are read whole. */
  problem: 64 * 2 ** 10,
  /** All those of one command. */
  problems: 256 * 2 ** 10,
  /** What is looked through for the reason of an error, at its begin and at its end. */
  reason: 8 * 2 ** 10,
  /** Targets of one command. */
  targets: 200,
  /** Builds of one command that are followed to their ends; a large system has some 20,000. */
  builds: 100_000,
  /** Activities of one log that are under way; of more nothing is known. */
  activities: 100_000,
} as const;

/** The text, cut where it is too long; then it is a copy, for a part would hold the whole. */
export function cutText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return new TextDecoder().decode(new TextEncoder().encode(`${text.slice(0, characters - 1)}…`));
}

/** The text, its middle left out where it is too long: what an error is about stands at its begin, and its cause at its end. */
export function cutMiddle(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const note = `\n[… of ${text.length} characters …]\n`;
  const half = Math.floor((characters - note.length) / 2);
  const cut = text.slice(0, characters - note.length - half) + note + text.slice(-half);
  return new TextDecoder().decode(new TextEncoder().encode(cut));
}

/** A name, path or host: one line without what moves a cursor, for no real one has such characters. Cut like a text. */
export function labelText(text: string, characters: number): string {
  const cut = cutText(text, characters);
  return /\p{Cc}/u.test(cut) ? cut.replaceAll(/\p{Cc}/gu, "�") : cut;
}
