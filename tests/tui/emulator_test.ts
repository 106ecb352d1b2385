/** A terminal inside the terminal; where tmux is there it is the judge. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BLUE, Emulator, lookOf, PLAIN, RED } from "../../lib/tui/mod.ts";
import { hasTmux, Tmux } from "../bpm_tui/tmux.ts";
import { chance, seedOf } from "./vt.ts";

function screen(text: string, width = 8, height = 3): string[] {
  const emulator = new Emulator(width, height);
  emulator.write(text);
  return emulator.frame.text().split("\n").slice(0, height);
}

const CASES: [what: string, text: string, rows: string[]][] = [
  ["text wraps when the next character comes, not before", "12345678\r\nab", ["12345678", "ab", ""]],
  ["text that is longer goes on below", "1234567890", ["12345678", "90", ""]],
  ["what leaves the screen at its end scrolls it", "a\r\nb\r\nc\r\nd", ["b", "c", "d"]],
  ["a carriage return begins the row anew", "50%\r100%", ["100%", "", ""]],
  ["backspace and tabs move", "ab\bc\td", ["ac     d", "", ""]],
  ["the cursor goes where it is told", "\x1b[2;3Hx\x1b[Ay\x1b[5Dz\x1b[Gw", ["w  y", "  x", ""]],
  ["rows and screens are erased", "aaaa\r\nbbbb\r\ncccc\x1b[2;3H\x1b[K\x1b[1;2H\x1b[1K\x1b[3;1H\x1b[J", [
    "  aa",
    "bb",
    "",
  ]],
  ["cells are deleted, inserted and erased", "abcdef\x1b[1;2H\x1b[2P\x1b[@\x1b[1;5H\x1b[X", ["a de", "", ""]],
  ["rows are deleted and inserted within the region", "a\r\nb\r\nc\x1b[1;1H\x1b[M\x1b[L", ["", "b", "c"]],
  ["a region scrolls alone", "a\r\nb\r\nc\x1b[1;2r\x1b[2;1H\nx", ["b", "x", "c"]],
  ["the alternate screen leaves the main one as it was", "main\x1b[?1049h\x1b[Halt\x1b[?1049l!", [
    "main!",
    "",
    "",
  ]],
  ["wide characters are never halved", "\x1b[1;8H漢", ["", "漢", ""]],
  ["a wide character that is torn leaves blanks", "a漢b\x1b[1;3H\x1b[P", ["a b", "", ""]],
  ["what is not known is left out", "\x1b]0;title\x07a\x1b(B\x1b[?2004hb\x1b[>1uc\x1bPq\x1b\\d\x07", [
    "abcd",
    "",
    "",
  ]],
  ["reverse index scrolls down at the top", "a\x1b[H\x1bMb", ["b", "a", ""]],
  ["a saved place is gone back to", "ab\x1b7\x1b[3;1Hc\x1b8d", ["abd", "", "c"]],
  ["a reset forgets everything", "abc\x1b[31m\x1bcx", ["x", "", ""]],
];
for (const [what, text, rows] of CASES) {
  Deno.test(`emulator: ${what}`, () => deepStrictEqual(screen(text), rows));
}

Deno.test("emulator: colours stay with their cells, and the cursor is told while it is shown", () => {
  const emulator = new Emulator(8, 2);
  emulator.write("\x1b[31mr\x1b[0mp\x1b[44m\x1b[K");
  const looks = [...emulator.frame.styles.slice(0, 3)].map(lookOf);
  deepStrictEqual(looks, [{ fg: RED }, {}, { bg: BLUE }]);
  strictEqual(emulator.frame.styles[8], PLAIN);
  deepStrictEqual(emulator.frame.cursor, { x: 2, y: 0 });
  emulator.write("\x1b[?25l");
  strictEqual(emulator.frame.cursor, undefined);
});

Deno.test("emulator: no text at all makes it throw", () => {
  const seed = seedOf("emulator");
  const random = chance(seed);
  const emulator = new Emulator(20, 6);
  const parts = [
    "\x1b[",
    "\x1b]",
    "\x1b",
    ";",
    "999999",
    "5",
    "H",
    "m",
    "J",
    "r",
    "P",
    "@",
    "L",
    "?1049h",
    "漢",
    "e\u0301",
    "x",
    "\r\n",
    "\t",
  ];
  for (let round = 0; round < 5_000; round++) {
    emulator.write(Array.from({ length: 6 }, () => parts[random(parts.length)]!).join(""));
  }
  strictEqual(emulator.frame.text().split("\n").length, 7);
});

const [WIDTH, HEIGHT] = [30, 8];

/**
 * Text that ends away from the right edge, where terminals differ in what "left of here" is. With wide characters all
 * lies on pairs of columns: of one that is torn tmux tells the other half as nothing, or as the whole.
 */
function drawing(random: (below: number) => number, isWide: boolean): string {
  const step = isWide ? 2 : 1;
  const at = () => `\x1b[${1 + random(HEIGHT)};${1 + step * random(WIDTH / step)}H`;
  const sign = isWide ? "漢" : "+";
  const narrow = [
    () => `${at()}\x1b[1${"KJ"[random(2)]}`,
    () => `${at()}\x1b[${1 + random(3)}X`,
    () => `${at()}\x1b[${1 + random(9)}${"CD"[random(2)]}+`,
  ];
  const pieces = [
    () => at() + "abcdefghijklmnopqrstuvwxyz".slice(0, step * (1 + random(26 / step))),
    () => `${at()}\x1b[${2 * random(2)}K`,
    () => `${at()}\x1b[${2 * random(2)}J`,
    // Outside of a region tmux inserts and deletes lines all the same.
    () => `\x1b[r${at()}\x1b[${1 + random(3)}${"LM"[random(2)]}`,
    () => `\x1b[${1 + random(4)}${"ST"[random(2)]}`,
    () => `${at()}\x1b[${1 + random(9)}${"AB"[random(2)]}${sign}`,
    () => `${at()}\n\n`,
    () => `${at()}\x1bM`,
    () => `\x1b[${1 + random(4)};${5 + random(4)}r`,
    () => "\x1b[r",
    () => `${at()}\x1b7${at()}\x1b8${sign}`,
    ...(isWide ? [() => `${at()}漢字`] : narrow),
  ];
  return Array.from({ length: 60 }, () => pieces[random(pieces.length)]!()).join("");
}

Deno.test({
  name: `emulator: draws what tmux draws of the same text${hasTmux() ? "" : " (needs tmux)"}`,
  ignore: !hasTmux(),
  async fn() {
    const seed = seedOf("emulator and tmux");
    const random = chance(seed);
    const file = await Deno.makeTempFile();
    try {
      for (let round = 0; round < 12; round++) {
        const text = drawing(random, round % 2 === 0);
        await Deno.writeTextFile(file, `${text}\x1b]2;drawn\x07`);
        await using tmux = await Tmux.start(["sh", "-c", `'stty raw; cat ${file}; sleep 60'`], {
          columns: WIDTH,
          rows: HEIGHT,
        });
        await tmux.untilFact("#{pane_title}", "drawn");
        const rows = (await tmux.screen()).split("\n").slice(0, HEIGHT).map((row) => row.trimEnd());
        deepStrictEqual(screen(text, WIDTH, HEIGHT), rows, `round ${round}: ${JSON.stringify(text)}`);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});
