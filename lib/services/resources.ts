/**
 * Processes as resources, for clients that would rather be told than ask: `TOOL://process/NAME` is what is known of
 * one as JSON, `TOOL://process/NAME/log` and, where processes are built, `…/build-log` are the last lines of its newest
 * run and build. Whoever subscribes hears of each change; how close together, is the server's limit `changeMs`.
 * @module
 */
import type { Resource, ResourceChange, ResourceContent, ResourceProvider } from "../mcp/mod.ts";
import type { Notice } from "../supervisor/mod.ts";
import type { ServiceHost } from "./host.ts";
import { processFacts } from "./facts.ts";

/** Lines that the resource of a log holds; `search_logs` and `read_logs` reach the others. */
const LOG_LINES = 1_000;

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain";

/** What a process has a resource of, and the end of its URI. */
const ENDINGS = { state: "", run: "/log", build: "/build-log" } as const;
type Part = keyof typeof ENDINGS;
const PARTS = Object.keys(ENDINGS) as readonly Part[];
const UNBUILT = PARTS.filter((part) => part !== "build");

/** The resources of a host's processes. */
export function serviceResources(host: ServiceHost): ResourceProvider {
  const parts = host.hasBuilds ? PARTS : UNBUILT;
  return {
    templates: parts.map((part) => ({
      ...about("each process", part),
      uriTemplate: `${rootOf(host)}{name}${ENDINGS[part]}`,
    })),
    list: () =>
      [...host.supervisor.services.keys()].flatMap((name) => parts.map((part) => listed(host, name, part))),
    async read(uri) {
      const found = parseUri(host, uri);
      if (found === undefined || !parts.includes(found.part) || !host.supervisor.services.has(found.name)) {
        return undefined;
      }
      return [found.part === "state" ? state(host, uri, found.name) : await log(host, uri, found)];
    },
    watch: (changed) => watch(host, changed),
  };
}

function about(of: string, part: Part) {
  const what = { state: "state", run: "log", build: "build log" }[part];
  return {
    name: `${what} of ${of}`,
    description: part === "state"
      ? "State, pid, uptime, restarts, address and last exit"
      : `The last ${LOG_LINES} lines of the newest ${part}`,
    mimeType: part === "state" ? JSON_TYPE : TEXT_TYPE,
  };
}

function listed(host: ServiceHost, name: string, part: Part): Resource {
  return { ...about(name, part), uri: uriOf(host, name, part) };
}

function rootOf({ name }: ServiceHost): string {
  return `${name}://process/`;
}

function uriOf(host: ServiceHost, name: string, part: Part): string {
  return `${rootOf(host)}${encodeURIComponent(name)}${ENDINGS[part]}`;
}

/** Undefined for a URI of another kind. */
function parseUri(
  host: ServiceHost,
  uri: string,
): { readonly name: string; readonly part: Part } | undefined {
  if (!uri.startsWith(rootOf(host))) return undefined;
  const [, name, ending = ""] = /^([^/]+)(\/[a-z-]+)?$/.exec(uri.slice(rootOf(host).length)) ?? [];
  const part = PARTS.find((each) => ENDINGS[each] === ending);
  if (name === undefined || part === undefined) return undefined;
  try {
    return { name: decodeURIComponent(name), part };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function state(host: ServiceHost, uri: string, name: string): ResourceContent {
  const facts = { mode: host.mode, ...processFacts(host, host.service(name), Date.now()) };
  return { uri, mimeType: JSON_TYPE, text: JSON.stringify(facts, null, 2) };
}

async function log(
  host: ServiceHost,
  uri: string,
  { name, part }: { readonly name: string; readonly part: Part },
): Promise<ResourceContent> {
  const kind = part === "build" ? "build" : "run";
  const hasBegun = host.logs(name, kind).length > 0;
  const { lines } = hasBegun ? await host.search(name, kind, { tail: LOG_LINES }) : { lines: [] };
  return { uri, mimeType: TEXT_TYPE, text: lines.join("\n") };
}

/** Notices as changes; a process that comes or goes changes the list. */
function watch(host: ServiceHost, changed: (change: ResourceChange) => void): () => void {
  /** Made once, since lines come by the hundred thousand. */
  const uris = new Map<string, Readonly<Record<Part, string>>>();
  const learn = (name: string) => {
    const [state, run, build] = PARTS.map((part) => uriOf(host, name, part)) as [string, string, string];
    uris.set(name, { state, run, build });
  };
  for (const name of host.supervisor.services.keys()) learn(name);
  return host.supervisor.listen((notice) => {
    const { service } = notice;
    if (notice.kind === "came") learn(service);
    if (notice.kind === "went") uris.delete(service);
    if (notice.kind === "came" || notice.kind === "went") return changed({ kind: "list" });
    for (const part of touched(notice)) {
      const uri = uris.get(service)?.[part];
      if (uri !== undefined) changed({ kind: "updated", uri });
    }
  });
}

/** What is another after a notice. A new instance begins a log. */
function touched(notice: Exclude<Notice, { kind: "came" | "went" }>): readonly Part[] {
  if (notice.kind !== "state") return [notice.of];
  switch (notice.state.kind) {
    case "building":
      return ["state", "build"];
    case "replacing":
      return ["state", notice.state.phase === "building" ? "build" : "run"];
    case "starting":
      return ["state", "run"];
    default:
      return ["state"];
  }
}
