/** A stream on which a server tells of changes by itself: `subscriptions/listen` of 2026-07-28. Shell. @module */
import { SseReader } from "./reply.ts";

/** The revision that has such streams; the others are not spoken on them. */
const PROTOCOL = "2026-07-28";
const METHOD = "subscriptions/listen";

/** Where, and what. */
export interface ListenOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Resources. */
  readonly uris: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Tells of each change until the server ends the stream; `refused` when it never began one.
 * @throws The signal's reason, or why the server cannot be reached.
 */
export async function listenToChanges(
  { url, token, uris, signal }: ListenOptions,
  tell: (uri: string) => void,
): Promise<"ended" | "refused"> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": PROTOCOL,
      "mcp-method": METHOD,
      ...token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: METHOD,
      params: {
        notifications: { resourceSubscriptions: uris },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": PROTOCOL,
          "io.modelcontextprotocol/clientInfo": { name: "bpm-tui", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
    signal,
  });
  if (!response.ok || response.headers.get("content-type")?.includes("event-stream") !== true) {
    await response.body?.cancel();
    return "refused";
  }
  const reader = new SseReader();
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    for (const event of reader.feed(decoder.decode(chunk, { stream: true }))) {
      const { method, params, error } = JSON.parse(event);
      if (error !== undefined) return "refused";
      if (method === "notifications/resources/updated") tell(String(params?.uri));
    }
  }
  return "ended";
}
