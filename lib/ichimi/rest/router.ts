/** Finds the route of a request, checks what it says against the route's description, and answers. @module */
import { checkValue, type JsonSchema } from "../../mcp/mod.ts";
import { errorAnswer, RestError } from "./errors.ts";
import type { Route } from "./route.ts";

/** Larger than a clip may be, however it is written. */
const BODY_BYTES = 8 * 2 ** 20;
const ROOT = "/api";

/** A function that answers requests below `/api`. @param tell Told of bugs. */
export function restRouter(
  routes: readonly Route[],
  tell: (text: string) => void,
): (request: Request) => Promise<Response> {
  const known = routes.map((route) => ({ route, parts: route.path.split("/").slice(1) }));
  return async (request) => {
    try {
      const { pathname } = new URL(request.url);
      const parts = partsOf(pathname);
      const found = known.flatMap(({ route, parts: wanted }) => {
        const path = match(wanted, parts);
        return path === undefined ? [] : [{ route, path }];
      });
      // A part that stands there is meant before one that may be anything.
      found.sort((a, b) => Object.keys(a.path).length - Object.keys(b.path).length);
      if (found.length === 0) throw new RestError(404, `There is no ${pathname}`);
      const fewest = Object.keys(found[0]!.path).length;
      const same = found.filter(({ path }) => Object.keys(path).length === fewest);
      const method = request.method === "HEAD" ? "get" : request.method.toLowerCase();
      const meant = same.find(({ route }) => route.method === method);
      if (meant === undefined) return notAllowed(request, same.map(({ route }) => route));
      return await answer(meant.route, meant.path, request);
    } catch (error) {
      return errorAnswer(error, tell);
    }
  };
}

async function answer(route: Route, path: Record<string, string>, request: Request): Promise<Response> {
  const query = route.query === undefined ? noQuery(request) : queryOf(route.query.json, request);
  const body = route.body === undefined ? undefined : await bodyOf(route, request);
  const value = await route.run({ path, query, body, request, signal: request.signal });
  if (value instanceof Response) return value;
  const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
  const { status } = route.answer;
  return status === 204 ? new Response(null, { status, headers }) : Response.json(value, { status, headers });
}

function partsOf(pathname: string): string[] {
  if (pathname !== ROOT && !pathname.startsWith(`${ROOT}/`)) {
    throw new RestError(404, `There is no ${pathname}`);
  }
  try {
    return pathname.slice(ROOT.length + 1).split("/").map(decodeURIComponent);
  } catch (cause) {
    throw new RestError(400, `The path is not encoded as it should be: ${pathname}`, { cause });
  }
}

function match(wanted: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== parts.length) return undefined;
  const path: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const given = parts[at]!;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== given : given === "") return undefined;
    if (name !== undefined) path[name] = given;
  }
  return path;
}

function notAllowed(request: Request, routes: readonly Route[]): Response {
  const allowed = routes.map(({ method }) => method.toUpperCase()).join(", ");
  const error = new RestError(405, `${request.method} is not possible here (possible: ${allowed})`);
  const response = errorAnswer(error, () => {});
  response.headers.set("allow", allowed);
  return response;
}

function noQuery(request: Request): undefined {
  const { searchParams } = new URL(request.url);
  const [name] = searchParams.keys();
  if (name !== undefined) throw new RestError(400, `${name}: unknown; known: none`);
  return undefined;
}

/** Texts become what the schema says of them. */
function queryOf(schema: JsonSchema, request: Request): unknown {
  const given: Record<string, unknown> = {};
  const properties = schema.properties as Record<string, JsonSchema>;
  for (const [name, text] of new URL(request.url).searchParams) {
    if (Object.hasOwn(given, name)) throw new RestError(400, `${name}: given twice`);
    const value = Object.hasOwn(properties, name) ? valueOf(properties[name]!, text) : text;
    Object.defineProperty(given, name, { value, enumerable: true });
  }
  const checked = checkValue(schema, given);
  if (!checked.ok) throw new RestError(400, checked.problem);
  return checked.value;
}

function valueOf({ type }: JsonSchema, text: string): unknown {
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  const isNumber = (type === "integer" || type === "number") && /^-?\d+(\.\d+)?$/.test(text);
  return isNumber ? Number(text) : text;
}

async function bodyOf({ body, bodyIsOptional }: Route, request: Request): Promise<unknown> {
  const text = await textOf(request);
  const type = request.headers.get("content-type");
  if (text === "" && bodyIsOptional === true) return {};
  // What a page of another origin could send without being asked is no JSON.
  if (type === null || !/^application\/json\s*(;|$)/i.test(type)) {
    throw new RestError(415, `Expected a body of application/json, got ${type ?? "one without a type"}`);
  }
  const checked = checkValue(body!.json, jsonOf(text));
  if (!checked.ok) throw new RestError(422, checked.problem);
  return checked.value;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RestError(400, `The body is no JSON: ${reason}`, { cause });
  }
}

async function textOf({ body, headers }: Request): Promise<string> {
  const tooLarge = () => new RestError(413, `The body has more than ${BODY_BYTES} bytes`);
  if (Number(headers.get("content-length") ?? 0) > BODY_BYTES) throw tooLarge();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > BODY_BYTES) throw tooLarge();
    pieces.push(piece);
  }
  const all = new Uint8Array(bytes);
  for (let [at, index] = [0, 0]; index < pieces.length; at += pieces[index++]!.length) {
    all.set(pieces[index]!, at);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(all);
  } catch (cause) {
    throw new RestError(400, "The body is not UTF-8", { cause });
  }
}
