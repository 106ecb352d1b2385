/** Answers of a server as its client is shown them: with what the proxy adds. Pure. @module */
import { isRecord, RPC } from "../mcp/json_rpc.ts";
import { filterField } from "./lists.ts";
import { envelopeOf, type Message, META, paramsOf } from "./message.ts";
import { LISTS } from "./session.ts";
import type { Call } from "./table.ts";

/** Fields that a list has in the era without sessions. */
const STATELESS = { resultType: "complete", ttlMs: 0, cacheScope: "private" } as const;

/** A result. */
export function shownResult(
  { id, message: { method } }: Call,
  result: Message,
  ownTools: readonly Message[],
): Message {
  if (method === "initialize" || method === "server/discover") {
    return withProxyCapabilities(result, ownTools.length > 0);
  }
  if (method === "subscriptions/listen") {
    return { ...result, _meta: { ...result._meta as Message, [META.subscription]: id } };
  }
  // The proxy's own stand behind the last page.
  const isLast = method === "tools/list" && ownTools.length > 0 && typeof result.nextCursor !== "string";
  return isLast
    ? { ...result, tools: [...Array.isArray(result.tools) ? result.tools : [], ...ownTools] }
    : result;
}

/** An error. A server without tools has none to list; the proxy may have some. */
export function shownError({ message }: Call, error: Message, ownTools: readonly Message[]): Message {
  const isList = message.method === "tools/list" && error.code === RPC.methodNotFound && ownTools.length > 0;
  if (!isList) return { error };
  const fields = envelopeOf(message) === undefined ? {} : STATELESS;
  return { error: undefined, result: { ...fields, tools: ownTools } };
}

/** What is told to whoever listens: what its server agreed to tell, and changes of lists, which the proxy sees. */
export function shownFilter({ message }: Call, acknowledged: Message): Message {
  const asked = paramsOf(message).notifications;
  const agreed = paramsOf(acknowledged).notifications;
  const fields = LISTS.map(filterField).filter((field) => isRecord(asked) && asked[field] === true);
  return { ...isRecord(agreed) ? agreed : {}, ...Object.fromEntries(fields.map((field) => [field, true])) };
}

/** Tells whoever listens that each resource may be another one: nobody has watched while there was no server. */
export function updatesFor({ id, heard }: Call): Message[] {
  const uris = Array.isArray(heard?.resourceSubscriptions) ? heard.resourceSubscriptions : [];
  return uris.map((uri) => updated({ uri, _meta: { [META.subscription]: id } }));
}

/** A resource may be another one. */
export function updated(params: Message): Message {
  return { jsonrpc: "2.0", method: "notifications/resources/updated", params };
}

/** What a server says that it can, with what its proxy adds: it tells when lists change, and may have tools. */
function withProxyCapabilities(result: Message, hasTools: boolean): Message {
  const capabilities = isRecord(result.capabilities) ? result.capabilities : {};
  const kinds = LISTS.filter((kind) => isRecord(capabilities[kind]) || (kind === "tools" && hasTools));
  const told = kinds.map((kind) => [kind, { ...capabilities[kind] as Message, listChanged: true }]);
  return { ...result, capabilities: { ...capabilities, ...Object.fromEntries(told) } };
}
