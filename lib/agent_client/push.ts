/**
 * Pushes a tool's metrics and events to the agent of this host over its socket. Quiet: no agent, one that went away or one
 * that does not read is nobody's trouble but the push's own; its tool never waits.
 * @module
 */
import { abortable, sleep } from "../async/mod.ts";
import { eventLabels, eventOf, type HostEvent, MAX_EVENT_TEXT_CHARS } from "../events/mod.ts";

/** Where an agent listens for it when nothing else is said. */
export const AGENT_PUSH_SOCKET = "/run/rezolus/external.sock";

/** How often metrics are pushed. */
const PUSH_EVERY_MS = 1_000;
/** Until an agent that is not there is tried again. */
const RETRY_MS = 2_000;
/** Events that wait for an agent; the oldest goes for one more, and is counted. */
const WAITING_EVENTS = 256;

/** One value. */
export interface PushedRow {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly labels?: Readonly<Record<string, string>>;
  /** Whole; fractions are cut off. */
  readonly value: number;
}

export interface AgentPushOptions {
  /** The agent's `[external_metrics] socket_path`. */
  readonly path: string;
  /** The tool: source of its events. */
  readonly source: string;
  /** What metrics mean, by name. */
  readonly help?: Readonly<Record<string, string>>;
  /** All that there is now; a metric that is not among them any more is over. */
  readonly rows?: () => readonly PushedRow[];
}

export class AgentPush implements AsyncDisposable {
  readonly #options: AgentPushOptions;
  readonly #abort = new AbortController();
  readonly #work: Promise<void>;
  #waiting: HostEvent[] = [];
  #connection: Deno.UnixConn | undefined;
  #droppedEvents = 0;
  /** Wakes who has nothing to push but events. */
  #told: () => void = () => {};

  /** Begins to push, as soon as there is an agent. */
  constructor(options: AgentPushOptions) {
    this.#options = options;
    this.#work = this.#run();
  }

  /** Whether an agent takes what is pushed. */
  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Events that no agent has heard of. */
  get droppedEvents(): number {
    return this.#droppedEvents;
  }

  /** Tells of an event, with the next values where there are some; a text that is too long is cut. */
  tell(event: Omit<HostEvent, "source">): void {
    const { text } = event;
    const cut = text.length > MAX_EVENT_TEXT_CHARS ? `${text.slice(0, MAX_EVENT_TEXT_CHARS - 1)}…` : text;
    this.#wait([{ ...event, text: cut, source: this.#options.source }]);
    this.#told();
  }

  /** What has not gone out by now does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#close();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        if (this.#options.rows === undefined) await this.#untilTold(signal);
        this.#connection = await Deno.connect({ transport: "unix", path: this.#options.path });
        await this.#serve(this.#connection, signal);
      } catch (error) {
        if (!isLoss(error) && !signal.aborted) throw error;
      } finally {
        this.#close();
      }
      await sleep(RETRY_MS, { signal }).catch(() => "The loop's head looks at the signal.");
    }
  }

  async #serve(connection: Deno.UnixConn, signal: AbortSignal): Promise<void> {
    const { help = {}, rows } = this.#options;
    await write(connection, Object.entries(help).map(([name, text]) => `# HELP ${name} ${text}`));
    let before = new Map<string, string>();
    while (!signal.aborted) {
      const now = new Map((rows?.() ?? []).map((row) => [identityOf(row), valueOf(row)]));
      const gone = [...before.keys()].filter((identity) => !now.has(identity));
      const told = this.#waiting.splice(0);
      try {
        await write(connection, [
          ...[...now].map(([identity, value]) => `${identity} ${value}`),
          ...gone.map((identity) => `# GONE ${identity}`),
          ...told.map((event) => eventLine(eventLabels(event))),
        ]);
      } catch (error) {
        // The next agent shall hear of them.
        this.#wait(told, this.#waiting.splice(0));
        throw error;
      }
      before = now;
      await (rows === undefined ? this.#untilTold(signal) : sleep(PUSH_EVERY_MS, { signal }));
    }
  }

  /** Without values nobody is looked for, and nothing is done, before there is an event. */
  async #untilTold(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0) return;
    const told = Promise.withResolvers<void>();
    this.#told = told.resolve;
    await abortable(told.promise, signal);
  }

  #wait(events: readonly HostEvent[], later: readonly HostEvent[] = []): void {
    this.#waiting.push(...events, ...later);
    const over = Math.max(0, this.#waiting.length - WAITING_EVENTS);
    this.#waiting.splice(0, over);
    this.#droppedEvents += over;
  }

  #close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }
}

/**
 * Tells the agent at `path` of one event, and is done.
 * @throws {RangeError} When the event is none that an agent takes. @throws {Error} When no agent takes it, in one line.
 */
export async function tellAgent(path: string, event: HostEvent): Promise<void> {
  const labels = eventLabels(event);
  eventOf(labels, event.timeMs);
  try {
    using connection = await Deno.connect({ transport: "unix", path });
    await write(connection, [eventLine(labels)]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot tell the agent at ${path} of "${event.text}": ${why}`, { cause });
  }
}

/** Whether the system or the agent is why; anything else is a bug. */
function isLoss(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) return false;
  return "code" in error || Object.values(Deno.errors).some((each) => error instanceof each);
}

async function write(connection: Deno.UnixConn, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function eventLine(labels: Readonly<Record<string, string>>): string {
  return `# EVENT ${labelText(labels)}`;
}

function identityOf({ name, labels = {} }: PushedRow): string {
  const text = labelText(labels);
  return text === "" ? name : `${name}{${text}}`;
}

function valueOf({ type, value }: PushedRow): string {
  return `${type}:${Math.trunc(value)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll(/\r?\n/g, "\\n");
}
