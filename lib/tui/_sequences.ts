/** What control sequences of a terminal's input mean. Pure. @module */
import type { InputEvent, KeyEvent, MouseEvent } from "./event.ts";

/** Modifiers of a key. */
interface Modifiers {
  readonly ctrl?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
}

/** A key event; `name` may carry modifiers already. */
export function keyEvent(
  name: string,
  { ctrl = false, alt = false, shift = false }: Modifiers = {},
): KeyEvent {
  const parts = /^((?:ctrl\+|alt\+|shift\+)*)(.+)$/s.exec(name);
  const [before, key] = [parts?.[1] ?? "", parts?.[2] ?? name];
  const named = KEY_OF_CHAR[key] ?? key;
  const single = [...named].length === 1;
  const prefix = [
    ctrl || before.includes("ctrl+") ? "ctrl+" : "",
    alt || before.includes("alt+") ? "alt+" : "",
    (shift || before.includes("shift+")) && !single ? "shift+" : "",
  ].join("");
  const typed = named === "space" ? " " : single ? named : undefined;
  const full = prefix + named;
  return typed !== undefined && !prefix.includes("ctrl") && !prefix.includes("alt")
    ? { kind: "key", name: full, text: typed }
    : { kind: "key", name: full };
}

const KEY_OF_CHAR: Readonly<Record<string, string>> = { " ": "space" };

/** The key that sends a control character; `undefined` for other characters. */
export function controlKey(char: string, alt = false): KeyEvent | undefined {
  const code = char.charCodeAt(0);
  const named = CONTROL_KEYS[code];
  if (named !== undefined) return keyEvent(named, { alt });
  if (code === 0) return keyEvent("space", { ctrl: true, alt });
  if (code < 0x1b) return keyEvent(String.fromCharCode(code + 0x60), { ctrl: true, alt });
  if (code < 0x20) return keyEvent(String.fromCharCode(code + 0x40), { ctrl: true, alt });
  return undefined;
}

const CONTROL_KEYS: Readonly<Record<number, string>> = {
  8: "backspace",
  9: "tab",
  10: "enter",
  13: "enter",
  27: "escape",
  127: "backspace",
};

/** Finals of CSI and SS3 that stand for keys. */
const LETTER_KEYS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  E: "begin",
  F: "end",
  H: "home",
  M: "enter",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
  Z: "shift+tab",
};

/** Numbers before `~`. */
const NUMBER_KEYS: Readonly<Record<number, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

/** Code points of the kitty protocol that are keys without a character. */
const CODE_KEYS: Readonly<Record<number, string>> = {
  9: "tab",
  13: "enter",
  27: "escape",
  32: "space",
  127: "backspace",
  57414: "enter",
};

/** `ESC O final`: keys in application mode. */
export function ss3Event(final: string): InputEvent | undefined {
  const name = LETTER_KEYS[final];
  return name === undefined ? undefined : keyEvent(name);
}

/** `ESC [ parameters final`. */
export function csiEvent(parameters: string, final: string): InputEvent | undefined {
  if (parameters.startsWith("<")) return mouseEvent(parameters.slice(1), final);
  if (/^[=>?]/.test(parameters)) return undefined; // An answer that was not asked for.
  const [first = "", second = ""] = parameters.split(";");
  const [modifierBits = "1", action = "1"] = second.split(":");
  if (action === "3") return undefined; // Kitty's report of a released key.
  const held = modifiers(modifierBits);
  if (final === "~") {
    const name = NUMBER_KEYS[Number(first)];
    return name === undefined ? undefined : keyEvent(name, held);
  }
  if (final === "u") return kittyKey(first, held);
  if (final === "I" || final === "O") return { kind: "focus", focused: final === "I" };
  if (final === "M") return undefined; // Mouse of a protocol that was not asked for.
  const name = LETTER_KEYS[final];
  return name === undefined ? undefined : keyEvent(name, held);
}

/** One plus a bit each for shift, alt, ctrl; further bits (super, hyper, locks) are not told. */
function modifiers(text: string): Modifiers {
  const bits = (Number(text) || 1) - 1;
  return { shift: (bits & 1) !== 0, alt: (bits & 2) !== 0, ctrl: (bits & 4) !== 0 };
}

/** The key's code point, perhaps with the shifted one behind a colon. */
function kittyKey(codes: string, held: Modifiers): InputEvent | undefined {
  const [code, shifted] = codes.split(":").map(Number);
  if (code === undefined || !Number.isInteger(code) || code <= 0 || code > 0x10_ffff) return undefined;
  const named = CODE_KEYS[code];
  if (named !== undefined) return keyEvent(named, held);
  // Private use: keys that have no name here, such as a modifier alone. Below a blank and surrogates: no keys.
  if (code < 0x20 || (code >= 0xd800 && code < 0xf900)) return undefined;
  const usable = shifted !== undefined && shifted >= 0x20 && shifted <= 0x10_ffff;
  const char = held.shift === true && usable ? String.fromCodePoint(shifted) : String.fromCodePoint(code);
  return keyEvent(held.shift === true ? char.toUpperCase() : char, { ...held, shift: false });
}

const BUTTONS = ["left", "middle", "right", "none"] as const;

/** `button;column;row`, `M` for pressed and `m` for released. */
function mouseEvent(parameters: string, final: string): MouseEvent | undefined {
  const [bits, column, row] = parameters.split(";").map(Number);
  if (bits === undefined || column === undefined || row === undefined) return undefined;
  if (![bits, column, row].every((each) => Number.isInteger(each)) || column < 1 || row < 1) return undefined;
  const wheel = (bits & 64) !== 0;
  if (wheel && (bits & 2) !== 0) return undefined; // Wheels to the side.
  const at = {
    x: column - 1,
    y: row - 1,
    shift: (bits & 4) !== 0,
    alt: (bits & 8) !== 0,
    ctrl: (bits & 16) !== 0,
  };
  if (wheel) {
    return { kind: "mouse", action: (bits & 1) === 0 ? "wheelup" : "wheeldown", button: "none", ...at };
  }
  const button = BUTTONS[bits & 3]!;
  const moved = (bits & 32) !== 0;
  const action = moved ? (button === "none" ? "move" : "drag") : final === "M" ? "press" : "release";
  return { kind: "mouse", action, button, ...at };
}

/** An answer: of `OSC 11`, the background's colour as `rgb:RRRR/GGGG/BBBB`. */
export function oscEvent(text: string): InputEvent | undefined {
  const parts = /^11;rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})/i.exec(text);
  if (parts === null) return undefined;
  const [red, green, blue] = parts.slice(1, 4).map((hex) => parseInt(hex, 16) / (16 ** hex.length - 1));
  return { kind: "background", red: red!, green: green!, blue: blue! };
}
