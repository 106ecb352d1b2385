import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type InputEvent, InputParser, MAX_PASTE, MAX_SEQUENCE } from "../../lib/tui/mod.ts";
import { chance, seedOf } from "./vt.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function parse(text: string): InputEvent[] {
  const parser = new InputParser();
  return [...parser.feed(encode(text)), ...parser.flush()];
}

const names = (events: InputEvent[]) =>
  events.map((event) =>
    event.kind === "key" ? event.name : event.kind === "paste" ? `paste(${event.text})` : event.kind
  );

/** These mean something only when nothing follows in time. */
const UNENDED = ["\x1b", "\x1b\x1b", "\x1b[", "\x1bO", "\x1b[1;5"];

const KEYS: [bytes: string, names: string[]][] = [
  ["aZ?é漢🦀", ["a", "Z", "?", "é", "漢", "🦀"]],
  [" ", ["space"]],
  ["\r\n\t\x7f\x08", ["enter", "enter", "tab", "backspace", "backspace"]],
  ["\x03\x1a\x00\x1d\x1f", ["ctrl+c", "ctrl+z", "ctrl+space", "ctrl+]", "ctrl+_"]],
  ["\x1b", ["escape"]],
  ["\x1b\x1b", ["alt+escape"]],
  ["\x1bx\x1bX\x1b\r\x1b\x7f", ["alt+x", "alt+X", "alt+enter", "alt+backspace"]],
  ["\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", ["up", "down", "right", "left", "home", "end"]],
  ["\x1bOA\x1bOP\x1bOS", ["up", "f1", "f4"]],
  ["\x1b[1;5A\x1b[1;2B\x1b[1;8C", ["ctrl+up", "shift+down", "ctrl+alt+shift+right"]],
  ["\x1b[5~\x1b[6~\x1b[3~\x1b[2~\x1b[1~\x1b[4~", ["pageup", "pagedown", "delete", "insert", "home", "end"]],
  ["\x1b[15~\x1b[24~\x1b[3;5~", ["f5", "f12", "ctrl+delete"]],
  ["\x1b[Z", ["shift+tab"]],
  ["\x1b\x1b[A", ["alt+up"]],
  ["\x1b[97;5u\x1b[97;6u\x1b[13;2u\x1b[27u", ["ctrl+a", "ctrl+A", "shift+enter", "escape"]],
  ["\x1b[97:65;2u\x1b[97;1:3u\x1b[57441;2u", ["A"]],
  ["\x1b[I\x1b[O", ["focus", "focus"]],
  ["\x1b[200~two\r\nlines\x1b[A\x1b[201~x", ["paste(two\nlines\x1b[A)", "x"]],
  ["\x1b[?1;2c\x1b[>0;1c\x1bP>|tmux\x1b\\x", ["x"]],
  ["\x1b]11;rgb:ffff/8080/0000\x1b\\y", ["background", "y"]],
  ["\x1b]11;rgb:ff/80/00\x07", ["background"]],
  ["\x1b[99999~\x1b[999;999X\x1bOz", []],
  ["\x1b[", ["alt+["]],
  ["\x1bO", ["alt+O"]],
  ["\x1b[1;5", []],
];
for (const [bytes, expected] of KEYS) {
  Deno.test(`input ${JSON.stringify(bytes)} is ${expected.join(", ") || "nothing"}`, () => {
    deepStrictEqual(names(parse(bytes)), expected);
  });
}

Deno.test("typed characters carry their text, others do not", () => {
  deepStrictEqual(parse("a \x1bx\x01"), [
    { kind: "key", name: "a", text: "a" },
    { kind: "key", name: "space", text: " " },
    { kind: "key", name: "alt+x" },
    { kind: "key", name: "ctrl+a" },
  ]);
});

