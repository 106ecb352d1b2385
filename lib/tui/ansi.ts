/**
 * Lines of programs that believe in a terminal: their colours become spans, everything else that would move or change a
 * terminal is taken out. Pure.
 * @module
 */
import { blend, PLAIN, rgb, type Style, style, type StyleId } from "./style.ts";
import { clusters } from "./width.ts";

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style: StyleId;
}

/** Columns between tab stops. */
const TAB_COLUMNS = 8;

/** CSI, OSC and other strings, two-character escapes; an end that is missing is the line's. */
const SEQUENCE =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([0-?]*)[ -/]*([@-~]?)|[\]PX^_](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\|$)|[ -/]*[0-~]?)/g;

/** What sets colours and looks; other sequences that end like it change the keyboard. */
// deno-lint-ignore no-control-regex
const SGR = /^\x1b\[[\d;:]*m$/;
/** Those that begin no sequence; tabs stay. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** The line's spans. Tabs become spaces; a carriage return begins the line anew, as progress bars do. */
export function ansiSpans(line: string, base: StyleId = PLAIN): Span[] {
  const visible = visibleOf(line);
  if (!visible.includes("\x1b") && !visible.includes("\t")) {
    const text = visible.replaceAll(CONTROLS, "");
    return text === "" ? [] : [{ text, style: base }];
  }
  const spans: Span[] = [];
  let look: Style = {};
  let at = 0;
  let column = 0;
  const take = (raw: string) => {
    const text = raw.replaceAll(CONTROLS, "");
    if (text === "") return;
    const expanded = text.includes("\t") ? expandTabs(text, column) : text;
    if (text.includes("\t") || visible.includes("\t")) {
      for (const { width } of clusters(expanded)) column += width;
    }
    spans.push({ text: expanded, style: Object.keys(look).length === 0 ? base : style(look) });
  };
  for (const match of visible.matchAll(SEQUENCE)) {
    take(visible.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") look = applySgr(look, match[1]!);
  }
  take(visible.slice(at));
  return spans;
}

/** The line with its colours, which end with it, and nothing else that a terminal obeys. */
export function colouredLine(line: string): string {
  const visible = visibleOf(line);
  const text = visible.replaceAll(SEQUENCE, (found) => SGR.test(found) ? found : "").replaceAll(CONTROLS, "");
  return text.includes("\x1b") ? `${text}\x1b[0m` : text;
}

/** The line without sequences, tabs as spaces: what is searched and copied. */
export function stripAnsi(line: string): string {
  return ansiSpans(line).map(({ text }) => text).join("");
}

/** The spans with parts of their text, by index from begin to end, in another look; `ranges` rise and do not overlap. */
export function markSpans(
  spans: readonly Span[],
  ranges: readonly (readonly [begin: number, end: number])[],
  look: Style,
): Span[] {
  const marked: Span[] = [];
  let from = 0;
  for (const { text, style: base } of spans) {
    let at = 0;
    for (const [begin, end] of ranges) {
      const [first, last] = [Math.max(at, begin - from), Math.min(text.length, end - from)];
      if (first >= last) continue;
      if (first > at) marked.push({ text: text.slice(at, first), style: base });
      marked.push({ text: text.slice(first, last), style: blend(base, look) });
      at = last;
    }
    if (at < text.length) marked.push({ text: text.slice(at), style: base });
    from += text.length;
  }
  return marked;
}

/** What is left of a line that begins anew. */
function visibleOf(line: string): string {
  const last = line.lastIndexOf("\r", line.length - 2);
  const visible = last >= 0 ? keptStyle(line.slice(0, last)) + line.slice(last + 1) : line;
  return visible.replace(/\r$/, "");
}

function expandTabs(text: string, column: number): string {
  let result = "";
  let at = column;
  for (const part of text.split(/(\t)/)) {
    if (part === "\t") {
      const spaces = TAB_COLUMNS - at % TAB_COLUMNS;
      result += " ".repeat(spaces);
      at += spaces;
    } else {
      result += part;
      for (const { width } of clusters(part)) at += width;
    }
  }
  return result;
}

/** The SGR sequences of text that is not shown still count for what follows. */
function keptStyle(text: string): string {
  return [...text.matchAll(SEQUENCE)].filter((match) => match[2] === "m").map(([sequence]) => sequence).join(
    "",
  );
}

/** A style after one SGR sequence (ECMA-48 8.3.117, with xterm's colours). */
export function applySgr(look: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  let { fg, bg, bold, dim, italic, underline, inverse, strike } = look;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === 0) {
      fg =
        bg =
        bold =
        dim =
        italic =
        underline =
        inverse =
        strike =
          undefined;
    } else if (code === 1) bold = true;
    else if (code === 2) dim = true;
    else if (code === 3) italic = true;
    else if (code === 4) underline = true;
    else if (code === 7) inverse = true;
    else if (code === 9) strike = true;
    else if (code === 22) bold = dim = undefined;
    else if (code === 23) italic = undefined;
    else if (code === 24) underline = undefined;
    else if (code === 27) inverse = undefined;
    else if (code === 29) strike = undefined;
    else if (code >= 30 && code <= 37) fg = code - 30;
    else if (code === 39) fg = undefined;
    else if (code >= 40 && code <= 47) bg = code - 40;
    else if (code === 49) bg = undefined;
    else if (code >= 90 && code <= 97) fg = code - 90 + 8;
    else if (code >= 100 && code <= 107) bg = code - 100 + 8;
    else if (code === 38 || code === 48) {
      const colour = longColour(codes, at + 1);
      if (code === 38) fg = colour ?? fg;
      else bg = colour ?? bg;
      at += codes[at + 1] === 5 ? 2 : codes[at + 1] === 2 ? 4 : 0;
    }
  }
  return {
    ...fg === undefined ? {} : { fg },
    ...bg === undefined ? {} : { bg },
    ...bold === true ? { bold } : {},
    ...dim === true ? { dim } : {},
    ...italic === true ? { italic } : {},
    ...underline === true ? { underline } : {},
    ...inverse === true ? { inverse } : {},
    ...strike === true ? { strike } : {},
  };
}

/** `5;INDEX` or `2;RED;GREEN;BLUE`. */
function longColour(codes: readonly number[], at: number): number | undefined {
  const parts = codes.slice(at, at + 4).map((part) => Math.min(255, part || 0));
  if (parts[0] === 5 && parts.length > 1) return parts[1];
  return parts[0] === 2 && parts.length === 4 ? rgb(parts[1]!, parts[2]!, parts[3]!) : undefined;
}
