/**
 * Programs in a terminal: two grids of cells of which only what differs is written, one synchronized write a picture,
 * and models that are changed and drawn by pure functions.
 *
 * Reading order: `width.ts` (columns of text), `style.ts` and `colour_depth.ts`, `frame.ts` (the grids and areas of
 * them), `render.ts` (from one frame to the next), `event.ts` and `input.ts` (bytes to events), `terminal.ts` (the
 * screen, borrowed and given back), `app.ts` (the loop). Then what is drawn and typed in: `theme.ts`, `layout.ts`,
 * `panel.ts`, `list.ts`, `table.ts`, `field.ts`, `keymap.ts`, `fuzzy.ts`, `palette.ts`, `page.ts`, `sparkline.ts`,
 * `format.ts`, `ansi.ts`, `plain_text.ts`, `wrap.ts`, `clipboard.ts`, `emulator.ts` (a terminal inside the terminal).
 * Everything but `terminal.ts` and `app.ts` is pure. What a program shows is left to it.
 * @module
 */
export { charWidth, type Cluster, clusters, fitText, isSimple, padText, textWidth } from "./width.ts";
export {
  BLACK,
  blend,
  BLUE,
  BRIGHT,
  type Colour,
  components,
  CYAN,
  GREEN,
  lookOf,
  MAGENTA,
  MAX_STYLES,
  PLAIN,
  RED,
  rgb,
  type Style,
  style,
  type StyleId,
  WHITE,
  YELLOW,
} from "./style.ts";
export { type ColourDepth, colourDepth, styleSequence } from "./colour_depth.ts";
export {
  Area,
  CLUSTER,
  Frame,
  glyphOf,
  glyphText,
  MAX_CLUSTERS,
  MAX_SIDE,
  type Rect,
  TAIL,
} from "./frame.ts";
export { Renderer } from "./render.ts";
export {
  type BackgroundEvent,
  type FocusEvent,
  type InputEvent,
  type KeyEvent,
  type MouseEvent,
  type PasteEvent,
  type ResizeEvent,
  type TerminalEvent,
} from "./event.ts";
export { ESCAPE_TIMEOUT_MS, InputParser, MAX_PASTE, MAX_SEQUENCE } from "./input.ts";
export { clipboardSequence } from "./clipboard.ts";
export { type Screen, Terminal } from "./terminal.ts";
export { type Program, runProgram } from "./app.ts";
export { makeTheme, type Theme } from "./theme.ts";
export { centre, contains, type Size, splitColumns, splitRows } from "./layout.ts";
export { drawPanel, type PanelOptions, putSpans, span, spansWidth } from "./panel.ts";
export { drawList, drawScrollBar, LIST_START, type ListState, select, thumb } from "./list.ts";
export { type Column, columnWidths, drawRow } from "./table.ts";
export { drawField, editField, type Field, field, fieldText, MAX_FIELD } from "./field.ts";
export { actionFor, type Binding, type HelpLine, helpLines, keyLabel, offered } from "./keymap.ts";
export { drawPage, helpPage, type Page, scrollPage, textPage } from "./page.ts";
export { fuzzyFilter, type FuzzyMatch, fuzzyMatch } from "./fuzzy.ts";
export {
  type Choice,
  drawPalette,
  openPalette,
  type Palette,
  PALETTE_ROWS,
  type PaletteStep,
  updatePalette,
} from "./palette.ts";
export { bytesText, cpuText, durationText, durationWord, partText, sizeText } from "./format.ts";
export { sparkline } from "./sparkline.ts";
export { Emulator } from "./emulator.ts";
export { ansiSpans, applySgr, colouredLine, markSpans, type Span, stripAnsi } from "./ansi.ts";
export { plainJson, plainLine, plainText } from "./plain_text.ts";
export { wrapSpans, wrapText } from "./wrap.ts";
