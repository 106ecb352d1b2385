/**
 * Text of others on a terminal: without what a terminal would obey, be it a cursor that moves, a title, or what is put
 * into the clipboard. Pure.
 * @module
 */

// deno-lint-ignore no-control-regex
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Without colours, and without all else that a terminal would obey; ends of lines and tabs stay. */
export function plainText(text: string): string {
  if (text.search(CONTROLS) < 0) return text;
  return text.replaceAll(SEQUENCES, "").replaceAll(CONTROLS, "");
}

/** In one line. */
export function plainLine(text: string): string {
  return plainText(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** JSON in which those controls are escaped too that JSON leaves as they are. */
export function plainJson(json: string): string {
  return json.replaceAll(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
