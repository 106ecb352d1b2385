/**
 * REST over the processes of a user, under upstream's routes, with an OpenAPI document of the same descriptions that check
 * requests.
 *
 * Reading order: `route.ts` (what a route is), `router.ts` (how one is found, asked and answered), `errors.ts`, `shapes.ts`,
 * then the subjects: `status.ts`, `processes.ts`, `logs.ts` with `log_tail.ts`, `live.ts` with `event_stream.ts`,
 * `templates.ts`, `clipboard.ts`, `snapshots.ts`, `allowed.ts`; `openapi.ts`. Who may ask at all is the door's business.
 * @module
 */
import { jsonSchema } from "../../mcp/mod.ts";
import type { Mounted } from "../door.ts";
import { allowedRoutes } from "./allowed.ts";
import { clipboardRoutes } from "./clipboard.ts";
import { liveRoutes } from "./live.ts";
import { logRoutes } from "./logs.ts";
import { openApi } from "./openapi.ts";
import { processRoutes } from "./processes.ts";
import { type RestContext, type Route, route } from "./route.ts";
import { restRouter } from "./router.ts";
import { SHAPES } from "./shapes.ts";
import { snapshotRoutes } from "./snapshots.ts";
import { statusRoutes } from "./status.ts";
import { templateRoutes } from "./templates.ts";

export { type RestContext, type Route } from "./route.ts";
export { settingsOf } from "./status.ts";

/** All routes below `/api`. @param tell Told of bugs. */
export function restRoutes(context: RestContext, tell: (text: string) => void): Mounted {
  const routes: Route[] = [
    ...statusRoutes(context),
    ...processRoutes(context),
    ...logRoutes(context),
    ...liveRoutes(context),
    ...templateRoutes(context),
    ...clipboardRoutes(context),
    ...snapshotRoutes(context),
    ...allowedRoutes(context),
    route({
      method: "get",
      path: "/openapi.json",
      id: "getOpenApi",
      tag: "daemon",
      summary: "This document",
      answer: { status: 200, description: "OpenAPI 3.1", schema: jsonSchema({ type: "object" }) },
      run: () => document ??= openApi(routes, { version: context.version, schemas: SHAPES }),
    }),
  ];
  let document: Record<string, unknown> | undefined;
  return { fetch: restRouter(routes, tell) };
}
