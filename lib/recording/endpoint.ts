/** What is recorded: endpoints as they are written on the command line, and the names that they go by. Pure. @module */
import { type AgentAddress, formatAgentAddress, parseAgentAddress } from "../agent_client/mod.ts";
import { nearestName } from "../config/mod.ts";

/** How an endpoint speaks: a Rezolus agent, or Prometheus' text format. */
export const PROTOCOLS = ["msgpack", "prometheus"] as const;
export type Protocol = typeof PROTOCOLS[number];

/** An endpoint to record. */
export interface Endpoint {
  /** What `parseAgentAddress` reads. */
  readonly url: string;
  /** What it is, for example `rezolus` or `vllm`; without it told from the protocol. */
  readonly source?: string;
  /** A free word for what part it plays, by convention `service` or `loadgen`. */
  readonly role?: string;
  /** Without it the endpoint is asked as an agent first. */
  readonly protocol?: Protocol;
}

/** An endpoint with the name that no other of the recording has. */
export interface NamedEndpoint extends Endpoint {
  readonly name: string;
}

const KEYS = ["source", "role", "protocol"];

/** An agent's page of metrics; upstream writes it as the endpoint's URL. */
export const AGENT_PAGE = "/metrics/binary";

/**
 * Where an endpoint is asked; a path is that of a page in Prometheus' text format.
 * @throws {SyntaxError} When the URL is none.
 */
export function endpointAddress({ url }: Endpoint): AgentAddress {
  return parseAgentAddress(url.endsWith(AGENT_PAGE) ? url.slice(0, -AGENT_PAGE.length) : url);
}

/**
 * Reads `URL[,source=NAME][,role=WORD][,protocol=msgpack|prometheus]`.
 * @throws {SyntaxError} Naming what is wrong.
 */
export function parseEndpoint(text: string): Endpoint {
  const [url = "", ...pairs] = text.split(",").map((part) => part.trim());
  const wrong = (found: string) => new SyntaxError(`Cannot read endpoint "${text}": ${found}`);
  if (url === "") throw wrong("expected URL[,source=NAME][,role=WORD][,protocol=msgpack|prometheus]");
  const endpoint: { url: string; source?: string; role?: string; protocol?: Protocol } = { url };
  for (const pair of pairs.filter((each) => each !== "")) {
    const [, key, value] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw wrong(`"${pair}" is no KEY=VALUE`);
    if (key === "source" || key === "role") endpoint[key] = value;
    else if (key !== "protocol") {
      const nearest = nearestName(key, KEYS);
      throw wrong(`unknown key "${key}"${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`);
    } else if (PROTOCOLS.includes(value as Protocol)) endpoint.protocol = value as Protocol;
    else throw wrong(`its protocol is "${value}", expected ${PROTOCOLS.join(" or ")}`);
  }
  return endpoint;
}

/** What an agent is called when its endpoint is not. */
const AGENT_SOURCE = "rezolus";

/**
 * Gives each endpoint a name of its own: its source where no other has it, else with its place; without a source
 * `rezolus` for the only one that could be an agent, else its place.
 * @throws {RangeError} When there is none, or one is given twice: its series could not be told apart.
 * @throws {SyntaxError} When a URL is none.
 */
export function nameEndpoints(endpoints: readonly Endpoint[]): NamedEndpoint[] {
  if (endpoints.length === 0) throw new RangeError("Cannot record: no endpoint is given");
  const places = endpoints.map((each) => formatAgentAddress(endpointAddress(each)));
  const twice = endpoints.find((_, at) => places.indexOf(places[at]!) !== at);
  if (twice !== undefined) throw new RangeError(`Cannot record ${twice.url} twice in one recording`);
  const agents = endpoints.filter(isAgent);
  const wanted = endpoints.map((endpoint) => {
    const { source, url } = endpoint;
    if (source === undefined) return agents.length === 1 && isAgent(endpoint) ? AGENT_SOURCE : placeName(url);
    return endpoints.filter((each) => each.source === source).length > 1
      ? `${source}-${placeName(url)}`
      : source;
  });
  const taken = new Set<string>();
  return endpoints.map((endpoint, at) => {
    let name = wanted[at]!;
    for (let next = 2; taken.has(name); next++) name = `${wanted[at]}-${next}`;
    taken.add(name);
    return { ...endpoint, name };
  });
}

/** Whether nothing tells that an endpoint is no agent: without a protocol, one with a path is a page of metrics. */
function isAgent(endpoint: Endpoint): boolean {
  if (endpoint.source !== undefined) return false;
  if (endpoint.protocol !== undefined) return endpoint.protocol === "msgpack";
  const address = endpointAddress(endpoint);
  return address.kind === "unix" || address.basePath === undefined;
}

/** A plain word for where an endpoint is: `web1-4241`, `svc-9090-federate`; the conventional `/metrics` is left off. */
function placeName(url: string): string {
  const place = url.replace(/^(https?:\/\/|unix:(\/\/)?)/, "").replace(/\?.*$/s, "").replace(
    /\/metrics\/?$/,
    "",
  );
  return place.replaceAll(/[^A-Za-z0-9.]+/g, "-").replaceAll(/^[-.]+|-+$/g, "") || "endpoint";
}

/** Where an endpoint's own file goes beside `output`: `run.parquet` becomes `run_NAME.parquet`. */
export function separateOutput(output: string, name: string): string {
  const [, stem = output, extension = ""] = /^(.*[^/])(\.[^./]+)$/s.exec(output) ?? [];
  return `${stem}_${name.replaceAll(/[^A-Za-z0-9._-]/g, "-")}${extension}`;
}
