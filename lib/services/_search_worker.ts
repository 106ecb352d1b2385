/** Searches logs beside the host, so that neither 100 MB nor an evil pattern make it wait. @module */
import { tellShownLines } from "./log_lines.ts";
import { LineSearch, type LogQuery } from "./log_search.ts";
import { maskerOf } from "./secrets.ts";

/** What is asked of the worker. */
export interface SearchRequest {
  readonly folder: string;
  readonly kind: "run" | "build";
  readonly query: LogQuery;
  /** Whose the words are that no process has said. */
  readonly speaker: string;
  /** Values that are not to be shown. */
  readonly secrets: readonly string[];
}

/** What it answers; an error is told by name, since classes do not cross. */
export type SearchReply = { readonly text: string } | { readonly error: string; readonly name: string };

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<SearchRequest>) => void) | null;
  postMessage(reply: SearchReply): void;
};

scope.onmessage = ({ data: { folder, kind, query, speaker, secrets } }) => {
  try {
    const search = new LineSearch(query);
    tellShownLines(folder, kind, { name: speaker, mask: maskerOf(secrets) }, (line) => search.take(line));
    scope.postMessage({ text: search.text });
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ error: message, name });
  }
};
