/** Searches logs beside the host, so that neither 100 MB nor an evil pattern make it wait. @module */
import { type FindQuery, type Found, LineFind } from "./log_find.ts";
import { type LogCursor, LogFollower, type Told } from "./log_follower.ts";
import { readEntries, shownEntry, tellShownLines } from "./log_lines.ts";
import { plainText } from "../tui/plain_text.ts";
import { compileLinePattern, LineSearch, type LogQuery, MATCH_PREFIX, type Selection } from "./log_search.ts";
import type { Place } from "../supervisor/mod.ts";
import { maskerOf } from "./secrets.ts";

/** What is asked of the worker: lines as texts, */
export interface SearchRequest {
  readonly folder: string;
  readonly kind: "run" | "build";
  readonly query: LogQuery;
  /** Whose the words are that no process has said. */
  readonly speaker: string;
  /** Values that are not to be shown. */
  readonly secrets: readonly string[];
}

/** lines with their places, */
export interface FindRequest {
  /** Logs of runs, oldest first. */
  readonly logs: readonly { readonly run: number; readonly folder: string }[];
  readonly find: FindQuery;
  readonly secrets: readonly string[];
}

/** or whether a line has come, in the newest run or since the look before. */
export interface LookRequest {
  /** Runs, oldest first. */
  readonly places: readonly Place[];
  /** A line's own text is to match. */
  readonly pattern: string;
  /** Of the look before. */
  readonly cursor?: LogCursor | undefined;
  readonly speaker: string;
  readonly secrets: readonly string[];
}

/** What a look has seen. */
export interface Look {
  /** The last line that matches, as `search_logs` shows it. */
  readonly line?: string | undefined;
  /** For the next look. Lines that have not ended are looked at again. */
  readonly cursor: LogCursor;
}

/** What it answers; an error is told by name, since classes do not cross. */
export type SearchReply = { readonly answer: Selection | Found | Look } | {
  readonly error: string;
  readonly name: string;
};

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<SearchRequest | FindRequest | LookRequest>) => void) | null;
  postMessage(reply: SearchReply): void;
};

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage({ answer: "find" in data ? find(data) : "places" in data ? look(data) : search(data) });
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ error: message, name });
  }
};

function search({ folder, kind, query, speaker, secrets }: SearchRequest): Selection {
  const search = new LineSearch(query);
  tellShownLines(folder, kind, { name: speaker, mask: maskerOf(secrets) }, (line) => search.take(line));
  return search.selection;
}

function find({ logs, find, secrets }: FindRequest): Found {
  const lines = new LineFind(find);
  const mask = maskerOf(secrets);
  for (const { run, folder } of logs) {
    readEntries(folder, (entry, place) => {
      if (entry.kind === "line") {
        lines.take({ ...entry.line, text: mask(entry.line.text) }, { ...place, run });
      }
    });
  }
  return lines.found;
}

function look({ places, pattern, cursor, speaker: name, secrets }: LookRequest): Look {
  const expression = compileLinePattern(pattern);
  const mask = maskerOf(secrets);
  let line: string | undefined;
  const take = (told: Told) => {
    const entry = told.kind === "line"
      ? { ...told, line: { ...told.line, text: plainText(told.line.text) } }
      : told;
    if (entry.kind !== "line" && entry.kind !== "event") return;
    const text = entry.kind === "line" ? entry.line.text : entry.text;
    if (expression.test(mask(text))) line = `${MATCH_PREFIX}${shownEntry(entry, "run", { name, mask })}`;
  };
  using log = new LogFollower(() => places, cursor);
  log.read(take);
  log.peek(take);
  return { line, cursor: log.cursor };
}
