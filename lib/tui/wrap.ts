/** Breaking text into rows. Pure. @module */
import type { Span } from "./ansi.ts";
import { clusters, textWidth } from "./width.ts";

/** Rows of at most `columns`, broken between words where that is possible. Newlines end a row. */
export function wrapText(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(1, columns)));
}

function wrapLine(line: string, columns: number): string[] {
  if (textWidth(line) <= columns) return [line];
  const rows: string[] = [];
  let row = "";
  let used = 0;
  for (const word of line.split(/(?<= )/)) {
    const width = textWidth(word.trimEnd());
    if (used > 0 && used + width > columns) {
      rows.push(row.trimEnd());
      [row, used] = ["", 0];
    }
    for (const { text, width } of clusters(word)) {
      if (used + width > columns && text !== " ") {
        rows.push(row.trimEnd());
        [row, used] = ["", 0];
      }
      row += text;
      used += width;
    }
  }
  return [...rows, row.trimEnd()];
}

/** Spans in rows of at most `columns`, broken anywhere, as terminals break output. At least one row. */
export function wrapSpans(spans: readonly Span[], columns: number): Span[][] {
  const limit = Math.max(2, columns);
  const rows: Span[][] = [[]];
  let used = 0;
  for (const { text, style } of spans) {
    let piece = "";
    for (const { text: char, width } of clusters(text)) {
      if (used + width > limit) {
        if (piece !== "") rows.at(-1)!.push({ text: piece, style });
        rows.push([]);
        [piece, used] = ["", 0];
      }
      piece += char;
      used += width;
    }
    if (piece !== "") rows.at(-1)!.push({ text: piece, style });
  }
  return rows;
}
