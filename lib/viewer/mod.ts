/**
 * The viewer: `rezolus view`. Serves a recording, or the newest minutes of an agent, as a page of charts and as
 * Prometheus' HTTP API, so that Grafana can read the same port.
 *
 * Reading order: `viewer_source.ts`, `agent_source.ts` (what is shown), `app.ts` and `routes/` (what is answered),
 * `evaluation.ts`, `read_ahead.ts` (when it is evaluated and read), `columns.ts` (the binary form that the page reads),
 * `views/` (the dashboards as data), `web/` (the page). Evaluation itself is `lib/promql`'s.
 * @module
 */
import { type Address, listen, type Server } from "../web/mod.ts";
import { type AgentOptions, type AgentSource, followAgent } from "./agent_source.ts";
import { viewerApp } from "./app.ts";
import { readAhead } from "./read_ahead.ts";
import type { ViewerSource } from "./viewer_source.ts";

export { type AgentOptions, type AgentSource, followAgent, POLL_INTERVAL_MS } from "./agent_source.ts";
export { viewerApp } from "./app.ts";
export {
  type ColumnResult,
  type Columns,
  COLUMNS_TYPE,
  type ColumnSeries,
  decodeColumns,
  encodeColumns,
  type SourceState,
} from "./columns.ts";
export { followGrid } from "./follow.ts";
export { recordingSource, type ViewerSource } from "./viewer_source.ts";
export { type ChartDef, type GroupDef, type SectionDef, SECTIONS, type Unit } from "./views/mod.ts";

/** What a viewer shows and where. */
export interface ViewerOptions {
  /** A recording (see `recordingSource`), or an agent to follow. */
  readonly show: ViewerSource | AgentOptions;
  readonly listen: Address;
  /** Serve page files from here first, read anew at each request. */
  readonly assetsDir?: string;
  /** Further host names under which browsers may reach it. */
  readonly hosts?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Starts a viewer. Disposing it (or aborting the signal) stops listening and polling.
 * @throws {Error} When the address is occupied, naming it.
 */
export async function startViewer(options: ViewerOptions): Promise<Server> {
  const { show } = options;
  const agent: AgentSource | undefined = "agent" in show ? followAgent(show) : undefined;
  const source = agent ?? (show as ViewerSource);
  try {
    const app = viewerApp(source, options);
    const server = await listen(options.listen, (request) => app.fetch(request), options);
    return withCompanion(server, agent ?? readAhead(source.series));
  } catch (error) {
    await agent?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** The server, with something that works for it and ends with it. */
function withCompanion(server: Server, companion: AsyncDisposable): Server {
  const finished = server.finished.finally(() => companion[Symbol.asyncDispose]());
  return {
    address: server.address,
    finished,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await finished;
    },
  };
}
