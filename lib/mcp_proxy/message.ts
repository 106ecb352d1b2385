/** Messages as they pass: what kind each is, and how it is named to a person. Pure. @module */
import { isRecord } from "../mcp/json_rpc.ts";

/** An object of JSON. */
export type Message = Readonly<Record<string, unknown>>;
/** An id that a request may have. */
export type Id = string | number;

/** What a message is. */
export type Kind =
  | { readonly kind: "request"; readonly id: Id; readonly method: string }
  | { readonly kind: "notification"; readonly method: string }
  | { readonly kind: "answer"; readonly id: Id }
  | { readonly kind: "none"; readonly reason: string };

/** Tells what a value is, whoever sent it. */
export function kindOf(value: unknown): Kind {
  if (!isRecord(value)) return none("expected an object");
  const { id, method } = value;
  if (method === undefined) {
    return isId(id) ? { kind: "answer", id } : none("it has neither a method nor the id of a request");
  }
  if (typeof method !== "string") return none('"method" is not a string');
  if (!("id" in value)) return { kind: "notification", method };
  return isId(id) ? { kind: "request", id, method } : none('"id" is neither a string nor a number');
}

function none(reason: string): Kind {
  return { kind: "none", reason };
}

export function isId(value: unknown): value is Id {
  return typeof value === "string" || typeof value === "number";
}

/** Whether an answer is one of JSON-RPC: a result, or an error with its code and its words. */
export function isAnswer({ result, error }: Message): boolean {
  if (result !== undefined) return error === undefined && isRecord(result);
  return isRecord(error) && typeof error.code === "number" && typeof error.message === "string";
}

export function paramsOf(message: Message): Message {
  return isRecord(message.params) ? message.params : {};
}

export function metaOf(message: Message): Message {
  const { _meta } = paramsOf(message);
  return isRecord(_meta) ? _meta : {};
}

/** The same message with other params. */
export function withParams(message: Message, params: Message): Message {
  return { ...message, params: { ...paramsOf(message), ...params } };
}

/** What is asked, in few words: `tools/call greet`. */
export function named(message: Message): string {
  const { name, uri, taskId } = paramsOf(message);
  const of = [name, uri, taskId].find((each) => typeof each === "string");
  return of === undefined ? `${message.method}` : `${message.method} ${of}`;
}

/** Keys of `_meta` in the era without sessions. */
export const META = {
  version: "io.modelcontextprotocol/protocolVersion",
  client: "io.modelcontextprotocol/clientInfo",
  capabilities: "io.modelcontextprotocol/clientCapabilities",
  subscription: "io.modelcontextprotocol/subscriptionId",
} as const;

/** What each request of the era without sessions carries; `undefined` for a message of the era before. */
export function envelopeOf(message: Message): Message | undefined {
  const meta = metaOf(message);
  if (typeof meta[META.version] !== "string") return undefined;
  const keys = [META.version, META.client, META.capabilities].filter((key) => meta[key] !== undefined);
  return Object.fromEntries(keys.map((key) => [key, meta[key]]));
}