Deno.test("the mouse tells action, button, cell and modifiers", () => {
  const none = { ctrl: false, alt: false, shift: false };
  deepStrictEqual(
    parse("\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<34;1;1M\x1b[<64;3;4M\x1b[<65;3;4M\x1b[<20;2;2M\x1b[<35;9;9M"),
    [
      { kind: "mouse", action: "press", button: "left", x: 9, y: 4, ...none },
      { kind: "mouse", action: "release", button: "left", x: 9, y: 4, ...none },
      { kind: "mouse", action: "drag", button: "right", x: 0, y: 0, ...none },
      { kind: "mouse", action: "wheelup", button: "none", x: 2, y: 3, ...none },
      { kind: "mouse", action: "wheeldown", button: "none", x: 2, y: 3, ...none },
      { kind: "mouse", action: "press", button: "left", x: 1, y: 1, ctrl: true, alt: false, shift: true },
      { kind: "mouse", action: "move", button: "none", x: 8, y: 8, ...none },
    ],
  );
  deepStrictEqual(parse("\x1b[<0;0;5M\x1b[<1;1M\x1b[<66;1;1M"), []);
});

Deno.test("the background's colour is told in parts of one", () => {
  deepStrictEqual(parse("\x1b]11;rgb:ffff/8000/0000\x07"), [
    { kind: "background", red: 1, green: 0x8000 / 0xffff, blue: 0 },
  ]);
});

Deno.test("a lone escape waits for its time limit, and what follows it in time is a sequence", () => {
  const parser = new InputParser();
  deepStrictEqual(parser.feed(encode("\x1b")), []);
  strictEqual(parser.waiting, true);
  deepStrictEqual(names(parser.feed(encode("[A"))), ["up"]);
  strictEqual(parser.waiting, false);
  deepStrictEqual(parser.feed(encode("\x1b")), []);
  deepStrictEqual(names(parser.flush()), ["escape"]);
  deepStrictEqual(parser.flush(), []);
});

Deno.test("pasted text that does not end is told in parts and never held whole", () => {
  const parser = new InputParser();
  let told = 0;
  parser.feed(encode("\x1b[200~"));
  for (let part = 0; part < 40; part++) {
    for (const event of parser.feed(encode("x".repeat(10_000)))) {
      ok(event.kind === "paste" && event.text.length <= MAX_PASTE + 10_000);
      told += event.text.length;
    }
  }
  strictEqual(parser.waiting, false);
  for (const event of parser.feed(encode("y\x1b[201~"))) {
    told += event.kind === "paste" ? event.text.length : 0;
  }
  strictEqual(told, 400_001);
});

Deno.test("a sequence without an end is dropped once it is too long", () => {
  const parser = new InputParser();
  deepStrictEqual(parser.feed(encode(`\x1b]52;${"x".repeat(MAX_SEQUENCE + 1)}`)), []);
  deepStrictEqual(names(parser.feed(encode("q"))), ["q"]);
});

Deno.test("input that is cut anywhere says the same as in one piece", () => {
  const seed = seedOf("input cuts");
  const random = chance(seed);
  const parts = KEYS.map(([bytes]) => bytes).filter((bytes) => !UNENDED.includes(bytes));
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: 8 }, () => parts[random(parts.length)]!).join("");
    const bytes = encode(text);
    const parser = new InputParser();
    const events: InputEvent[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + random(5));
      events.push(...parser.feed(bytes.subarray(at, end)));
      at = end;
    }
    const pasted = (list: InputEvent[]) => names(list).join();
    strictEqual(
      pasted([...events, ...parser.flush()]),
      pasted(parse(text)),
      `round ${round}: ${JSON.stringify(text)}`,
    );
  }
});

Deno.test("no bytes at all make the parser throw or hold much", () => {
  const seed = seedOf("input fuzz");
  const random = chance(seed);
  const parser = new InputParser();
  const palette = encode("\x1b\x1b\x1b[[O]P;:<0123456789~uMmAx\x07\\");
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from(
      { length: random(12) },
      () => random(3) === 0 ? random(256) : palette[random(palette.length)]!,
    );
    for (const event of parser.feed(bytes)) ok(event.kind.length > 0);
    if (random(10) === 0) parser.flush();
  }
  parser.feed(encode("\x1b\\\x1b[201~"));
  parser.flush();
  deepStrictEqual(names(parser.feed(encode("q"))), ["q"]);
});
