import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  blend,
  CLUSTER,
  colourDepth,
  components,
  Frame,
  glyphOf,
  glyphText,
  lookOf,
  PLAIN,
  RED,
  Renderer,
  rgb,
  style,
  styleSequence,
  TAIL,
} from "../../lib/tui/mod.ts";
import { chance, seedOf, Vt } from "./vt.ts";

Deno.test("a text in a frame is cut at its edges, and half of a wide character is a blank", () => {
  const frame = new Frame(6, 4);
  const area = frame.area();
  strictEqual(area.put(0, 0, "漢字漢字"), 6);
  strictEqual(area.put(1, 1, "漢字漢字"), 7);
  strictEqual(area.put(-1, 2, "漢字x"), 4);
  area.put(4, 3, "outside");
  area.put(0, 9, "nowhere");
  deepStrictEqual(frame.text(), "漢字漢\n 漢字\n 字x\n    ou\n");
});

Deno.test("whoever overwrites half of a wide character leaves a blank for the other half", () => {
  const frame = new Frame(6, 1);
  frame.area().put(0, 0, "漢字漢");
  frame.area().put(1, 0, "a");
  frame.area().put(4, 0, "b");
  strictEqual(frame.rowText(0), " a字b");
  frame.area().put(1, 0, "字");
  strictEqual(frame.rowText(0), " 字 b");
  ok(!frame.glyphs.some((glyph, at) => glyph === TAIL && (frame.glyphs[at - 1] ?? TAIL) < 0x1100));
});

Deno.test("parts of an area are cut to it, and fill, restyle and the cursor stay inside", () => {
  const frame = new Frame(8, 4);
  const part = frame.area().part({ x: 2, y: 1, width: 99, height: 2 });
  deepStrictEqual([part.x, part.y, part.width, part.height], [2, 1, 6, 2]);
  part.fill(style({ bg: RED }), "·");
  const inner = part.inset(1, 0);
  inner.put(0, 0, "0123456789");
  inner.restyle(0, (id) => blend(id, { bold: true }), 1, 2);
  strictEqual(frame.text(), "\n  ·0123·\n  ······\n\n");
  deepStrictEqual(lookOf(frame.styles[8 + 4]!), { bold: true });
  strictEqual(frame.styles[8 + 3], PLAIN);
  part.showCursor(9, 0);
  strictEqual(frame.cursor, undefined);
  part.showCursor(1, 1);
  deepStrictEqual(frame.cursor, { x: 3, y: 2 });
  strictEqual(part.holds(2, 1) && !part.holds(1, 1) && !part.holds(2, 3), true);
  frame.clear();
  strictEqual(frame.text(), "\n\n\n\n");
  strictEqual(frame.cursor, undefined);
});

Deno.test("a frame of an impossible size is refused by its numbers", () => {
  throws(() => new Frame(-1, 3), /-1x3/);
  throws(() => new Frame(3, 1e6), /3x1000000/);
  throws(() => new Frame(1.5, 3), RangeError);
});

Deno.test("a character of several code points is one glyph, the same each time", () => {
  const family = "👨‍👩‍👧";
  ok(glyphOf(family) >= CLUSTER);
  strictEqual(glyphOf(family), glyphOf(family));
  strictEqual(glyphText(glyphOf(family)), family);
  strictEqual(glyphText(glyphOf("a")), "a");
  strictEqual(glyphText(TAIL), "");
});

Deno.test("equal styles have equal numbers, and a blend keeps what is not said anew", () => {
  strictEqual(style({ fg: RED, bold: true }), style({ bold: true, fg: RED }));
  strictEqual(style({}), PLAIN);
  deepStrictEqual(lookOf(blend(style({ fg: RED }), { bold: true })), { fg: RED, bold: true });
  deepStrictEqual(components(rgb(1, 2, 3)), [1, 2, 3]);
  strictEqual(components(RED), undefined);
});

Deno.test("colours are told as the terminal has them", () => {
  const orange = style({ fg: rgb(255, 135, 0), bg: RED, bold: true });
  strictEqual(styleSequence(orange, "true"), "\x1b[0;1;38;2;255;135;0;41m");
  strictEqual(styleSequence(orange, 256), "\x1b[0;1;38;5;208;41m");
  strictEqual(styleSequence(orange, 16), "\x1b[0;1;33;41m");
  strictEqual(styleSequence(orange, "none"), "\x1b[0;1m");
  strictEqual(styleSequence(style({ fg: 9, bg: 100 }), 256), "\x1b[0;91;48;5;100m");
  strictEqual(styleSequence(PLAIN, "true"), "\x1b[0m");
});

