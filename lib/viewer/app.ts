/** All routes of a viewer as one fetch handler. @module */
import { Hono } from "hono";
import { compressText, errorResponse, guardBrowsers, serveAsset } from "../web/mod.ts";
import { ApiError, apiErrorResponse } from "./api_error.ts";
import type { SourceState } from "./columns.ts";
import { page } from "./page.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { queryRoutes } from "./routes/query.ts";
import { type ViewerSource, withSections } from "./viewer_source.ts";

/** What only this page may load: its own files. */
const CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'";

/** The handler of a viewer. `hosts` are further names under which it is reached. */
export function viewerApp(
  shown: ViewerSource,
  options: { assetsDir?: string; hosts?: readonly string[] } = {},
): Hono {
  const assets = options.assetsDir === undefined ? {} : { overrideDir: options.assetsDir };
  const source = withSections(shown);
  const app = new Hono();
  app.use(guardBrowsers(options.hosts));
  app.use(compressText());
  app.onError((error, c) => c.req.path.startsWith("/api/") ? apiErrorResponse(error) : errorResponse(error));
  app.notFound((c) =>
    c.req.path.startsWith("/api/")
      ? apiErrorResponse(new ApiError("not_found", `no such endpoint: ${c.req.path}`))
      : c.text(`no such page: ${c.req.path}\n`, 404)
  );
  app.get(
    "/",
    (c) =>
      c.html(page(stateOf(source)), 200, {
        "content-security-policy": CONTENT_POLICY,
        "cache-control": "no-cache",
      }),
  );
  app.get("/viewer.js", (c) => serveAsset(c.req.raw, "web/viewer.js", assets));
  app.get("/viewer.css", (c) => serveAsset(c.req.raw, "web/viewer.css", assets));
  app.get(
    "/-/ready",
    (c) => source.state().end === undefined ? c.text("no data yet\n", 503) : c.text("ready\n"),
  );
  app.get("/-/healthy", (c) => c.text("healthy\n"));
  app.route("/api/v1", queryRoutes(source));
  app.route("/api/v1", metadataRoutes(source));
  return app;
}

/** What the page begins with; when the recording is damaged the page asks for it, and shows what is wrong. */
function stateOf(source: ViewerSource): SourceState | undefined {
  try {
    return source.state();
  } catch {
    return undefined; // The page's own request tells why.
  }
}
