/** YAML as compose files are written in. Pure. @module */

/** References to anchors are followed; a file that multiplies itself is refused. */
const MAX_ALIASES = 100;

/** The one document of a text, as plain data. @throws {SyntaxError} Naming file, line and what was found. */
export async function readYaml(text: string, file: string): Promise<unknown> {
  // 27 ms to load, which only those pay who read YAML.
  // A bundle has only the whole of it, as it is no ES module.
  const { LineCounter, parseDocument } = (await import("yaml")).default;
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new SyntaxError(`Cannot read ${file}:${line}:${col}: ${error.message}`, { cause: error });
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
