/** Keys that leave a terminal which belongs to somebody else: found in what is typed, and kept from it. Pure. @module */

/** Longer ones nobody remembers. */
const KEYS_MAX = 4;

/** Bytes of keys written as `ctrl-]`, or several in a row as `ctrl-p,ctrl-q`. @throws {SyntaxError} Naming the key. */
export function parseKeys(text: string): Uint8Array<ArrayBuffer> {
  const names = text.split(",");
  if (names.length > KEYS_MAX) {
    throw new SyntaxError(`Cannot read keys "${text}": there are ${names.length}, at most ${KEYS_MAX}`);
  }
  return Uint8Array.from(names, (name) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(name)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x20-\x7e]$/.test(name)) return name.charCodeAt(0);
    throw new SyntaxError(`Cannot read keys "${text}": "${name}" is none, expected one such as ctrl-] or x`);
  });
}

/** What was typed, without the keys. */
export interface Typed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The keys were among it; what came behind them is dropped. */
  readonly detached: boolean;
}

/** Looks for the keys in what is typed, however it is cut into pieces. The beginning of them waits for what follows. */
export class DetachKeys {
  readonly #keys: Uint8Array<ArrayBuffer>;
  #matched = 0;

  constructor(keys: Uint8Array<ArrayBuffer>) {
    this.#keys = keys;
  }

  take(typed: Uint8Array): Typed {
    const keys = this.#keys;
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte !== keys[this.#matched]) {
        passed.push(...keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === keys.length) return { bytes: Uint8Array.from(passed), detached: true };
    }
    return { bytes: Uint8Array.from(passed), detached: false };
  }
}
