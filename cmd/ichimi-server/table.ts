/** Tables on a terminal, of texts that others have chosen. @module */

/** Control characters, and those that turn the order of letters around. */
const STEERING = /[\p{Cc}\p{Bidi_Control}]/gu;

/** What others have chosen must not steer a terminal. */
export function safeText(text: string): string {
  return text.replaceAll(STEERING, "\ufffd");
}

/** Columns as wide as they need to be, the head first. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]!.length)));
  return all.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd()}\n`).join(
    "",
  );
}
