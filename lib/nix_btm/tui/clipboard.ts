/** The terminal's clipboard (OSC 52 of xterm's control sequences). Pure. @module */

/** Text that it is given at most; terminals take no more. */
const MAX_COPY_CHARS = 100_000;

/** The sequence that puts a text there; within tmux it is handed through to the terminal outside. */
export function clipboardSequence(text: string, inTmux: boolean): string {
  const bytes = new TextEncoder().encode(text.slice(0, MAX_COPY_CHARS));
  const sequence = `\x1b]52;c;${bytes.toBase64()}\x07`;
  return inTmux ? `\x1bPtmux;${sequence.replaceAll("\x1b", "\x1b\x1b")}\x1b\\` : sequence;
}
