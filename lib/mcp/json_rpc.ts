/** JSON-RPC 2.0 as far as a server needs it that answers by itself. @module */

/** The error codes of the standard. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
} as const;

/** An id; `null` when it could not be read. */
export type RpcId = string | number | null;

/** One answer. */
export type RpcResponse =
  | { readonly jsonrpc: "2.0"; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: "2.0"; readonly id: RpcId; readonly error: { code: number; message: string } };

/** A request, or a notification when `id` is left out. */
export interface RpcRequest {
  readonly id?: RpcId;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** An error answer. */
export function rpcError(id: RpcId, code: number, message: string): RpcResponse {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** A result answer. */
export function rpcResult(id: RpcId, result: unknown): RpcResponse {
  return { jsonrpc: "2.0", id, result };
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The id of a message, as far as it has one. */
export function idOf(message: unknown): RpcId {
  return isRecord(message) && (typeof message.id === "string" || typeof message.id === "number")
    ? message.id
    : null;
}

/** Reads one message; what is no request comes back as the error to answer it with. */
export function readRequest(message: unknown): RpcRequest | RpcResponse {
  if (!isRecord(message)) return rpcError(null, RPC.invalidRequest, "Invalid request: expected an object");
  const id = idOf(message);
  if (message.jsonrpc !== "2.0") {
    return rpcError(id, RPC.invalidRequest, 'Invalid request: "jsonrpc" is not "2.0"');
  }
  if (typeof message.method !== "string") {
    return rpcError(id, RPC.invalidRequest, 'Invalid request: "method" is not a string');
  }
  if (message.params !== undefined && !isRecord(message.params)) {
    return rpcError(id, RPC.invalidParams, 'Invalid params: "params" is not an object');
  }
  return { ...("id" in message ? { id } : {}), method: message.method, params: message.params ?? {} };
}
