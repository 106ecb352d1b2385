/**
 * The page: a frame for the script. Icon and source's state stand in the text, so that they need no further request.
 * @module
 */
import type { SourceState } from "./columns.ts";

const ICON = "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>` +
    `<path d="M6 20h4l3-10 5 14 3-8 1.5 4H26" fill="none" stroke="#fff" stroke-width="2.6" ` +
    `stroke-linecap="round" stroke-linejoin="round"/></svg>`,
);

/** The one HTML document. The script reads `state` from it; without it the script asks. */
export function page(state: SourceState | undefined): string {
  const meta = state === undefined
    ? ""
    : `<meta name="source" content="${attribute(JSON.stringify(state))}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rezolus</title>
${meta}<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/viewer.css">
<script type="module" src="/viewer.js"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page draws its charts with JavaScript.</noscript>
</body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
