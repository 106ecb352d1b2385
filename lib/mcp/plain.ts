/**
 * The dialect of bpm's old clients: 2024-11-05 without sessions and without `Accept`, answered with bare JSON. A tool
 * that fails is an error of the protocol there, since that is what those clients parse.
 * @module
 */
import type { Engine } from "./_engine.ts";
import {
  isRecord,
  readRequest,
  RPC,
  rpcError,
  type RpcId,
  type RpcRequest,
  type RpcResponse,
  rpcResult,
} from "./json_rpc.ts";
import { callResult, toolListing } from "./wire.ts";

/** The only revision of this dialect, whatever the client asks for. */
export const PLAIN_VERSION = "2024-11-05";

/** How the server introduces itself to old clients. */
export interface PlainInfo {
  readonly name: string;
  readonly version: string;
}

/** Answers a message or a batch; `undefined` when there is nothing to answer. */
export async function answerPlain(
  engine: Engine,
  info: PlainInfo,
  body: unknown,
  signal: AbortSignal,
): Promise<RpcResponse | RpcResponse[] | undefined> {
  if (!Array.isArray(body)) return await answerOne(engine, info, body, signal);
  if (body.length === 0) return rpcError(null, RPC.invalidRequest, "Invalid request: the batch is empty");
  if (body.length > engine.limits.batch) {
    return rpcError(
      null,
      RPC.invalidRequest,
      `Invalid request: a batch has at most ${engine.limits.batch} messages`,
    );
  }
  const answers = await Promise.all(body.map((message) => answerOne(engine, info, message, signal)));
  const told = answers.filter((each) => each !== undefined);
  return told.length === 0 ? undefined : told;
}

async function answerOne(
  engine: Engine,
  info: PlainInfo,
  message: unknown,
  signal: AbortSignal,
): Promise<RpcResponse | undefined> {
  // What a client answers is of no use here: nothing is ever asked.
  if (isRecord(message) && !("method" in message) && ("result" in message || "error" in message)) {
    return undefined;
  }
  const request = readRequest(message);
  if (!("method" in request)) return request;
  const { id } = request;
  if (id === undefined) return undefined;
  switch (request.method) {
    case "initialize":
      return rpcResult(id, {
        protocolVersion: PLAIN_VERSION,
        capabilities: { tools: {} },
        serverInfo: { name: info.name, version: info.version },
      });
    case "ping":
      return rpcResult(id, {});
    case "tools/list":
      return rpcResult(id, { tools: engine.registry.tools.map((tool) => toolListing(tool, "plain")) });
    case "tools/call":
      return await callTool(engine, id, request, signal);
    default:
      return rpcError(id, RPC.methodNotFound, `Method not found: ${request.method}`);
  }
}

async function callTool(
  engine: Engine,
  id: RpcId,
  { params }: RpcRequest,
  signal: AbortSignal,
): Promise<RpcResponse> {
  const tool = engine.tool(params.name);
  if (tool === undefined) return toolError(id, `Unknown tool: ${params.name}`);
  if (tool.task?.required === true) return toolError(id, `${tool.name} needs a client that knows tasks`);
  const call = engine.calls.start(tool, params.arguments ?? {}, {
    era: "plain",
    protocolVersion: PLAIN_VERSION,
    client: undefined,
    clientCapabilities: {},
    signals: [signal],
    answers: undefined,
    progress: () => {},
    log: () => {},
  });
  const outcome = await call.outcome;
  switch (outcome.kind) {
    case "result":
      return outcome.result.isError === true
        ? toolError(id, outcome.result.text)
        : rpcResult(id, { content: callResult(outcome.result).content });
    case "failed":
      return toolError(id, outcome.message);
    case "asks":
    case "cancelled":
      return toolError(id, "the call was cancelled");
    default:
      return outcome satisfies never;
  }
}

function toolError(id: RpcId, text: string): RpcResponse {
  return rpcError(id, RPC.internal, `Tool execution error: ${text}`);
}
