/** How a tool or a prompt asks the person or the model on the other side. @module */

/** One question: a form for the person, a text for the model, or the folders the client works in. */
export interface Question {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What came back: for a form `{ action, content? }`, for a model `{ role, content, model }`, or `{ roots }`. */
export interface Answer {
  readonly [field: string]: unknown;
}

/** Questions by a key that the asker chooses. */
export type Questions = Readonly<Record<string, Question>>;
/** Answers by the same keys. */
export type Answers = Readonly<Record<string, Answer>>;

/**
 * Thrown by `ask` where the protocol carries questions in the answer of the call: the server sends them, and the client
 * calls once more with the answers. Let it pass.
 */
export class AnswersNeeded extends Error {
  override readonly name = "AnswersNeeded";

  constructor(readonly questions: Questions, readonly answered: Answers) {
    super(`answers are needed: ${Object.keys(questions).join(", ")}`);
  }
}

/**
 * Returns all answers when they are there.
 * @throws {AnswersNeeded} With those that are not.
 */
export function answersTo(questions: Questions, known: Answers): Answers {
  const missing = Object.entries(questions).filter(([key]) => !Object.hasOwn(known, key));
  if (missing.length > 0) throw new AnswersNeeded(Object.fromEntries(missing), known);
  return Object.fromEntries(Object.keys(questions).map((key) => [key, known[key]!]));
}
