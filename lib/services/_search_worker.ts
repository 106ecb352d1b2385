/** Searches logs beside the host, so that neither 100 MB nor an evil pattern make it wait. @module */
import { type FindQuery, type Found, LineFind } from "./log_find.ts";
import { readEntries, tellShownLines } from "./log_lines.ts";
import { LineSearch, type LogQuery, type Selection } from "./log_search.ts";
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

/** or lines with their places. */
export interface FindRequest {
  /** Logs of runs, oldest first. */
  readonly logs: readonly { readonly run: number; readonly folder: string }[];
  readonly find: FindQuery;
  readonly secrets: readonly string[];
}

/** What it answers; an error is told by name, since classes do not cross. */
export type SearchReply = { readonly answer: Selection | Found } | {
  readonly error: string;
  readonly name: string;
};

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<SearchRequest | FindRequest>) => void) | null;
  postMessage(reply: SearchReply): void;
};

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage({ answer: "find" in data ? find(data) : search(data) });
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
