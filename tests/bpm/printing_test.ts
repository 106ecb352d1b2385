/** What commands print, and what keys and terminals are to them. */
import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import {
  DetachKeys,
  graphText,
  type LocalLine,
  LogPrinter,
  type LogStyle,
  parseKeys,
  type ProcessRow,
  processTable,
  TerminalModes,
} from "../../lib/bpm/mod.ts";

const line = (text: string, more: Partial<LocalLine> = {}): LocalLine => {
  return { process: "api", of: "run", instance: 3, timeMs: 0, stream: "stdout", text, ...more };
};
const PLAIN: LogStyle = { form: "text", colour: false, named: false, timed: false };

Deno.test("LogPrinter shows matches with lines of the same process around them, each once", () => {
  const printer = new LogPrinter({ ...PLAIN, named: true }, { pattern: /x/, context: 1 });
  const lines = ["a", "b", "x1", "c", "d", "e", "x2", "x3", "f"].flatMap((text, at) => [
    line(text, { timeMs: at }),
    line(`other ${text === "x1" ? "" : at}`, { process: "web" }),
  ]);
  deepStrictEqual(lines.flatMap((each) => printer.take(each)), [
    "[api]    b",
    "[api]  * x1",
    "[api]    c",
    "[api]    e",
    "[api]  * x2",
    "[api]  * x3",
    "[api]    f",
  ]);
});

Deno.test("LogPrinter colours names by process and matches in red, and leaves colours that are there", () => {
  const printer = new LogPrinter({ ...PLAIN, named: true, colour: true }, { pattern: /o+/, context: 0 });
  deepStrictEqual(
    [line("foo"), line("bo", { process: "web" }), line("\x1b[32mo")].flatMap((each) => printer.take(each)),
    [
      "\x1b[36m[api]\x1b[0m f\x1b[1;31moo\x1b[0m",
      "\x1b[33m[web]\x1b[0m b\x1b[1;31mo\x1b[0m",
      "\x1b[36m[api]\x1b[0m \x1b[32mo",
    ],
  );
});

Deno.test("LogPrinter names streams, builds and the keeper's words, the time, and prints data", () => {
  const all = { pattern: undefined, context: 0 };
  const shown = (style: Partial<LogStyle>, each: LocalLine) =>
    new LogPrinter({ ...PLAIN, ...style }, all).take(each)[0]!;
  strictEqual(shown({}, line("a", { stream: "stderr" })), "[stderr] a");
  strictEqual(shown({}, line("a", { stream: "stderr", of: "build" })), "a", "as upstream's build logs");
  strictEqual(shown({}, line("a", { stream: "bpm" })), "[bpm] a");
  strictEqual(shown({ named: true }, line("a", { of: "build" })), "[api build] a");
  match(shown({ timed: true }, line("a", { timeMs: 61_042 })), /^\d\d:\d\d:01\.042 a$/);
  deepStrictEqual(JSON.parse(shown({ form: "json" }, line("a"))), line("a"));
});

Deno.test("DetachKeys finds the keys however they are cut, and passes all else on in order", () => {
  const text = new TextDecoder();
  const keys = () => new DetachKeys(parseKeys("ctrl-p,ctrl-q"));
  const typed = (...pieces: string[]) => {
    const detach = keys();
    const passed = pieces.map((piece) => detach.take(new TextEncoder().encode(piece)));
    return [passed.map(({ bytes }) => text.decode(bytes)).join("|"), passed.at(-1)!.detached];
  };
  deepStrictEqual(typed("a\x10\x11b"), ["a", true]);
  deepStrictEqual(typed("a\x10", "\x11"), ["a|", true]);
  deepStrictEqual(typed("\x10", "x"), ["|\x10x", false]);
  deepStrictEqual(typed("\x10\x10", "\x11"), ["\x10|", true]);
  deepStrictEqual(typed("\x11\x10"), ["\x11", false]);
});

Deno.test("parseKeys() reads control keys and characters, and names what is none", () => {
  deepStrictEqual([...parseKeys("ctrl-],x,ctrl-A")], [0x1d, 0x78, 1]);
  throws(() => parseKeys("ctrl-]x"), /"ctrl-\]x" is none, expected one such as ctrl-\] or x/);
  throws(() => parseKeys("a,b,c,d,e"), /there are 5, at most 4/);
});

Deno.test("TerminalModes undoes what was changed and nothing else, also of sequences that were cut", () => {
  const modes = new TerminalModes();
  const write = (text: string) => modes.take(new TextEncoder().encode(text));
  strictEqual(modes.undo(), "\x1b[0m");
  write("\x1b[?1049h\x1b[?25l text \x1b[?2004h\x1b[?2004l\x1b[?99");
  write("97h\x1b[?10");
  write("00;1006h");
  strictEqual(modes.undo(), "\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1006l");
});

Deno.test("processTable() aligns its columns and leaves open what is not known", () => {
  const api: ProcessRow = {
    name: "api",
    state: "running",
    ready: true,
    pid: 12,
    uptimeMs: 3_900_000,
    startsInMs: null,
    restarts: 2,
    url: "http://x",
    exit: null,
    swap: null,
    cpuRatio: 0.051,
    memoryBytes: 1_572_864,
  };
  const rows: ProcessRow[] = [
    api,
    { ...api, name: "worker", uptimeMs: 61_000, url: null, memoryBytes: 512, cpuRatio: null },
    { ...api, name: "old", uptimeMs: 90_000_000, memoryBytes: 3 * 2 ** 30 },
    {
      name: "job",
      state: "finished",
      ready: false,
      pid: null,
      uptimeMs: null,
      startsInMs: null,
      restarts: 0,
      url: null,
      exit: "9",
      swap: null,
    },
  ];
  deepStrictEqual(processTable(rows), [
    "NAME    STATE              PID   CPU   MEMORY  UPTIME  RESTARTS  URL",
    "api     running             12  5.1%  1.5 MiB  1h 05m         2  http://x",
    "worker  running             12     -    512 B  1m 01s         2  -",
    "old     running             12  5.1%  3.0 GiB  1d 01h         2  http://x",
    "job     finished (exit 9)    -     -        -       -         0  -",
  ]);
  const swap = { way: "proxy", reason: "clients keep connections", proxied: null };
  deepStrictEqual(processTable([{ ...api, swap }, { ...rows[3]!, startsInMs: 61_000 }]), [
    "NAME  STATE                               PID   CPU   MEMORY  UPTIME  RESTARTS  SWAP   URL",
    "api   running                              12  5.1%  1.5 MiB  1h 05m         2  proxy  http://x",
    "job   finished (exit 9), in 1m 01s again    -     -        -       -         0  -      -",
  ]);
});

Deno.test("graphText() draws what waits for what, and what is shared once", () => {
  const node = (name: string, state = "running") => ({ name, state });
  const edge = (from: string, to: string, holds = "yes") => ({ from, to, condition: "ready", holds });
  deepStrictEqual(
    graphText([node("web"), node("api"), node("db", "starting"), node("alone")], [
      edge("web", "api"),
      edge("web", "db", "no"),
      edge("api", "db", "no"),
      edge("db", "disk"),
    ]),
    [
      "web  running",
      "├─ api  running  ✔ ready",
      "│  └─ db  starting  … ready",
      "│     └─ disk  unknown  ✔ ready",
      "└─ db  starting  … ready",
      "   └─ (as above)",
      "alone  running",
    ],
  );
});
