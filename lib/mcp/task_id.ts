/**
 * Ids of tasks. One says which server began the task, so that another one can tell that it is not its own; and where the
 * call can be made anew without harm, the call itself: a task outlives its server that way, without anybody keeping it.
 * Whoever makes up such an id gets what a call would have given. Pure.
 * @module
 */
import { isRecord } from "./json_rpc.ts";

/** A call that may be made anew. */
export interface KeptCall {
  readonly tool: string;
  readonly input: unknown;
  /** When it was begun, Unix milliseconds. */
  readonly createdMs: number;
}

/** Ids stand in headers, too: a larger call is not kept. */
const KEPT_CHARS = 2_000;
const ID = /^([0-9a-f]{8})\.[0-9a-f-]{36}(?:\.([\w-]+))?$/;

/** @param server 8 hexadecimal digits. @param random A UUID, so that the id is not to be guessed. */
export function taskId(server: string, random: string, call: KeptCall | undefined): string {
  const plain = `${server}.${random}`;
  if (call === undefined) return plain;
  const { tool, input, createdMs } = call;
  const bytes = new TextEncoder().encode(JSON.stringify({ tool, input, createdMs }));
  const kept = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return kept.length <= KEPT_CHARS ? `${plain}.${kept}` : plain;
}

/** What an id says; undefined when it is none of these. */
export function originOf(
  id: string,
): { readonly server: string; readonly call: KeptCall | undefined } | undefined {
  const [, server, kept] = ID.exec(id) ?? [];
  if (server === undefined) return undefined;
  return { server, call: kept === undefined || kept.length > KEPT_CHARS ? undefined : callIn(kept) };
}

function callIn(kept: string): KeptCall | undefined {
  try {
    const bytes = Uint8Array.fromBase64(kept, { alphabet: "base64url" });
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isRecord(value)) return undefined;
    const { tool, input, createdMs } = value;
    return typeof tool === "string" && Number.isSafeInteger(createdMs)
      ? { tool, input, createdMs: createdMs as number }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
