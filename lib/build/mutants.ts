/**
 * Mutants: each exported function, and each method of an exported class, with its body replaced by a `throw`. A test
 * suite that still passes does not test it. Pure but for what TypeScript's parser needs.
 * @module
 */
import ts from "typescript";

/** One changed place. */
export interface Mutant {
  readonly file: string;
  /** `name` or `Class.name`. */
  readonly name: string;
  /** Where the body's first statement would begin. */
  readonly at: number;
}

/** What a mutated body does. */
const MUTATION = ' throw new Error("mutant");';

/** The mutants of a source file. Types, re-exports and bodies that are empty have none. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const add = (name: string, body: ts.Node | undefined) => {
    if (body !== undefined && ts.isBlock(body) && body.statements.length > 0) {
      mutants.push({ file, name, at: body.getStart(source) + 1 });
    }
  };
  for (const statement of source.statements) {
    if (!isExported(statement)) continue;
    if (ts.isFunctionDeclaration(statement)) add(statement.name?.text ?? "default", statement.body);
    if (ts.isClassDeclaration(statement)) {
      for (const member of statement.members) {
        const isCode = ts.isMethodDeclaration(member) || ts.isGetAccessor(member) || ts.isSetAccessor(member);
        if (isCode && !ts.isPrivateIdentifier(member.name)) {
          add(`${statement.name?.text}.${member.name.getText(source)}`, member.body);
        }
      }
    }
  }
  return mutants;
}

/** The text with the mutant in it. */
export function mutated(text: string, mutant: Mutant): string {
  return text.slice(0, mutant.at) + MUTATION + text.slice(mutant.at);
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}
