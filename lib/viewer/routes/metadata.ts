/** What there is to query: series, labels, help. @module */
import { Hono } from "hono";
import { parse, selectSeries } from "../../promql/mod.ts";
import type { SeriesInfo } from "../../tsdb/mod.ts";
import { badParam } from "../api_params.ts";
import { successJson } from "../prometheus_json.ts";
import type { ViewerSource } from "../viewer_source.ts";
import { json, paramsOf } from "./query.ts";

/** The version that `buildinfo` tells: Grafana picks its query features by it. */
const PROMETHEUS_VERSION = "3.14.0";

export function metadataRoutes(source: ViewerSource): Hono {
  const app = new Hono();
  app.on(["GET", "POST"], "/series", async (c) => {
    const params = await paramsOf(c);
    if (params.getAll("match[]").length === 0) throw badParam("match[]", "no match[] parameter provided");
    return json(successJson(limited(selected(source, params).map(({ labels }) => labels), params)));
  });
  app.on(["GET", "POST"], "/labels", async (c) => {
    const params = await paramsOf(c);
    const names = new Set(selected(source, params).flatMap(({ labels }) => Object.keys(labels)));
    return json(successJson(limited([...names].sort(), params)));
  });
  app.get("/label/:name/values", async (c) => {
    const params = await paramsOf(c);
    const name = c.req.param("name");
    const values = new Set(selected(source, params).flatMap(({ labels }) => labels[name] ?? []));
    return json(successJson(limited([...values].sort(), params)));
  });
  app.get("/metadata", async (c) => {
    const params = await paramsOf(c);
    const only = params.get("metric");
    const help = source.series.help();
    const metadata: Record<string, { type: string; help: string; unit: string }[]> = {};
    for (const { labels, type, unit = "" } of source.series.series()) {
      const name = labels.__name__ ?? "";
      if (only !== null && only !== name) continue;
      metadata[name] ??= [{ type, help: help[name] ?? "", unit }];
    }
    return json(successJson(metadata));
  });
  app.get(
    "/status/buildinfo",
    () => json(successJson({ version: PROMETHEUS_VERSION, application: "hostkit" })),
  );
  app.get("/events", (c) => {
    const since = c.req.query("since") ?? "0";
    if (!/^\d{1,16}$/.test(since)) throw badParam("since", "expected the number of an event");
    return json(successJson(source.events?.(Number(since)) ?? []));
  });
  app.get("/status/source", () => json(successJson(source.state())));
  return app;
}

/** The series that fit any of the `match[]` selectors; all when there is none. */
function selected(source: ViewerSource, params: URLSearchParams): readonly SeriesInfo[] {
  const all = source.series.series();
  const selectors = params.getAll("match[]");
  if (selectors.length === 0) return all;
  const found = new Set<SeriesInfo>();
  for (const text of selectors) {
    const expr = parse(text);
    if (expr.kind !== "vectorSelector") throw badParam("match[]", `${JSON.stringify(text)} is no selector`);
    for (const info of selectSeries(all, expr.matchers)) found.add(info);
  }
  return [...found];
}

function limited<T>(list: T[], params: URLSearchParams): T[] {
  const limit = Number(params.get("limit") ?? 0);
  return limit > 0 ? list.slice(0, limit) : list;
}
