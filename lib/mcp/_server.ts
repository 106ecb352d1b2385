/**
 * A registry as a server of the protocol's library. Imported dynamically only: the library costs 85 ms.
 * @module
 */
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type GetPromptResult,
  McpServer,
  PerRequestHTTPServerTransport,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type Server,
  type ServerCapabilities,
  type ServerContext,
  type Transport,
} from "@modelcontextprotocol/server";
import type { Call, Caller, Outcome } from "./calls.ts";
import type { Engine } from "./_engine.ts";
import { askCaller } from "./calls.ts";
import { AnswersNeeded } from "./ask.ts";
import { answersIn, asksResult, type AskState, stateCodec } from "./_ask_state.ts";
import { listResources, listTemplates, readResource } from "./_resources.ts";
import { declaresTasks, installTasks, missingTasks } from "./_server_tasks.ts";
import { TASKS_EXTENSION } from "./tasks.ts";
import type { ToolContext } from "./tool.ts";
import { callResult } from "./wire.ts";

/** Which half of the protocol a connection speaks. */
export type Half = "modern" | "legacy";

/** One connection (or, where there is none, one request) of one client. */
export class HouseServer extends McpServer {
  readonly #engine: Engine;
  readonly #half: Half;

  constructor(engine: Engine, half: Half) {
    const { name, version, title, instructions } = engine.info;
    super({ name, version, ...(title === undefined ? {} : { title }) }, {
      ...(instructions === undefined ? {} : { instructions }),
      requestState: { verify: stateCodec(engine).verify },
    });
    this.#engine = engine;
    this.#half = half;
    this.server.registerCapabilities(capabilitiesOf(engine, half));
    this.server.onerror = () => {}; // Told to the transport's own listener too; here it would be told twice.
    installTools(this.server, engine, half);
    installResources(this.server, engine, half);
    installPrompts(this.server, engine, half);
    if (half === "modern") {
      installTasks(this.server, engine, (context) => callerOf(this.server, context, half, "a task"));
    }
  }

  /** Lets the library compare `Mcp-Param-*` headers with the arguments. */
  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#engine.tool(name)?.input.json;
  }

  override async connect(transport: Transport): Promise<void> {
    const send = transport.send.bind(transport);
    transport.send = (message, options) => send(withoutEmptyContent(message), options);
    await super.connect(transport);
    if (!(transport instanceof PerRequestHTTPServerTransport)) this.#followResources();
  }

  /** Connections that stay are told of changes; whoever sends single requests has `subscriptions/listen`. */
  #followResources(): void {
    if (!this.#engine.watches) return;
    const subscribed = subscriptions.get(this.server);
    const stop = this.#engine.onChange((change) => {
      if (change.kind === "updated" && this.#half === "legacy" && !subscribed?.has(change.uri)) return;
      const told = change.kind === "updated"
        ? this.server.sendResourceUpdated({ uri: change.uri })
        : this.server.sendResourceListChanged();
      told.catch(this.#engine.onError);
    });
    const closed = this.server.onclose;
    this.server.onclose = () => {
      stop();
      closed?.();
    };
  }
}

/** The library completes every result of `tools/call` with an empty `content`; a task that was made has none. */
function withoutEmptyContent<M extends object>(message: M): M {
  const result: unknown = "result" in message ? message.result : undefined;
  if (typeof result !== "object" || result === null || !("resultType" in result)) return message;
  if (result.resultType !== "task") return message;
  const { content: _, ...task } = result as Record<string, unknown>;
  return { ...message, result: task };
}

function capabilitiesOf(engine: Engine, half: Half): ServerCapabilities {
  const { tools, resources, prompts } = engine.registry;
  const changes = engine.watches ? { subscribe: true, listChanged: true } : {};
  return {
    logging: {},
    ...(tools.length > 0 ? { tools: {} } : {}),
    ...(resources.length > 0 ? { resources: changes } : {}),
    ...(prompts.length > 0 ? { prompts: {} } : {}),
    ...(prompts.some(({ complete }) => complete !== undefined) ? { completions: {} } : {}),
    ...(half === "modern" && tools.some(({ task }) => task !== undefined)
      ? { extensions: { [TASKS_EXTENSION]: {} } }
      : {}),
  };
}

function installTools(server: Server, engine: Engine, half: Half): void {
  if (engine.registry.tools.length === 0) return;
  // The library's type wants literal types where ours are checked by the registry.
  server.setRequestHandler("tools/list", () => ({ tools: engine.listing } as never));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const tool = engine.tool(params.name);
    if (tool === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    }
    const what = `tools/call ${tool.name}`;
    const caller = callerOf(server, context, half, what);
    const polls = half === "modern" && declaresTasks(caller);
    if (tool.task?.required === true && !polls) throw missingTasks();
    const call = engine.calls.start(tool, params.arguments ?? {}, caller);
    const task = tool.task !== undefined && polls && call.accepted
      ? await taskAfter(engine, call, tool.task.afterMs)
      : undefined;
    if (task !== undefined) return task as unknown as CallToolResult;
    return await answer(engine, await call.outcome, { what, schema: tool.output?.json }, server);
  });
}

/** Makes the call a task unless it ends before. */
async function taskAfter(
  engine: Engine,
  call: Call,
  afterMs: number,
): Promise<Record<string, unknown> | undefined> {
  if (afterMs > 0) {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, afterMs, "late");
    const first = await Promise.race([call.outcome, promise]);
    clearTimeout(timer);
    if (first !== "late") return undefined;
  }
  const head = engine.tasks.adopt(call);
  return head === undefined ? undefined : { resultType: "task", ...head };
}

