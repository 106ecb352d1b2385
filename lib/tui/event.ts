/** What a terminal tells. @module */

/** A key, with its modifiers in its name. */
export interface KeyEvent {
  readonly kind: "key";
  /**
   * Modifiers in the order `ctrl+alt+shift+`, then the key: a printable character (`a`, `A`, `?`, `é`), or `space`,
   * `enter`, `tab`, `backspace`, `escape`, `insert`, `delete`, `home`, `end`, `pageup`, `pagedown`, `up`, `down`,
   * `left`, `right`, `f1` to `f24`. A printable character has its own case and no `shift+`.
   */
  readonly name: string;
  /** What the key types; absent for keys that type nothing. */
  readonly text?: string;
}

/** Text that was pasted. Newlines are `\n`. */
export interface PasteEvent {
  readonly kind: "paste";
  readonly text: string;
}

/** The mouse. Columns and rows begin at 0. */
export interface MouseEvent {
  readonly kind: "mouse";
  readonly action: "press" | "release" | "drag" | "move" | "wheelup" | "wheeldown";
  readonly button: "left" | "middle" | "right" | "none";
  readonly x: number;
  readonly y: number;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

/** The window has, or has lost, the keyboard. */
export interface FocusEvent {
  readonly kind: "focus";
  readonly focused: boolean;
}

/** The colour that the terminal has behind its text, each part from 0 to 1. */
export interface BackgroundEvent {
  readonly kind: "background";
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** The terminal has another size now, in cells. */
export interface ResizeEvent {
  readonly kind: "resize";
  readonly width: number;
  readonly height: number;
}

/** What comes out of a terminal's bytes. */
export type InputEvent = KeyEvent | PasteEvent | MouseEvent | FocusEvent | BackgroundEvent;

/** All that a terminal tells. */
export type TerminalEvent = InputEvent | ResizeEvent;
