/**
 * A server that can be broken in every way, of both eras, over standard input and output; written without a library, so
 * that it starts fast. Its tools and its version are read from the file that is its first argument, where there is one.
 */

/** What the file says. */
interface Settings {
  readonly tools?: readonly string[];
  readonly version?: string;
  /** Ends instead of starting. */
  readonly broken?: boolean;
  /** Milliseconds before it answers its first request. */
  readonly slowMs?: number;
}

const HARMLESS = ["echo", "wait", "noise", "progress"];
const TOOLS = [...HARMLESS, "count", "die", "hang", "deaf", "ask", "huge", "bad", "lines"];

const settings: Settings = Deno.args[0] === undefined ? {} : JSON.parse(Deno.readTextFileSync(Deno.args[0]));
if (settings.broken === true) {
  console.error("a bug, on purpose");
  Deno.exit(9);
}
const encoder = new TextEncoder();
const listens: { id: number; toolsListChanged: boolean }[] = [];
const questions = new Map<number, (answer: unknown) => void>();
const cancelled = new Set<unknown>();
let counted = 0;
let asked = 0;
let level = "none";
let initialized = false;
const subscribed = new Set<string>();

// deno-lint-ignore no-explicit-any
type Json = any;

let writing = Promise.resolve();
function say(message: Json): void {
  sayText(`${JSON.stringify(message)}\n`);
}

function sayText(text: string): void {
  sayBytes(encoder.encode(text));
}

function sayBytes(bytes: Uint8Array): void {
  writing = writing.then(async () => {
    const writer = Deno.stdout.writable.getWriter();
    await writer.write(bytes);
    writer.releaseLock();
  });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (text: string) => ({ content: [{ type: "text", text }], resultType: "complete" });

async function call({ name, arguments: input = {}, _meta = {} }: Json, id: Json): Promise<Json> {
  switch (name) {
    case "echo":
      return text(String(input.text));
    case "count":
      return text(String(++counted));
    case "wait":
      await pause(input.ms);
      return text(`waited, cancelled: ${cancelled.has(id)}`);
    case "die":
      console.error("about to die\nof a bug");
      Deno.exit(input.code ?? 3);
      break;
    case "hang":
      for (;;);
    case "deaf":
      await new Promise(() => {});
      break;
    case "noise":
      sayText("this is no message\n");
      return text("made noise");
    case "raw":
      sayBytes(Uint8Array.fromBase64(input.base64));
      sayText(`${"z".repeat(input.more)}\n`);
      return text(input.text);
    case "flood":
      for (let n = 0; n < input.count; n++) {
        say({
          jsonrpc: "2.0",
          method: "notifications/message",
          params: { data: `${n} ${"x".repeat(input.bytes)}` },
        });
        await writing;
      }
      return text("flooded");
    case "huge":
      return text("x".repeat(input.bytes));
    case "bad":
      say({ jsonrpc: "2.0", id, result: 5, error: "?" });
      return undefined;
    case "progress":
      for (const progress of [1, 2, 3]) {
        say({ method: "notifications/progress", params: { progressToken: _meta.progressToken, progress } });
        await pause(input.ms ?? 0);
      }
      return text("done");
    case "ask": {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      questions.set(++asked, resolve);
      say({ jsonrpc: "2.0", id: asked, method: "sampling/createMessage", params: { of: id } });
      return text(JSON.stringify(await promise));
    }
    case "lines":
      return text(JSON.stringify({ level, subscribed: [...subscribed], initialized, pid: Deno.pid }));
    default:
      throw { code: -32602, message: `no tool ${name}` };
  }
}

async function answer({ method, params = {}, id }: Json): Promise<Json> {
  const capabilities = { tools: {}, resources: { subscribe: true }, logging: {} };
  const serverInfo = { name: "fragile", version: settings.version ?? "1" };
  switch (method) {
    case "initialize":
      await pause(settings.slowMs ?? 0);
      return { protocolVersion: params.protocolVersion, capabilities, serverInfo };
    case "server/discover":
      return { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities, serverInfo };
    case "ping":
    case "resources/unsubscribe":
      return {};
    case "logging/setLevel":
      level = params.level;
      return {};
    case "resources/subscribe":
      subscribed.add(params.uri);
      return {};
    case "tools/list": {
      const names = settings.tools ?? TOOLS;
      const tools = names.map((name) => ({
        name,
        inputSchema: { type: "object" },
        ...(HARMLESS.includes(name) ? { annotations: { readOnlyHint: true } } : {}),
      }));
      return { resultType: "complete", ttlMs: 0, cacheScope: "private", tools };
    }
    case "resources/list":
      return { resultType: "complete", ttlMs: 0, cacheScope: "private", resources: [] };
    case "subscriptions/listen": {
      listens.push({ id, toolsListChanged: params.notifications?.toolsListChanged === true });
      const _meta = { "io.modelcontextprotocol/subscriptionId": id };
      say({
        jsonrpc: "2.0",
        method: "notifications/subscriptions/acknowledged",
        params: { _meta, notifications: {} },
      });
      return undefined;
    }
    case "tools/call":
      return await call(params, id);
    default:
      throw { code: -32601, message: `no method ${method}` };
  }
}

async function take(message: Json): Promise<void> {
  if (message.method === undefined) return questions.get(message.id)?.(message.result);
  if (message.method === "notifications/initialized") initialized = true;
  if (message.method === "notifications/cancelled") cancelled.add(message.params.requestId);
  if (message.id === undefined) return;
  const { id } = message;
  try {
    const result = await answer(message);
    if (result !== undefined) say({ jsonrpc: "2.0", id, result });
  } catch (error) {
    say({ jsonrpc: "2.0", id, error });
  }
}

let rest = "";
for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    // What cannot be read is passed over: it is the proxy that is looked at.
    let message: Json;
    try {
      message = JSON.parse(line);
    } catch {
      continue;
    }
    if (typeof message === "object" && message !== null && !Array.isArray(message)) void take(message);
  }
}