async function answer(
  engine: Engine,
  outcome: Outcome,
  { what, schema }: { what: string; schema: Record<string, unknown> | undefined },
  server: Server,
): Promise<CallToolResult> {
  switch (outcome.kind) {
    case "result":
      // The library's projection keeps clients of 2025 happy with structured content that is no object.
      return server.projectCallToolResult(callResult(outcome.result) as unknown as CallToolResult, schema);
    case "asks":
      return await asksResult(engine, what, outcome) as unknown as CallToolResult;
    case "cancelled":
      throw new ProtocolError(ProtocolErrorCode.InternalError, "The call was cancelled");
    case "failed":
      throw new ProtocolError(ProtocolErrorCode.InternalError, outcome.message);
    default:
      return outcome satisfies never;
  }
}

const subscriptions = new WeakMap<Server, Set<string>>();

function installResources(server: Server, engine: Engine, half: Half): void {
  if (engine.registry.resources.length === 0) return;
  server.setRequestHandler("resources/list", async () => ({ resources: await listResources(engine) }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: listTemplates(engine) }));
  server.setRequestHandler("resources/read", async ({ params }, context) => {
    const contents = await readResource(engine, params.uri, context.mcpReq.signal);
    if (contents === undefined) throw new ResourceNotFoundError(params.uri);
    return { contents } as unknown as ReadResourceResult;
  });
  if (half === "modern") return;
  const subscribed = new Set<string>();
  subscriptions.set(server, subscribed);
  server.setRequestHandler("resources/subscribe", ({ params }) => {
    if (!subscribed.has(params.uri) && subscribed.size >= engine.limits.subscriptions) {
      const message = `Too many subscriptions: ${engine.limits.subscriptions} are open, the limit`;
      throw new ProtocolError(ProtocolErrorCode.InternalError, message);
    }
    subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler("resources/unsubscribe", ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
}

function installPrompts(server: Server, engine: Engine, half: Half): void {
  const { prompts } = engine.registry;
  if (prompts.length === 0) return;
  server.setRequestHandler("prompts/list", () => ({
    prompts: prompts.map(({ name, title, description, arguments: holes }) => ({
      name,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(holes === undefined ? {} : { arguments: holes.map((hole) => ({ ...hole })) }),
    } as { name: string })),
  }));
  server.setRequestHandler("prompts/get", async ({ params }, context) => {
    const prompt = prompts.find(({ name }) => name === params.name);
    if (prompt === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    }
    const values = params.arguments ?? {};
    const missing = prompt.arguments?.find(({ name, required }) =>
      required === true && !Object.hasOwn(values, name)
    );
    if (missing !== undefined) {
      const message = `Prompt ${prompt.name} needs the argument "${missing.name}"`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
    }
    const what = `prompts/get ${prompt.name}`;
    const caller = callerOf(server, context, half, what);
    try {
      const known = promptContext(caller, context.mcpReq.signal);
      const messages = await engine.run(() => prompt.messages(values, known));
      return { messages } as unknown as GetPromptResult;
    } catch (error) {
      if (!(error instanceof AnswersNeeded)) throw error;
      return await asksResult(engine, what, error) as unknown as GetPromptResult;
    }
  });
  if (!prompts.some(({ complete }) => complete !== undefined)) return;
  server.setRequestHandler("completion/complete", async ({ params }) => {
    const { ref, argument } = params;
    const prompt = ref.type === "ref/prompt" ? prompts.find(({ name }) => name === ref.name) : undefined;
    const values = await engine.run(() => prompt?.complete?.(argument.name, argument.value)) ?? [];
    // The protocol allows a hundred.
    return {
      completion: { values: values.slice(0, 100), total: values.length, hasMore: values.length > 100 },
    };
  });
}

function promptContext(caller: Caller, signal: AbortSignal): ToolContext {
  return { ...caller, signal, ask: (questions) => askCaller(questions, caller) };
}

/** Who calls, out of what the library knows. */
function callerOf(server: Server, context: ServerContext, half: Half, what: string): Caller {
  const request = context.mcpReq;
  const envelope: Record<string, unknown> = { ...request.envelope };
  const client = half === "modern" ? envelope[CLIENT_INFO_META_KEY] : server.getClientVersion();
  const capabilities = half === "modern"
    ? envelope[CLIENT_CAPABILITIES_META_KEY]
    : server.getClientCapabilities();
  const version = half === "modern"
    ? envelope[PROTOCOL_VERSION_META_KEY]
    : server.getNegotiatedProtocolVersion();
  const token = request._meta?.progressToken;
  // Streams are not resumed, so nobody would hear the answer to a request whose client has gone.
  const hungUp = context.http?.req?.signal;
  return {
    era: half === "modern" ? "stateless" : "session",
    protocolVersion: String(version ?? "2025-03-26"),
    client: client as Caller["client"],
    clientCapabilities: (capabilities ?? {}) as Record<string, unknown>,
    signals: hungUp === undefined ? [request.signal] : [request.signal, hungUp],
    answers: answersIn(request.inputResponses, request.requestState<AskState>(), what),
    progress: (done, total, message) => {
      if (token === undefined || request.signal.aborted) return;
      const params = {
        progressToken: token,
        progress: done,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined ? {} : { message }),
      };
      // Whoever has gone needs no progress.
      request.notify({ method: "notifications/progress", params }).catch(() => undefined);
    },
    log: (level, message) => {
      request.log(level, message).catch(() => undefined);
    },
  };
}
