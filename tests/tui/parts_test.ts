/** What programs are drawn with: layout, panels, lists, tables, fields, keys, palette, charts, lines with colours. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  actionFor,
  ansiSpans,
  applySgr,
  type Binding,
  BLUE,
  BRIGHT,
  centre,
  clipboardSequence,
  colouredLine,
  type Column,
  columnWidths,
  contains,
  CYAN,
  drawField,
  drawList,
  drawPalette,
  drawPanel,
  drawRow,
  drawScrollBar,
  editField,
  field,
  fieldText,
  Frame,
  fuzzyFilter,
  fuzzyMatch,
  helpLines,
  keyLabel,
  LIST_START,
  lookOf,
  makeTheme,
  markSpans,
  MAX_FIELD,
  offered,
  openPalette,
  PALETTE_ROWS,
  PLAIN,
  plainJson,
  plainLine,
  plainText,
  putSpans,
  RED,
  rgb,
  scrollPage,
  select,
  span,
  spansWidth,
  sparkline,
  splitColumns,
  splitRows,
  stripAnsi,
  style,
  type TerminalEvent,
  thumb,
  updatePalette,
  wrapSpans,
  wrapText,
} from "../../lib/tui/mod.ts";

const key = (name: string): TerminalEvent => ({
  kind: "key",
  name,
  ...[...name].length === 1 ? { text: name } : name === "space" ? { text: " " } : {},
});

Deno.test("rows and columns share what fixed sizes leave, to the last cell", () => {
  const rect = { x: 1, y: 2, width: 10, height: 11 };
  deepStrictEqual(splitRows(rect, [2, { share: 1 }, { share: 2 }, 1]).map(({ y, height }) => [y, height]), [
    [2, 2],
    [4, 3],
    [7, 5],
    [12, 1],
  ]);
  deepStrictEqual(
    splitColumns(rect, [{ share: 1 }, { share: 1 }, { share: 1 }]).map(({ x, width }) => [x, width]),
    [
      [1, 3],
      [4, 4],
      [8, 3],
    ],
  );
  deepStrictEqual(splitRows(rect, [20, 5]).map(({ height }) => height), [11, 0]);
  deepStrictEqual(centre(rect, 4, 3), { x: 4, y: 6, width: 4, height: 3 });
  deepStrictEqual(centre(rect, 40, 30), rect);
  ok(contains(rect, 1, 2) && contains(rect, 10, 12) && !contains(rect, 11, 2) && !contains(rect, 1, 13));
});

Deno.test("a panel shows title, note and footer while there is room for them", () => {
  const panel = (width: number, height: number) => {
    const frame = new Frame(width, height);
    const inside = drawPanel(frame.area(), {
      title: [span("logs")],
      note: [span("1/3")],
      footer: [span("end")],
      border: PLAIN,
    });
    inside.put(0, 0, "inside of it, and cut");
    return frame.text();
  };
  const golden = [
    "╭─ logs ───────── 1/3 ─╮",
    "│inside of it, and cut │",
    "│                      │",
    "╰──────────────── end ─╯",
    "",
  ];
  deepStrictEqual(panel(24, 4).split("\n"), golden);
  strictEqual(panel(12, 3), "╭─ logs ───╮\n│inside of │\n╰──── end ─╯\n");
  strictEqual(panel(1, 3), "\n\n\n");
});

Deno.test("spans are cut with an ellipsis where more would follow", () => {
  const cut = (room: number) => {
    const frame = new Frame(20, 1);
    putSpans(frame.area(), 0, 0, [span("abc"), span("def", style({ bold: true }))], room);
    return frame.rowText(0);
  };
  deepStrictEqual([6, 5, 4, 3, 2, 1].map(cut), ["abcdef", "abcd…", "abc…", "ab…", "a…", "…"]);
  strictEqual(spansWidth([span("漢"), span("ab")]), 4);
});

Deno.test("a list keeps the selected row and some around it in sight", () => {
  let list = LIST_START;
  const seen = (selected: number) => list = select(list, selected, 100, 10);
  deepStrictEqual(seen(5), { selected: 5, top: 0 });
  deepStrictEqual(seen(8), { selected: 8, top: 1 });
  deepStrictEqual(seen(50), { selected: 50, top: 43 });
  deepStrictEqual(seen(44), { selected: 44, top: 42 });
  deepStrictEqual(seen(1e9), { selected: 99, top: 90 });
  deepStrictEqual(seen(-5), { selected: 0, top: 0 });
  deepStrictEqual(select(list, 3, 0, 10), { selected: 0, top: 0 });
  deepStrictEqual(select({ selected: 9, top: 9 }, 9, 10, 1), { selected: 9, top: 9 });
});

Deno.test("of 2,000 rows only those that are seen are drawn", () => {
  const frame = new Frame(20, 5);
  const drawn: number[] = [];
  const count = drawList(frame.area(), { selected: 0, top: 1_990 }, 2_000, (row, index) => {
    drawn.push(index);
    row.put(0, 0, `row ${index}`);
  });
  strictEqual(count, 5);
  deepStrictEqual(drawn, [1_990, 1_991, 1_992, 1_993, 1_994]);
  strictEqual(frame.rowText(4), "row 1994");
});

Deno.test("the thumb of a scroll bar is at the ends only at the ends", () => {
  strictEqual(thumb(0, 10, 10), undefined);
  deepStrictEqual(thumb(0, 100, 10), { at: 0, length: 1 });
  deepStrictEqual(thumb(90, 100, 10), { at: 9, length: 1 });
  deepStrictEqual(thumb(5, 20, 10), { at: 3, length: 5 });
});

const COLUMNS: Column[] = [
  { title: "name", min: 4, rank: 0 },
  { title: "state", min: 5, max: 8, rank: 1 },
  { title: "cpu", min: 4, max: 4, rank: 2, align: "right" },
];

Deno.test("a table leaves out what matters least and gives the rest its room", () => {
  deepStrictEqual(columnWidths(COLUMNS, 40), [26, 8, 4]);
  deepStrictEqual(columnWidths(COLUMNS, 15), [4, 5, 4]);
  deepStrictEqual(columnWidths(COLUMNS, 14), [5, 8, 0]);
  deepStrictEqual(columnWidths(COLUMNS, 6), [6, 0, 0]);
  const frame = new Frame(20, 1);
  const cells = ["web", "running", "7%"].map((text) => [span(text)]);
  drawRow(frame.area(), 0, COLUMNS, columnWidths(COLUMNS, 18), cells);
  strictEqual(frame.rowText(0), "web  running    7%");
});

Deno.test("a field is edited with the keys of readline, by what a person sees as characters", () => {
  let typed = field();
  const press = (...names: string[]) => {
    for (const name of names) typed = editField(typed, key(name)) ?? typed;
    return `${typed.chars.slice(0, typed.cursor).join("")}|${typed.chars.slice(typed.cursor).join("")}`;
  };
  strictEqual(press("a", "b", "space", "c"), "ab c|");
  strictEqual(press("left", "x"), "ab x|c");
  strictEqual(press("home", "delete"), "|b xc");
  strictEqual(press("end", "ctrl+w"), "b |");
  strictEqual(press("ctrl+u"), "|");
  typed = field("one two 👨‍👩‍👧");
  strictEqual(press("backspace"), "one two |");
  strictEqual(press("ctrl+left", "ctrl+left", "alt+f"), "one| two ");
  strictEqual(press("ctrl+k"), "one|");
  strictEqual(press("ctrl+right", "ctrl+a", "ctrl+d"), "|ne");
  typed = field("e");
  strictEqual(press("\u0301"), "e\u0301|");
  strictEqual(typed.chars.length, 1);
  typed = editField(typed, { kind: "paste", text: "a\nb" })!;
  strictEqual(fieldText(typed), "e\u0301a b");
  strictEqual(editField(typed, key("f5")), undefined);
  strictEqual(editField(typed, { kind: "focus", focused: true }), undefined);
  strictEqual(field("x".repeat(MAX_FIELD + 9)).chars.length, MAX_FIELD);
});

Deno.test("a field that is longer than its room shows where the cursor is", () => {
  const frame = new Frame(6, 1);
  drawField(frame.area(), field("0123456789"));
  strictEqual(frame.rowText(0), "56789");
  deepStrictEqual(frame.cursor, { x: 5, y: 0 });
});

type Act = "go" | "stop" | "say";
const KEYMAP: Binding<Act, boolean>[] = [
  { keys: ["g", "enter"], action: "go", help: "go", group: "Moving", short: "go", when: (still) => still },
  { keys: ["g", "ctrl+c"], action: "stop", help: "stop", group: "Moving" },
  { keys: [], action: "say", help: "say", group: "Other" },
];

Deno.test("the first binding that can be done now is what a key means, and help shows no other", () => {
  const press = (name: string, still: boolean) => actionFor(KEYMAP, { kind: "key", name }, still);
  deepStrictEqual([press("g", true), press("g", false), press("enter", false), press("x", true)], [
    "go",
    "stop",
    undefined,
    undefined,
  ]);
  deepStrictEqual(offered(KEYMAP, false).map(({ action }) => action), ["stop", "say"]);
  deepStrictEqual(helpLines(KEYMAP, true), [
    { kind: "heading", text: "Moving" },
    { kind: "binding", keys: "g ↵", help: "go" },
    { kind: "binding", keys: "g ^c", help: "stop" },
  ]);
  strictEqual(keyLabel("ctrl+alt+shift+up"), "^M-⇧▲");
  strictEqual(keyLabel("+"), "+");
});

Deno.test("a few letters find what was meant", () => {
  const labels = ["restart web", "forward", "raw", "stop worker"];
  deepStrictEqual(fuzzyFilter(labels, "rw", (label) => label).map(({ item }) => item)[0], "restart web");
  deepStrictEqual(fuzzyMatch("rw", "restart web")?.at, [0, 8]);
  deepStrictEqual(fuzzyMatch("W ", "stop worker")?.at, [5]);
  strictEqual(fuzzyMatch("xyz", "stop worker"), undefined);
  strictEqual(fuzzyMatch("longer than", "it"), undefined);
  deepStrictEqual(fuzzyMatch("", "anything"), { score: 0, at: [] });
  ok(fuzzyMatch("sto", "stop")!.score > fuzzyMatch("sto", "s-t-x-o")!.score);
});

Deno.test("a palette is searched by typing, moved in by keys, and chosen from", () => {
  const choices = Array.from(
    { length: 30 },
    (_, at) => ({ label: `service ${at}`, note: `${at}`, value: at }),
  );
  let palette = openPalette("do", choices);
  const press = (...names: string[]) => {
    for (const name of names) {
      const step = updatePalette(palette, key(name), { width: 80, height: 24 });
      if (step.kind !== "open") return step;
      palette = step.palette;
    }
    return palette.list.selected;
  };
  strictEqual(press("down", "down", "up"), 1);
  strictEqual(press("pagedown", "pagedown", "pagedown"), 29);
  ok(palette.list.top > 29 - PALETTE_ROWS);
  strictEqual(press("2", "9"), 0);
  deepStrictEqual(press("enter"), { kind: "chosen", value: 29 });
  deepStrictEqual(press("escape"), { kind: "closed" });
  strictEqual(press("z"), 0);
  deepStrictEqual(press("enter"), { kind: "closed" });
  const click = (x: number, y: number): TerminalEvent => {
    return { kind: "mouse", action: "press", button: "left", x, y, ctrl: false, alt: false, shift: false };
  };
  const size = { width: 40, height: 20 };
  const short = openPalette("do", choices.slice(0, 3));
  deepStrictEqual(updatePalette(short, click(5, 10), size), { kind: "chosen", value: 1 });
  deepStrictEqual(updatePalette(short, click(5, 2), size), { kind: "closed" });
  deepStrictEqual(updatePalette(short, click(5, 7), size), { kind: "open", palette: short });
  const frame = new Frame(40, 20);
  drawPalette(frame.area(), openPalette("do", choices.slice(0, 3)), makeTheme("none"));
  ok(/╭─ do ─+ 3\/3 ─╮\n│ ›/.test(frame.text()), frame.text());
  ok(/│ service 1 +1 │/.test(frame.text()), frame.text());
});

Deno.test("small charts: gaps are blanks, what is more than nothing is seen", () => {
  strictEqual(sparkline([0, 1, 4, 8, undefined, 8], 6), "▁▂▅█ █");
  strictEqual(sparkline([0.01], 3, { max: 1 }), "  ▂");
  strictEqual(sparkline([1, 2, 3], 2, { max: 3 }), "▆█");
  strictEqual(sparkline([0, 0], 2), "▁▁");
  strictEqual(sparkline([1], 0), "");
});

const SGR: [parameters: string, look: Record<string, unknown>][] = [
  ["1;31", { bold: true, fg: RED }],
  ["", {}],
  ["94;104", { fg: BRIGHT + BLUE, bg: BRIGHT + BLUE }],
  ["38;5;208;4", { fg: 208, underline: true }],
  ["38;2;1;2;3;48;2;4;5;6", { fg: rgb(1, 2, 3), bg: rgb(4, 5, 6) }],
  ["38;5", {}],
  ["2;3;7;9", { dim: true, italic: true, inverse: true, strike: true }],
  ["999;33", { fg: 3 }],
];
for (const [parameters, look] of SGR) {
  Deno.test(`SGR "${parameters}" means ${JSON.stringify(look)}`, () =>
    deepStrictEqual(applySgr({}, parameters), look));
}

Deno.test("SGR codes also take back", () => {
  const all = applySgr({}, "1;2;3;4;7;9;31;42");
  deepStrictEqual(applySgr(all, "22;23;24;27;29;39;49"), {});
  deepStrictEqual(applySgr(all, "0;34"), { fg: BLUE });
});

Deno.test("a program's line keeps its colours and nothing else that it would do to a terminal", () => {
  const spans = ansiSpans("\x1b[1;36mINFO\x1b[0m up\x1b[2K\x1b]0;title\x07\x1b[10;10H!\x1b[?25l\x1b(B");
  deepStrictEqual(spans.map(({ text }) => text).join(""), "INFO up!");
  deepStrictEqual(lookOf(spans[0]!.style), { bold: true, fg: CYAN });
  strictEqual(spans[1]!.style, PLAIN);
  strictEqual(stripAnsi("a\tb\x1b[31m\tc"), "a       b       c");
  strictEqual(stripAnsi("漢\tb"), "漢      b");
  strictEqual(stripAnsi("10%\r50%\r100%\r"), "100%");
  strictEqual(stripAnsi("\x1b[31mold\rnew"), "new");
  deepStrictEqual(lookOf(ansiSpans("\x1b[31mold\rnew")[0]!.style), { fg: RED });
  strictEqual(stripAnsi("cut \x1b[3"), "cut ");
  strictEqual(stripAnsi("cut \x1b]8;;http"), "cut ");
  deepStrictEqual(ansiSpans(""), []);
  strictEqual(stripAnsi("a\x07b\x08\x9b2Jc\x7f"), "ab2Jc");
  strictEqual(stripAnsi("\x1b[1ma\x07b\x9b2Jc"), "ab2Jc");
});

Deno.test("text of others is printed with its colours alone, or without anything that a terminal obeys", () => {
  strictEqual(
    colouredLine("10%\r\x1b[31mred\x1b]52;c;eA==\x07\x1b[2J\x1b[>4;2m\x08!"),
    "\x1b[31mred!\x1b[0m",
  );
  strictEqual(colouredLine("plain\tline"), "plain\tline");
  strictEqual(plainText("\x1b[31mred\x1b[0m\x9b2J\tand\nmore"), "red2J\tand\nmore");
  strictEqual(plainLine("two\n\tlines\x1b[2J"), "two\\n\\tlines");
  const odd = { text: "\x1b\x7f\x9b é" };
  const json = plainJson(JSON.stringify(odd));
  strictEqual(json, String.raw`{"text":"\u001b\u007f\u009b é"}`);
  deepStrictEqual(JSON.parse(json), odd);
});

Deno.test("parts of spans are marked across their borders", () => {
  const [red, bold] = [style({ fg: RED }), style({ bold: true })];
  const marked = markSpans([span("abc", red), span("def")], [[1, 2], [2, 5]], { bold: true });
  deepStrictEqual(marked, [
    span("a", red),
    span("b", style({ fg: RED, bold: true })),
    span("c", style({ fg: RED, bold: true })),
    span("de", bold),
    span("f"),
  ]);
  deepStrictEqual(markSpans([span("abc")], [], { bold: true }), [span("abc")]);
});

Deno.test("a scroll bar is drawn where not all is seen", () => {
  const frame = new Frame(1, 4);
  drawScrollBar(frame.area(), 0, 4, PLAIN);
  strictEqual(frame.text(), "\n\n\n\n");
  drawScrollBar(frame.area(), 4, 8, PLAIN);
  strictEqual(frame.text(), "\n\n┃\n┃\n");
});

Deno.test("text is wrapped between words, words that are too long anywhere", () => {
  deepStrictEqual(wrapText("the quick brown fox", 10), ["the quick", "brown fox"]);
  deepStrictEqual(wrapText("abcdefghij", 4), ["abcd", "efgh", "ij"]);
  deepStrictEqual(wrapText("one\n\ntwo", 10), ["one", "", "two"]);
  deepStrictEqual(wrapText("漢字漢字", 5), ["漢字", "漢字"]);
});

Deno.test("spans are wrapped anywhere and keep their styles", () => {
  const bold = style({ bold: true });
  deepStrictEqual(wrapSpans([span("abc"), span("def", bold)], 4), [[span("abc"), span("d", bold)], [
    span("ef", bold),
  ]]);
  deepStrictEqual(wrapSpans([], 4), [[]]);
  deepStrictEqual(wrapSpans([span("漢字漢")], 3).length, 3);
});

Deno.test("a theme fits its terminal: light, dark, unknown, and without colours", () => {
  const background = (value: number) =>
    ({ kind: "background", red: value, green: value, blue: value }) as const;
  const [dark, light, unknown, none] = [
    makeTheme("true", background(0.1)),
    makeTheme("true", background(0.95)),
    makeTheme("true"),
    makeTheme("none", background(0.1)),
  ];
  strictEqual(lookOf(dark.accent).fg, CYAN);
  strictEqual(lookOf(light.accent).fg, BLUE);
  deepStrictEqual(unknown.selected, { inverse: true });
  deepStrictEqual(none.selected, { inverse: true });
  ok(
    dark.selected.bg !== undefined && light.selected.bg !== undefined &&
      dark.selected.bg !== light.selected.bg,
  );
  deepStrictEqual(lookOf(none.match), { bold: true, underline: true });
});

Deno.test("the clipboard is reached through tmux too", () => {
  strictEqual(clipboardSequence("é\n", { inTmux: false }), "\x1b]52;c;w6kK\x07");
  strictEqual(
    clipboardSequence("é\n", { inTmux: true }),
    "\x1b]52;c;w6kK\x07\x1bPtmux;\x1b\x1b]52;c;w6kK\x07\x1b\\",
  );
  ok(clipboardSequence("x".repeat(1_000_000), { inTmux: false }).length < 140_000);
});

Deno.test("a page is scrolled within its lines, and closed by any other key or a click", () => {
  const size = { count: 30, height: 14 };
  const mouse = (action: "press" | "release" | "wheeldown"): TerminalEvent => ({
    kind: "mouse",
    action,
    button: "left",
    x: 0,
    y: 0,
    ctrl: false,
    alt: false,
    shift: false,
  });
  const cases: [number, TerminalEvent, number | undefined][] = [
    [0, key("j"), 1],
    [0, key("k"), 0],
    [0, key("space"), 9],
    [15, key("pagedown"), 20],
    [15, key("ctrl+u"), 6],
    [3, key("G"), 20],
    [20, key("g"), 0],
    [3, key("q"), undefined],
    [3, mouse("wheeldown"), 6],
    [3, mouse("press"), undefined],
    [3, mouse("release"), 3],
    [3, { kind: "resize", width: 80, height: 14 }, 3],
  ];
  for (const [top, event, expected] of cases) {
    strictEqual(scrollPage(top, event, size), expected, JSON.stringify(event));
  }
  strictEqual(scrollPage(0, key("end"), { count: 3, height: 14 }), 0);
});
