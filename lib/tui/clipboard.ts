/** The terminal's clipboard (OSC 52 of xterm's control sequences). Pure. @module */

/** Text that it is given at most; terminals take no more. */
const MAX_COPY_CHARS = 100_000;

/**
 * The sequence that puts a text there. tmux takes it for itself and the terminal outside where its `set-clipboard` is on,
 * and hands it through where its `allow-passthrough` is: it is told both ways, of which it leaves out what it may not.
 */
export function clipboardSequence(text: string, { inTmux }: { readonly inTmux: boolean }): string {
  const bytes = new TextEncoder().encode(text.slice(0, MAX_COPY_CHARS));
  const sequence = `\x1b]52;c;${bytes.toBase64()}\x07`;
  return inTmux ? `${sequence}\x1bPtmux;${sequence.replaceAll("\x1b", "\x1b\x1b")}\x1b\\` : sequence;
}
