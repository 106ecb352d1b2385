/** The OpenAPI document of the REST interface, from the descriptions that answer it. Pure. @module */
import type { JsonSchema, Schema } from "../../mcp/mod.ts";
import { CODES, ERROR } from "./errors.ts";
import type { Route } from "./route.ts";

/** What the document says of itself. */
export interface OpenApiInfo {
  readonly version: string;
  /** Shapes that have a name, and are referred to by it. */
  readonly schemas: Readonly<Record<string, Schema<unknown>>>;
}

/** OpenAPI 3.1 as plain data. */
export function openApi(
  routes: readonly Route[],
  { version, schemas }: OpenApiInfo,
): Record<string, unknown> {
  const named = new Map<unknown, string>([[ERROR.json, "Error"]]);
  for (const [name, { json }] of Object.entries(schemas)) named.set(json, name);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = paths[`/api${route.path}`] ??= {};
    path[route.method] = operation(route, named);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "ichimi-server",
      version,
      summary: "Processes that outlive the sessions of assistants",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { cookie: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(
        [...named].map(([json, name]) => [name, inside(json as JsonSchema, named)]),
      ),
      responses: Object.fromEntries(
        Object.entries(CODES).map(([, code]) => [code, {
          description: DESCRIPTIONS[code],
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        }]),
      ),
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        cookie: { type: "apiKey", in: "cookie", name: "ichimi-UID" },
      },
    },
  };
}

const DESCRIPTIONS: Readonly<Record<(typeof CODES)[keyof typeof CODES], string>> = {
  bad_request: "Something that is asked for cannot be read",
  no_token: "The token is missing, or is another one",
  not_found: "There is no such thing",
  method_not_allowed: "This cannot be done here",
  conflict: "It is there already, or not in a state for that",
  too_large: "The body is too large",
  unsupported_media_type: "The body is no JSON",
  refused: "The body has another shape, or what it asks for is not allowed",
  internal_error: "A bug",
};

function operation(route: Route, named: ReadonlyMap<unknown, string>): Record<string, unknown> {
  const { id, tag, summary, answer, body, bodyIsOptional } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route, named)];
  const failures = new Set<number>([401, ...route.failures]);
  if (parameters.length > 0 || body !== undefined) failures.add(400);
  if (body !== undefined) { for (const status of [413, 415, 422]) failures.add(status); }
  const type = answer.type ?? (answer.schema === undefined ? undefined : "application/json");
  const content = type === undefined ? {} : {
    content: { [type]: answer.schema === undefined ? {} : { schema: shown(answer.schema.json, named) } },
  };
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: bodyIsOptional !== true,
        content: { "application/json": { schema: shown(body.json, named) } },
      },
    }),
    responses: {
      [answer.status]: { description: answer.description, ...content },
      ...Object.fromEntries(
        [...failures].sort().map((status) => [
          status,
          { $ref: `#/components/responses/${CODES[status as keyof typeof CODES]}` },
        ]),
      ),
    },
  };
}

function pathParameters({ path }: Route): unknown[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ query }: Route, named: ReadonlyMap<unknown, string>): unknown[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = query.json as {
    readonly properties?: Record<string, JsonSchema>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: shown(schema, named),
  }));
}

/** A schema, where it has a name as a reference to it. */
function shown(schema: JsonSchema, named: ReadonlyMap<unknown, string>): unknown {
  const name = named.get(schema);
  return name === undefined ? inside(schema, named) : { $ref: `#/components/schemas/${name}` };
}

function inside(value: unknown, named: ReadonlyMap<unknown, string>): unknown {
  if (Array.isArray(value)) return value.map((each) => shown(each, named));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each, named)]));
}
