/** Bodies that may be larger than anybody wants to hold. @module */

/** A body as text; `undefined` when it is larger than `limitBytes`. @throws {Error} When its sender goes away. */
export async function boundedText(
  { headers, body }: Pick<Request | Response, "headers" | "body">,
  limitBytes: number,
): Promise<string | undefined> {
  if (Number(headers.get("content-length")) > limitBytes) {
    await body?.cancel();
    return undefined;
  }
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > limitBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
