/** The page of the console: a frame for the script, with what it needs to look right from the first moment. @module */
import { Hono } from "hono";
import { compressText, errorResponse, serveAsset } from "../web/mod.ts";
import type { Mounted } from "./door.ts";
import type { IchimiHost } from "./host.ts";
import { settingsOf } from "./rest/mod.ts";

/** What only this page may load: its own files. */
const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ICON = "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4f46e5"/>` +
    `<path d="M9 10l5 6-5 6M16 22h8" fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round" ` +
    `stroke-linejoin="round"/></svg>`,
);

/** Serves the page and its files. `assetsDir` is looked into first, and at each request. */
export function consolePage(
  { host, version, assetsDir }: {
    readonly host: IchimiHost;
    readonly version: string;
    readonly assetsDir?: string;
  },
): Mounted {
  const assets = assetsDir === undefined ? {} : { overrideDir: assetsDir };
  const app = new Hono();
  app.use(compressText());
  app.use(async (c, next) => {
    await next();
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
  });
  app.onError((error) => errorResponse(error));
  app.notFound((c) => c.text("not found\n", 404));
  app.get("/", (c) =>
    c.html(page({ settings: settingsOf(host), version }), 200, {
      "content-security-policy": CONTENT_POLICY,
      "cache-control": "no-cache",
    }));
  app.get("/ichimi.js", (c) => serveAsset(c.req.raw, "web/ichimi.js", assets));
  app.get("/ichimi.css", (c) => serveAsset(c.req.raw, "web/ichimi.css", assets));
  for (const path of ["/", "/ichimi.js", "/ichimi.css"]) {
    app.all(path, (c) => c.text("only GET is served\n", 405, { allow: "GET, HEAD" }));
  }
  return { fetch: (request) => app.fetch(request) };
}

/** The one HTML document. The script reads the settings from it. */
function page(begin: { readonly settings: ReturnType<typeof settingsOf>; readonly version: string }): string {
  const { color_mode: colors, language } = begin.settings;
  const theme = colors === "system" ? "" : ` data-theme="${colors}"`;
  return `<!doctype html>
<html lang="${language === "ja" ? "ja" : "en"}"${theme}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ichimi</title>
<meta name="begin" content="${attribute(JSON.stringify(begin))}">
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/ichimi.css">
<script type="module" src="/ichimi.js"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page shows processes with JavaScript.</noscript>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
