/** A service's terminal while somebody is attached to it: its output drawn as a terminal would. Pure. @module */
import { type Area, Emulator, glyphText, TAIL } from "../../tui/mod.ts";
import type { LogLines } from "../log_lines.ts";

/** Size of a terminal in cells. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Size of the terminals that our manager gives, until somebody tells another. */
export const PTY_SIZE: TerminalSize = { columns: 80, rows: 24 };
/** So many lines are drawn: a program that draws begins anew much sooner. */
const LINES = 500;

/** Sequences of programs that draw, and do more than colour their lines. */
// deno-lint-ignore no-control-regex
const DRAWS = /\x1b\[[\d;?]*[A-HJKLMPSTXfhlr@]/;

/** Whether a log is that of a program that draws on its terminal. */
export function isDrawn({ lines }: LogLines): boolean {
  return lines.slice(-LINES).some(({ raw }) => DRAWS.test(raw));
}

const screens = new WeakMap<LogLines, Emulator>();

/** The terminal as its program has drawn it; made once for each state of a log and size. */
export function terminalOf(log: LogLines, { columns, rows }: TerminalSize = PTY_SIZE): Emulator {
  const known = screens.get(log);
  if (known?.frame.width === columns && known.frame.height === rows) return known;
  const screen = new Emulator(columns, rows);
  // Logs are cut at newlines, which terminals turn into two characters.
  screen.write(
    log.lines.slice(-LINES).filter(({ stream }) => stream !== "note").map(({ raw }) => raw).join("\r\n"),
  );
  screens.set(log, screen);
  return screen;
}

/** Draws the part of the terminal that has the cursor. */
export function drawTerminal(area: Area, log: LogLines, size: TerminalSize): void {
  const { frame } = terminalOf(log, size);
  const cursor = frame.cursor ?? { x: 0, y: 0 };
  const top = Math.max(0, Math.min(cursor.y - area.height + 1, frame.height - area.height));
  const left = Math.max(0, Math.min(cursor.x - area.width + 1, frame.width - area.width));
  for (let y = 0; y < Math.min(area.height, frame.height); y++) {
    for (let x = 0; x < Math.min(area.width, frame.width); x++) {
      const at = (top + y) * frame.width + left + x;
      const glyph = frame.glyphs[at]!;
      if (glyph !== TAIL) area.put(x, y, glyphText(glyph), frame.styles[at]!);
    }
  }
  if (frame.cursor !== undefined) area.showCursor(cursor.x - left, cursor.y - top);
}
