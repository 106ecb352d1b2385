/** Changes one member of a JSON text and leaves every other byte as it is: order, numbers, indents, comments. @module */
import { type JsonMember, type JsonNode, readJsonTree } from "./json_tree.ts";

/** A change of one text. */
interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/**
 * Sets the member at `path`, making the objects on the way that are missing.
 * @throws {SyntaxError} When the text is damaged; {TypeError} when something on the way is no object or there twice.
 */
export function setJsonMember(
  text: string,
  path: readonly string[],
  value: unknown,
  options: { comments: boolean },
): string {
  let node = readJsonTree(text.trim() === "" ? "{}" : text, options);
  const source = text.trim() === "" ? "{}\n" : text;
  const style = styleOf(source);
  for (const [depth, key] of path.entries()) {
    const member = memberOf(node, key, path.slice(0, depth));
    if (member === undefined) {
      const rest = path.slice(depth + 1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      return apply(source, insertion(source, node, key, rest, style));
    }
    node = member.node;
  }
  const insert = render(value, indentAt(source, node.start), style);
  return apply(source, [{ at: node.start, remove: node.end - node.start, insert }]);
}

/** Removes the member at `path`; the text itself when it is not there. @throws As `setJsonMember`. */
export function removeJsonMember(
  text: string,
  path: readonly string[],
  options: { comments: boolean },
): string {
  let node = readJsonTree(text, options);
  for (const [depth, key] of path.entries()) {
    const member = memberOf(node, key, path.slice(0, depth));
    if (member === undefined) return text;
    if (depth === path.length - 1) return apply(text, removal(text, node, member));
    node = member.node;
  }
  return text;
}

/** The value at `path`, or `undefined`. @throws As `setJsonMember`. */
export function jsonMember(text: string, path: readonly string[], options: { comments: boolean }): unknown {
  let node = readJsonTree(text, options);
  for (const [depth, key] of path.entries()) {
    const member = memberOf(node, key, path.slice(0, depth));
    if (member === undefined) return undefined;
    node = member.node;
  }
  return node.value;
}

function memberOf(node: JsonNode, key: string, path: readonly string[]): JsonMember | undefined {
  const where = path.length === 0 ? "the document" : `"${path.join(".")}"`;
  if (node.members === undefined) throw new TypeError(`${where} is no object`);
  const found = node.members.filter((member) => member.key === key);
  if (found.length > 1) throw new TypeError(`${where} has the key "${key}" twice`);
  return found[0];
}

/** How the text is written. */
interface Style {
  readonly unit: string;
  readonly newline: string;
}

function styleOf(text: string): Style {
  return { unit: /^([ \t]+)"/m.exec(text)?.[1] ?? "  ", newline: text.includes("\r\n") ? "\r\n" : "\n" };
}

/** The blanks at the beginning of the line in which a place is. */
function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*/.exec(line)![0];
}

function render(value: unknown, indent: string, { unit, newline }: Style): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", `${newline}${indent}`);
}

function insertion(text: string, object: JsonNode, key: string, value: unknown, style: Style): Splice[] {
  const outer = indentAt(text, object.start);
  const last = object.members?.at(-1);
  const inner = last === undefined || !text.slice(object.start, last.keyStart).includes("\n")
    ? `${outer}${style.unit}`
    : indentAt(text, last.keyStart);
  const member = `${style.newline}${inner}${JSON.stringify(key)}: ${render(value, inner, style)}`;
  // Before the blanks in front of the brace, so that a comment behind the last member stays with it.
  const brace = object.end - 1;
  const at = text.slice(0, brace).trimEnd().length;
  const tail = text.slice(at, brace);
  const splices: Splice[] = [{
    at,
    remove: 0,
    insert: tail.includes("\n") ? member : `${member}${style.newline}${outer}`,
  }];
  if (last !== undefined && last.comma === undefined) {
    splices.push({ at: last.node.end, remove: 0, insert: "," });
  }
  return splices;
}

function removal(text: string, object: JsonNode, member: JsonMember): Splice[] {
  const members = object.members ?? [];
  const index = members.indexOf(member);
  const end = member.comma === undefined ? member.node.end : member.comma + 1;
  const lineStart = text.lastIndexOf("\n", member.keyStart - 1) + 1;
  const alone = text.slice(lineStart, member.keyStart).trim() === "";
  const rest = /[ \t]*(?:\r?\n)?/y;
  rest.lastIndex = end;
  const blank = rest.exec(text)?.[0] ?? "";
  const wholeLines = alone && blank.endsWith("\n");
  const from = wholeLines ? lineStart : member.keyStart;
  const to = wholeLines ? end + blank.length : end + (/^[ \t]*/.exec(blank)?.[0].length ?? 0);
  const splices: Splice[] = [{ at: from, remove: to - from, insert: "" }];
  const before = members[index - 1];
  if (index === members.length - 1 && member.comma === undefined && before?.comma !== undefined) {
    splices.push({ at: before.comma, remove: 1, insert: "" });
  }
  return splices;
}

function apply(text: string, splices: readonly Splice[]): string {
  return [...splices].sort((a, b) => b.at - a.at).reduce(
    (current, { at, remove, insert }) => current.slice(0, at) + insert + current.slice(at + remove),
    text,
  );
}
