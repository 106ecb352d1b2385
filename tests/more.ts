/** Reading what a program says, in tests. @module */
import { ok } from "node:assert/strict";

/** What comes next; an end that comes instead fails the test. */
export async function more<T>(reader: ReadableStreamDefaultReader<T>): Promise<T> {
  const { value, done } = await reader.read();
  ok(!done, "the output has ended");
  return value;
}
