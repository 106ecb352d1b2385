/** Carries out what the model wants: nothing here waits in the way of keys. Shell. @module */
import { deadline } from "../async/mod.ts";
import { clipboardSequence, type Screen } from "../tui/mod.ts";
import type { Effect, ServerNews, TuiEvent } from "./model.ts";
import { ToolError } from "./reply.ts";
import { ManagerServer } from "./server.ts";

/** How often the clock is told; spinners turn as often. */
const TICK_MS = 100;
/** An answer that takes longer counts as none. */
const ANSWER_LIMIT_MS = 10_000;
/** A build takes its time. */
const JOB_LIMIT_MS = 3_600_000;

type Tell = (event: TuiEvent) => void;

/** Carries out effects on the servers of some projects. */
export class Effects {
  readonly #servers: readonly ManagerServer[];
  readonly #screen: Screen;
  /** Text for a service's input goes in the order in which it was typed. */
  #sending: Promise<void> = Promise.resolve();
  /** Ends what is listened to, by project. */
  readonly #listening = new Map<number, AbortController>();

  constructor(urls: readonly string[], screen: Screen, options: { readonly token?: string | undefined }) {
    this.#servers = urls.map((url) => new ManagerServer(url, options));
    this.#screen = screen;
  }

  /** Begins an effect. */
  perform(effect: Effect, tellEvent: Tell, signal: AbortSignal): void {
    const tell = (news: ServerNews) => tellEvent({ nowMs: Date.now(), ...news });
    switch (effect.kind) {
      case "beginTicking": {
        const timer = setInterval(() => tell({ kind: "tick" }), TICK_MS);
        signal.addEventListener("abort", () => clearInterval(timer), { once: true });
        return;
      }
      case "connect": {
        const { project } = effect;
        return this.#ask(
          (limit) => this.#servers[project]!.connect(limit),
          (found) => tell({ kind: "connected", project, ...found }),
          (reason) => tell({ kind: "pollFailed", project, reason }),
          signal,
        );
      }
      case "poll": {
        const { project } = effect;
        return this.#ask(
          (limit) => this.#servers[project]!.overview(limit),
          (overview) => tell({ kind: "polled", project, overview }),
          (reason) => tell({ kind: "pollFailed", project, reason }),
          signal,
        );
      }
      case "readLog": {
        const { project, key, target, depth } = effect;
        return this.#ask(
          (limit) => this.#servers[project]!.log(target, depth, limit),
          (part) => tell({ kind: "logRead", project, key, ...part }),
          (reason) => tell({ kind: "logFailed", project, key, reason }),
          signal,
        );
      }
      case "listen":
        return this.#listen(effect.project, effect.uris, tell, signal);
      case "act": {
        const { id: job, project, verb, service } = effect.job;
        return this.#ask(
          (limit) => this.#servers[project]!.act(verb, service, limit),
          (text) => tell({ kind: "jobEnded", job, ok: true, text }),
          (text) => tell({ kind: "jobEnded", job, ok: false, text }),
          signal,
          JOB_LIMIT_MS,
        );
      }
      case "send": {
        const { project, service, text } = effect;
        return this.#sendInTurn(
          (limit) => this.#servers[project]!.send(service, text, limit),
          (reason) => tell({ kind: "notSent", reason: `not sent to ${service}: ${reason}` }),
          signal,
        );
      }
      case "window": {
        const { project, service, rows, columns } = effect;
        return this.#sendInTurn(
          (limit) => this.#servers[project]!.window(service, rows, columns, limit),
          (reason) => tell({ kind: "notSent", reason: `the size was not told to ${service}: ${reason}` }),
          signal,
        );
      }
      case "explain": {
        const { project, service } = effect;
        return this.#ask(
          (limit) => this.#servers[project]!.explain(service, limit),
          (text) => tell({ kind: "told", title: `${service}: its last failure`, text }),
          (text) => tell({ kind: "told", title: `${service}: its last failure`, text }),
          signal,
        );
      }
      case "copy":
        this.#screen.write(clipboardSequence(effect.text, { inTmux: Deno.env.has("TMUX") })).catch(() =>
          undefined
        ); // A terminal that has gone keeps nothing.
        return;
      case "redraw":
        return tellEvent({ kind: "resize", ...this.#screen.size() });
      case "mouse":
        return this.#screen.mouse(effect.on);
      default:
        return effect satisfies never;
    }
  }

  /** Listens in place of what was listened to before. */
  #listen(
    project: number,
    uris: readonly string[],
    tell: (news: ServerNews) => void,
    signal: AbortSignal,
  ): void {
    this.#listening.get(project)?.abort();
    this.#listening.delete(project);
    if (uris.length === 0) return;
    const own = new AbortController();
    this.#listening.set(project, own);
    const ended = (refused: boolean) => {
      if (!own.signal.aborted && !signal.aborted) tell({ kind: "unheard", project, refused });
    };
    this.#servers[project]!.listen(
      uris,
      (uri) => tell({ kind: "changed", project, uri }),
      AbortSignal.any([signal, own.signal]),
    ).then((how) => ended(how === "refused"), () => ended(false));
  }

  /** Sends after what was sent before. */
  #sendInTurn(
    send: (limit: AbortSignal) => Promise<void>,
    failed: (reason: string) => void,
    signal: AbortSignal,
  ): void {
    const before = this.#sending;
    const sent = Promise.withResolvers<void>();
    this.#sending = sent.promise;
    this.#ask(
      async (limit) => {
        await before;
        await send(limit);
      },
      () => sent.resolve(),
      (reason) => {
        sent.resolve();
        failed(reason);
      },
      signal,
    );
  }

  /** Asks within a time limit and tells either the answer or why there is none; nothing when the program has ended. */
  #ask<T>(
    ask: (limit: AbortSignal) => Promise<T>,
    done: (answer: T) => void,
    failed: (reason: string) => void,
    signal: AbortSignal,
    limitMs = ANSWER_LIMIT_MS,
  ): void {
    const limit = deadline(limitMs, signal);
    ask(limit.signal).then(done, (error) => {
      if (!signal.aborted) failed(reasonOf(error, limitMs));
    }).finally(() => limit[Symbol.dispose]());
  }
}

/** Why there is no answer, in a few words. */
function reasonOf(error: unknown, limitMs: number): string {
  if (error instanceof ToolError || error instanceof RangeError) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `no answer within ${limitMs / 1_000} s`;
  }
  // What fetch says stands in what caused it.
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/refused/i.test(message)) return "nobody listens there (connection refused)";
  return message.replace(/^error sending request .*?: /, "").replace(/^client error \(\w+\): /, "");
}
