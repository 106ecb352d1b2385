/** Text as C takes it. @module */

const TEXT = new TextEncoder();

/** UTF-8 with a NUL at its end. @throws {TypeError} When the text holds a NUL itself: C would read only up to it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`Cannot pass ${JSON.stringify(text)} to C: it holds a NUL`);
  return TEXT.encode(`${text}\0`);
}
