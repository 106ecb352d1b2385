/** Tokens that requests carry. @module */

/** Compares without telling by its time how much was right. */
export function isSameToken(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  let different = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) different |= (a[at] ?? 0) ^ b[at]!;
  return different === 0;
}

/** What stands in `Authorization: Bearer …`; undefined when there is no such header. */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
}