Deno.test("what the environment says decides how many colours there are", () => {
  strictEqual(colourDepth({ TERM: "xterm-256color" }, true), 256);
  strictEqual(colourDepth({ TERM: "xterm", COLORTERM: "truecolor" }, true), "true");
  strictEqual(colourDepth({ TERM: "xterm-kitty" }, true), "true");
  strictEqual(colourDepth({ TERM: "linux" }, true), 16);
  strictEqual(colourDepth({ TERM: "dumb" }, true), "none");
  strictEqual(colourDepth({ TERM: "xterm-256color", NO_COLOR: "1" }, true), "none");
  strictEqual(colourDepth({ TERM: "xterm-256color", NO_COLOR: "" }, true), 256);
  strictEqual(colourDepth({ TERM: "xterm-256color" }, false), "none");
});

Deno.test("only cells that changed are written, as one synchronized update", () => {
  const frame = new Frame(40, 3);
  const renderer = new Renderer(16);
  frame.area().put(0, 1, "the same text in a row");
  ok(renderer.render(frame).startsWith("\x1b[?2026h"));
  strictEqual(renderer.render(frame), "");
  frame.area().put(4, 1, "s");
  frame.area().put(20, 1, "R");
  strictEqual(renderer.render(frame), "\x1b[?2026h\x1b[?25l\x1b[2;21HR\x1b[?2026l");
  frame.cursor = { x: 2, y: 0 };
  strictEqual(renderer.render(frame), "\x1b[?2026h\x1b[?25l\x1b[1;3H\x1b[?25h\x1b[?2026l");
  frame.area().part({ x: 4, y: 1, width: 36, height: 1 }).fill(PLAIN);
  strictEqual(renderer.render(frame), "\x1b[?2026h\x1b[?25l\x1b[2;4H\x1b[K\x1b[1;3H\x1b[?25h\x1b[?2026l");
  renderer.forget();
  ok(renderer.render(frame).includes("\x1b[2J"));
});

const CHARS = [
  "a",
  "b",
  " ",
  "漢",
  "字",
  "🦀",
  "é",
  "e\u0301",
  "👨‍👩‍👧",
  "🇩🇪",
  "❤️",
  "─",
  "\x1b",
  "\x9b",
  "\u202e",
];
const STYLES = [PLAIN, PLAIN, style({ fg: RED }), style({ bg: rgb(9, 9, 9) }), style({ bold: true })];

Deno.test("whatever is drawn over whatever, the terminal shows the frame", () => {
  const seed = seedOf("renderer");
  const random = chance(seed);
  for (let round = 0; round < 300; round++) {
    const [width, height] = [1 + random(24), 1 + random(6)];
    const frame = new Frame(width, height);
    const renderer = new Renderer("true");
    const vt = new Vt(width, height);
    for (let step = 0; step < 8; step++) {
      if (random(4) === 0) frame.clear();
      for (let mark = random(12); mark >= 0; mark--) {
        const text = Array.from({ length: 1 + random(8) }, () => CHARS[random(CHARS.length)]!).join("");
        frame.area().put(random(width + 4) - 4, random(height), text, STYLES[random(STYLES.length)]!);
      }
      if (random(3) === 0) frame.area().showCursor(random(width), random(height));
      vt.write(renderer.render(frame));
      for (let y = 0; y < height; y++) {
        strictEqual(vt.rowText(y), frame.rowText(y), `round ${round} step ${step}`);
      }
      for (const [at, id] of frame.styles.entries()) {
        const wanted = styleSequence(id, "true").slice(2, -1);
        if (frame.glyphs[at] !== TAIL) {
          strictEqual(vt.styles[at], wanted === "0" ? "" : wanted, `style, round ${round}`);
        }
      }
      deepStrictEqual(vt.cursor, frame.cursor);
    }
  }
});

Deno.test("a list that is sorted anew costs less than it has cells", () => {
  const frame = new Frame(80, 40);
  const renderer = new Renderer(256);
  const draw = (turn: number) => {
    frame.clear();
    for (let y = 0; y < 40; y++) frame.area().put(0, y, `service-${y}  running  ${(y * 7 + turn) % 100}%`);
  };
  draw(0);
  renderer.render(frame);
  draw(1);
  const bytes = new TextEncoder().encode(renderer.render(frame)).length;
  ok(bytes < 40 * 16, `${bytes} bytes for 40 rows with one number each`);
});
