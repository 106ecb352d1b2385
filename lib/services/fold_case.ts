/**
 * Patterns that ignore case, said without the flag: V8 goes on in linear time where a pattern backtracks without end, but
 * not with the flag `i`. Pure. @module
 */

/** The letter in its other case; itself where it has none. */
function otherCase(letter: string): string {
  const lower = letter.toLowerCase();
  return letter === lower ? letter.toUpperCase() : lower;
}

/** Beyond ASCII a letter may have several others. */
const NO_PAIR = /[^\0-\x7f]/;

const RANGE = /^([^\\\]])-([^\\\]])/;
const ESCAPE = /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^])/;

/**
 * The source of a pattern without flags that matches what `source` does with `i`; undefined where that is not to be said.
 * Sources with groups of flags or names are left as they are.
 */
export function foldCase(source: string): string | undefined {
  if (NO_PAIR.test(source)) return undefined;
  let folded = "";
  for (let at = 0; at < source.length;) {
    const rest = source.slice(at);
    if (rest.startsWith("(?") && !rest.startsWith("(?:")) return undefined;
    if (rest[0] === "[") {
      const found = foldClass(rest);
      if (found === undefined) return undefined;
      folded += found.folded;
      at += found.length;
      continue;
    }
    const escape = ESCAPE.exec(rest)?.[0];
    if (escape !== undefined) {
      // Numbers of characters may be letters; references and properties are no linear patterns anyway.
      if (/^\\[xukpP1-9]/.test(escape)) return undefined;
      folded += escape;
      at += escape.length;
      continue;
    }
    const letter = rest[0]!;
    folded += otherCase(letter) === letter ? letter : `[${letter}${otherCase(letter)}]`;
    at++;
  }
  return folded;
}

/** A class from its opening bracket on, and how long it was. */
function foldClass(text: string): { readonly folded: string; readonly length: number } | undefined {
  let folded = text.startsWith("[^") ? "[^" : "[";
  for (let at = folded.length; at < text.length;) {
    const rest = text.slice(at);
    if (rest[0] === "]") return { folded: `${folded}]`, length: at + 1 };
    const escape = ESCAPE.exec(rest)?.[0];
    if (escape !== undefined) {
      if (/^\\[xukpP]/.test(escape) || /^-[^\]]/.test(rest.slice(escape.length))) return undefined;
      folded += escape;
      at += escape.length;
      continue;
    }
    const [range, first = "", last = ""] = RANGE.exec(rest) ?? [];
    if (range !== undefined) {
      folded += range + foldRange(first, last);
      at += range.length;
      continue;
    }
    const letter = rest[0]!;
    folded += otherCase(letter) === letter ? letter : letter + otherCase(letter);
    at++;
  }
  return undefined;
}

/** What a range matches beside itself. */
function foldRange(first: string, last: string): string {
  const within = (from: string, to: string, shift: number) => {
    const [low, high] = [first > from ? first : from, last < to ? last : to];
    if (low > high) return "";
    const moved = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + shift);
    return `${moved(low)}-${moved(high)}`;
  };
  return within("a", "z", -32) + within("A", "Z", 32);
}
