/** What a process says as events, over all of its runs, for readers that come back, too. @module */
import type { Line, Stream } from "../../keeper/mod.ts";
import { type LogCursor, LogFollower, type RunPlace, type Told } from "../../services/mod.ts";
import type { IchimiHost } from "../host.ts";
import { timeText } from "../state.ts";
import { type EventSink, type EventSource, eventStream } from "./event_stream.ts";

/** Lines that come close together go out together. */
const GATHER_MS = 80;
/** Lines of one event; a reader that is slow gets the next when it has taken them. */
const AT_ONCE = 2_000;

/** What is asked for. */
export interface LogStreamQuery {
  /** Both when it is left out. */
  readonly stream: Stream | undefined;
  /** The last so many come first, as `tail`. */
  readonly lines: number;
  /** What the last event had as its id that the reader has: it goes on there, without `tail`. */
  readonly from: LogCursor | undefined;
}

/** @throws {HostError} When there is no such process. */
export function logStream(host: IchimiHost, id: string, query: LogStreamQuery): Response {
  host.service(id);
  return eventStream((sink) => new LogEvents(host, id, { query, sink }));
}

export function shownLine({ timeMs, stream, text }: Line, { run, end, nth }: RunPlace) {
  return { time: timeText(timeMs), stream, text, place: `${run}.${end}.${nth}` };
}

class LogEvents implements EventSource {
  readonly #host: IchimiHost;
  readonly #stream: Stream | undefined;
  readonly #sink: EventSink;
  readonly #log: LogFollower;
  readonly #owned: DisposableStack;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the process was removed. */
  #isGone = false;

  constructor(
    host: IchimiHost,
    id: string,
    { query: { stream, lines, from }, sink }: { readonly query: LogStreamQuery; readonly sink: EventSink },
  ) {
    using stack = new DisposableStack();
    const places = () => host.supervisor.services.get(id)?.ledger.places("run") ?? [];
    this.#host = host;
    this.#stream = stream;
    this.#sink = sink;
    this.#log = stack.use(new LogFollower(places, from));
    stack.defer(() => clearTimeout(this.#timer));
    const stopListening = host.supervisor.listen((notice) => {
      if (notice.service !== id) return;
      // What is left of its log goes with it.
      if (notice.kind === "went") this.#end();
      else this.more();
    });
    stack.defer(stopListening);
    if (from === undefined) {
      const tail = this.#log.last(lines, stream).map(({ line, place }) => this.#shown(line, place));
      sink.send("tail", tail, this.#log.cursor);
    }
    this.#owned = stack.move();
  }

  more(): void {
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #end(): void {
    this.#isGone = true;
    this.#flush();
  }

  /** Sends what has come, at most about so much at once. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#sink.isReady) return;
    const events: { readonly name: string; readonly data: unknown }[] = [];
    let lines: unknown[] = [];
    const endLines = () => {
      if (lines.length > 0) events.push({ name: "lines", data: lines });
      lines = [];
    };
    const take = (told: Told, place: RunPlace) => {
      if (told.kind === "line" && (this.#stream ?? told.line.stream) === told.line.stream) {
        lines.push(this.#shown(told.line, place));
      } else if (told.kind === "run" || told.kind === "lost") {
        endLines();
        events.push({
          name: told.kind,
          data: told.kind === "run" ? { run: told.run } : { bytes: told.bytes },
        });
      }
    };
    const hasMore = this.#log.read(take, AT_ONCE);
    endLines();
    const { cursor } = this.#log;
    // A reader that loses its connection between them takes all of them again.
    for (const [at, { name, data }] of events.entries()) {
      if (at < events.length - 1) this.#sink.send(name, data);
      else this.#sink.send(name, data, cursor);
    }
    if (hasMore) return this.more();
    if (!this.#isGone) return;
    this.#sink.send("removed", {}, cursor);
    this.#sink.end();
  }

  #shown(line: Line, place: RunPlace) {
    return shownLine({ ...line, text: this.#host.mask(line.text) }, place);
  }
}
