/** Sets of characters by their numbers, and how patterns without flags say them. Pure. @module */

/** From and to, both included, ascending. */
export type Ranges = readonly (readonly [number, number])[];

const MOST_CODE = 0x10ffff;
/** Characters that are looked at together: V8 takes back what it has taken one by one. */
const CHUNK = 4_096;

/** What is matched of all characters. `runs` is global, and matches one or more of them. */
export function codesOf(runs: RegExp): Ranges {
  const ranges: [number, number][] = [];
  for (let first = 0; first <= MOST_CODE; first += CHUNK) {
    for (const { 0: run } of chunkAt(first).matchAll(runs)) {
      const [from, to] = [run.codePointAt(0)!, codeAtEnd(run)];
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === from - 1) last[1] = to;
      else ranges.push([from, to]);
    }
  }
  return ranges;
}

/** Halves of pairs are no characters. */
function chunkAt(first: number): string {
  const limit = first < 0xd800 ? Math.min(first + CHUNK, 0xd800) : first + CHUNK;
  return String.fromCodePoint(...Array.from({ length: limit - first }, (_, at) => first + at));
}

function codeAtEnd(text: string): number {
  const pair = text.codePointAt(text.length - 2);
  return pair !== undefined && pair > 0xffff ? pair : text.charCodeAt(text.length - 1);
}

/** All characters that have another case, once somebody asks for one. */
let cased: string | undefined;

/** A character in all its cases. */
export function foldedCodes(char: string): Ranges {
  if (/^[\0-\x7f]$/.test(char) && !/[ksKS]/.test(char)) return asciiCases(char);
  cased ??= codesOf(/\p{Changes_When_Casemapped}+/gu)
    .map(([from, to]) => String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, at) => from + at)))
    .join("");
  const same = new RegExp(`\\u{${char.codePointAt(0)!.toString(16)}}`, "giu");
  const codes = new Set([char, ...cased.match(same) ?? []].map((each) => each.codePointAt(0)!));
  return [...codes].sort((left, right) => left - right).map((code) => [code, code]);
}

function asciiCases(char: string): Ranges {
  const cases = new Set([char.toUpperCase(), char.toLowerCase()]);
  return [...cases].map((each) => [each.charCodeAt(0), each.charCodeAt(0)]);
}

/** One character of the ranges, as a part of a pattern that can be repeated. */
export function shownRanges(ranges: Ranges): string {
  if (ranges.length === 1 && ranges[0]![0] === ranges[0]![1] && ranges[0]![0] <= 0xffff) {
    const [[code]] = ranges as [[number, number]];
    const char = String.fromCharCode(code);
    return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
  }
  const short = ranges.filter(([from]) => from <= 0xffff)
    .map(([from, to]) => shownRange(from, Math.min(to, 0xffff)));
  const pairs = ranges.filter(([, to]) => to > 0xffff)
    .flatMap(([from, to]) => pairsOf(Math.max(from, 0x10000), to));
  const all = short.length === 0 && pairs.length > 0 ? pairs : [`[${short.join("")}]`, ...pairs];
  return all.length === 1 && pairs.length === 0 ? all[0]! : `(?:${all.join("|")})`;
}

/** Characters beyond 16 bits as pairs of halves. */
function pairsOf(from: number, to: number): string[] {
  const [high, low] = halvesOf(from);
  const [lastHigh, lastLow] = halvesOf(to);
  const pair = (highs: [number, number], lows: [number, number]) =>
    `[${shownRange(...highs)}][${shownRange(...lows)}]`;
  if (high === lastHigh) return [pair([high, high], [low, lastLow])];
  return [
    pair([high, high], [low, 0xdfff]),
    ...(lastHigh - high > 1 ? [pair([high + 1, lastHigh - 1], [0xdc00, 0xdfff])] : []),
    pair([lastHigh, lastHigh], [0xdc00, lastLow]),
  ];
}

function halvesOf(code: number): [number, number] {
  const beyond = code - 0x10000;
  return [0xd800 + (beyond >> 10), 0xdc00 + (beyond & 0x3ff)];
}

function shownRange(from: number, to: number): string {
  const shown = (code: number) =>
    /[0-9A-Za-z]/.test(String.fromCharCode(code))
      ? String.fromCharCode(code)
      : `\\u${code.toString(16).padStart(4, "0")}`;
  return from === to ? shown(from) : `${shown(from)}-${shown(to)}`;
}
