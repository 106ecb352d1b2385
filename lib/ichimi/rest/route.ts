/** What a route of the REST interface is: one description that answers requests and stands in the OpenAPI document. @module */
import type { Schema } from "../../mcp/mod.ts";
import type { IchimiHost } from "../host.ts";
import type { Lifetimes } from "../lifetimes.ts";
import type { Timeline } from "../timeline.ts";
import type { UsageHistory } from "../usage_history.ts";

/** What routes work on. */
export interface RestContext {
  readonly host: IchimiHost;
  readonly lifetimes: Lifetimes;
  readonly timeline: Timeline;
  readonly usage: UsageHistory;
  readonly version: string;
}

/** A request whose parts are what the route has said of them. */
export interface Asked<Q, B> {
  /** What stands at a `{name}` of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly request: Request;
  readonly signal: AbortSignal;
}

/** A good answer. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly description: string;
  /** Of JSON; left out where there is no body, or one of another type. */
  readonly schema?: Schema<unknown>;
  /** Of a body that is no JSON. */
  readonly type?: "text/event-stream" | "application/octet-stream" | "application/json";
}

/** What can go wrong beside what can with every request. */
export type Failure = 404 | 409 | 413 | 422;

export interface Route {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** Below `/api`, with parts like `{id}`. */
  readonly path: string;
  /** Unique. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly query?: Schema<unknown>;
  readonly body?: Schema<unknown>;
  /** A request without a body means `{}`. */
  readonly bodyIsOptional?: boolean;
  readonly answer: Answer;
  readonly failures: readonly Failure[];
  /** A response, or the value of the JSON. @throws {HostError | RestError} */
  run(asked: Asked<unknown, unknown>): unknown;
}

/** Keeps the types of schemas and handler together. */
export function route<Q = undefined, B = undefined>(
  definition: Omit<Route, "query" | "body" | "run" | "failures"> & {
    readonly query?: Schema<Q>;
    readonly body?: Schema<B>;
    readonly failures?: readonly Failure[];
    run(asked: Asked<Q, B>): unknown;
  },
): Route {
  return { failures: [], ...definition, run: (asked) => definition.run(asked as Asked<Q, B>) };
}
