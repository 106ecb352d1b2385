/** A manager as the TUI uses it: which tools it has, and its answers in our words. Shell. @module */
import { listenToChanges } from "./listen.ts";
import { lineOfText, type NewLine } from "./log_lines.ts";
import { McpClient, type OfferedTool, type ServerIdentity } from "./mcp_client.ts";
import type { Abilities, LogPart, LogTarget } from "./model.ts";
import { ToolError, type ToolResult } from "./reply.ts";
import { type Overview, readServices, readUsage, type UsageAnswer } from "./service.ts";
import { parseStatusText } from "./status_text.ts";

/** Upstream's answer for a log without a line. */
const EMPTY = "(empty)";
/** Upstream's answer for an instance that is not there. */
const NO_INSTANCE = /^Log instance -?\d+ not found/;

/** Of servers that do not tell. */
const NO_USAGE: UsageAnswer = { byName: new Map() };

/** One manager. */
export class ManagerServer {
  readonly #client: McpClient;
  readonly #token: string | undefined;
  #tools: ReadonlyMap<string, OfferedTool> = new Map();

  constructor(url: string, options: { readonly token?: string | undefined } = {}) {
    this.#client = new McpClient(url, options);
    this.#token = options.token;
  }

  /** Connects and looks what is offered. */
  async connect(signal: AbortSignal): Promise<{ identity: ServerIdentity; abilities: Abilities }> {
    const identity = await this.#client.initialize(signal);
    const tools = await this.#client.tools(signal);
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    const missing = ["get_status", "search_logs", "restart"].filter((name) => !this.#tools.has(name));
    if (missing.length > 0) {
      throw new TypeError(`${this.#client.url} is no process manager: it has no tool ${missing.join(", ")}`);
    }
    return { identity, abilities: { ...abilitiesOf(this.#tools), listen: this.#client.subscribes } };
  }

  /** Mode and services. */
  async overview(signal: AbortSignal): Promise<Overview> {
    const has = this.#tools.has("list");
    const status = this.#client.call("get_status", {}, signal).then(({ text }) => parseStatusText(text));
    if (!has) return await status;
    const [list, { mode, modeNote, services: told }, usage] = await Promise.all([
      this.#client.call("list", {}, signal),
      status,
      this.#usage(signal),
    ]);
    const overview = readServices(structuredOf(list));
    const events = new Map(told.map((each) => [each.name, each]));
    return {
      ...mode === undefined ? {} : { mode },
      ...modeNote === undefined ? {} : { modeNote },
      ...usage.source === undefined ? {} : { usageSource: usage.source },
      ...overview,
      // The list does not tell what happened; the text does.
      services: overview.services.map((each) => ({
        ...each,
        ...usage.byName.get(each.name),
        events: each.events.length > 0 ? each.events : events.get(each.name)?.events ?? [],
        crashes: Math.max(each.crashes, events.get(each.name)?.crashes ?? 0),
      })),
    };
  }

  /** CPU and memory by service, of servers that have a tool for it; one that fails leaves the columns empty. */
  async #usage(signal: AbortSignal): Promise<UsageAnswer> {
    if (!this.#tools.has("usage")) return NO_USAGE;
    try {
      return readUsage(structuredOf(await this.#client.call("usage", {}, signal)));
    } catch (error) {
      if (error instanceof ToolError) return NO_USAGE;
      throw error;
    }
  }

  /** The last `depth` lines of a log. */
  async log(target: LogTarget, depth: number, signal: AbortSignal): Promise<LogPart> {
    const tool = target.of === "build" ? "search_build_log" : "search_logs";
    const { text } = await this.#client.call(tool, {
      process: target.service,
      tail: depth,
      index: target.index,
    }, signal);
    if (NO_INSTANCE.test(text)) throw new RangeError(text);
    const lines: NewLine[] = text === EMPTY || text === "" ? [] : text.split("\n").map(lineOfText);
    return { lines, depth };
  }

  /** Asks for a change; resolves with the server's words when it is done. */
  async act(verb: "restart" | "start" | "stop", service: string, signal: AbortSignal): Promise<string> {
    return (await this.#client.call(verb, this.#naming(verb, service), signal)).text;
  }

  /** Gives text to a service's standard input. */
  async send(service: string, text: string, signal: AbortSignal): Promise<void> {
    const parameters = this.#tools.get("send")?.parameters ?? [];
    const key = ["text", "input", "data"].find((name) => parameters.includes(name)) ?? "text";
    await this.#client.call("send", { ...this.#naming("send", service), [key]: text }, signal);
  }

  /** Tells the size of a service's terminal. */
  async window(service: string, rows: number, columns: number, signal: AbortSignal): Promise<void> {
    const size = { text: "", window: { rows, columns } };
    await this.#client.call("send", { ...this.#naming("send", service), ...size }, signal);
  }

  /** Tells of changes of resources by their URIs until the server ends that; "refused" when it never began. */
  listen(
    uris: readonly string[],
    tell: (uri: string) => void,
    signal: AbortSignal,
  ): Promise<"ended" | "refused"> {
    return listenToChanges({ url: this.#client.url, token: this.#token, uris, signal }, tell);
  }

  /** Why a service failed last. */
  async explain(service: string, signal: AbortSignal): Promise<string> {
    return (await this.#client.call("explain", this.#naming("explain", service), signal)).text;
  }

  /** Upstream calls the parameter `process`. */
  #naming(tool: string, service: string): Record<string, string> {
    const parameters = this.#tools.get(tool)?.parameters ?? [];
    const key = ["process", "service", "name"].find((name) => parameters.includes(name)) ?? "process";
    return { [key]: service };
  }
}

function abilitiesOf(tools: ReadonlyMap<string, OfferedTool>): Omit<Abilities, "listen"> {
  return {
    start: tools.has("start"),
    stop: tools.has("stop"),
    send: tools.has("send"),
    window: tools.get("send")?.parameters.includes("window") === true,
    explain: tools.has("explain"),
    structured: tools.has("list"),
  };
}

/** A tool's structured answer; of servers that only write it down, its text. */
function structuredOf({ structured, text }: ToolResult): unknown {
  if (structured !== undefined) return structured;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
