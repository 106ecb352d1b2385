/** The board of `bpm up`: one line a process, drawn again in place on a terminal. Pure but for `write`. @module */
import type { Outcome, ServiceState } from "../supervisor/mod.ts";
import { fitText, stripAnsi } from "../tui/mod.ts";

/** One service as the board shows it. */
export interface Row {
  readonly name: string;
  readonly state: ServiceState;
  /** Of the process that serves. */
  readonly pid?: number;
  readonly restarts: number;
  /** Where to look at it. */
  readonly url: string;
  /** The last line it logged, shown when it went down by itself. */
  readonly lastLine: string;
}

/** States to which the last line is the likely reason; a service that was asked to stop needs none. */
const WENT_DOWN: ReadonlySet<ServiceState["kind"]> = new Set(["failing", "backoff", "finished"] as const);

/** What stands elsewhere than on a terminal. */
const COLUMNS = 200;

/** The board as lines of so many columns, without control characters. */
export function boardLines(rows: readonly Row[], columns = COLUMNS): string[] {
  const names = Math.max(...rows.map(({ name }) => name.length));
  const states = Math.max(...rows.map(({ state, pid }) => stateText({ state, pid }).length));
  const urls = Math.max(...rows.map(({ url }) => url.length));
  return rows.map(({ name, state, pid, restarts, url, lastLine }) => {
    const again = restarts === 0 ? "" : `restarted ${restarts}×`;
    const why = WENT_DOWN.has(state.kind) ? stripAnsi(lastLine) : "";
    const parts = [
      name.padEnd(names),
      stateText({ state, pid }).padEnd(states),
      url.padEnd(urls),
      again,
      why,
    ];
    return fitText(`  ${parts.filter((part) => part !== "").join("  ")}`.trimEnd(), columns);
  });
}

/** A state in a few words. */
function stateText({ state, pid }: Pick<Row, "state"> & { readonly pid: number | undefined }): string {
  switch (state.kind) {
    case "building":
      return "building";
    case "starting":
    case "running":
    case "replacing":
    case "stopping":
    case "failing":
      return pid === undefined ? state.kind : `${state.kind} (pid ${pid})`;
    case "backoff":
      return `waiting to restart (${outcomeText(state.outcome)})`;
    case "finished":
      return `ended (${outcomeText(state.outcome)})`;
    case "idle":
      return "stopped";
    default:
      return state satisfies never;
  }
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind === "lost") return "exit unknown";
  return `exit ${outcome.signal ?? outcome.code}`;
}

/** Writes log lines with the board below them. On a terminal the board moves; elsewhere it is written when it changes. */
export class Board {
  readonly #write: (text: string) => void;
  readonly #terminal: boolean;
  readonly #columns: () => number;
  #shown = 0;
  #last = "";

  /** @param options `columns` are those of the terminal now: a line that it wraps would be two to draw over. */
  constructor(options: { write: (text: string) => void; terminal: boolean; columns?: () => number }) {
    this.#write = options.write;
    this.#terminal = options.terminal;
    this.#columns = options.columns ?? (() => COLUMNS);
  }

  /** Draws the rows anew. */
  show(rows: readonly Row[]): void {
    const text = `${boardLines(rows, this.#columns()).join("\n")}\n`;
    if (text === this.#last) return;
    this.#erase();
    this.#last = text;
    this.#draw();
  }

  /** Writes a line above the board. */
  line(text: string): void {
    this.#erase();
    // deno-lint-ignore no-control-regex
    this.#write(`${text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "")}\n`);
    if (this.#terminal) this.#draw();
  }

  #draw(): void {
    this.#write(this.#last);
    this.#shown = this.#terminal && this.#last !== "" ? this.#last.split("\n").length - 1 : 0;
  }

  #erase(): void {
    if (this.#shown > 0) this.#write(`\x1b[${this.#shown}A\x1b[J`);
    this.#shown = 0;
  }
}
