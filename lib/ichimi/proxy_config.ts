/** The tables `[proxy.NAME]`: MCP servers behind a supervising proxy. Pure. @module */
import { duration, namedTables, optionalText, stringMap, strings, toggle } from "../config/mod.ts";

export const PROXY_TABLES = namedTables({
  command: strings({
    help: "What is run, a word each: a server over standard input and output, or the one that serves at url.",
    example: ["node", "dist/server.js"],
  }),
  url: optionalText({ help: "Where a server over HTTP is.", example: "http://127.0.0.1:3001/mcp" }),
  token_file: optionalText({ help: "File with what it wants to be shown.", example: "/home/alice/.token" }),
  folder: optionalText({
    help: "Where it is built, run and watched; where the proxy is started by default.",
    example: "/home/alice/shop",
  }),
  env: stringMap({ help: "Environment variables beside the proxy's own.", example: { LOG: "debug" } }),
  build: optionalText({ help: "Shell command that makes it, before each start.", example: "npm run build" }),
  watch: strings({ help: "Files whose change makes a new one.", example: ["src/**/*.ts"] }),
  tools: toggle({
    help: "Shows proxy_status, proxy_restart and proxy_logs beside its tools.",
    fallback: false,
  }),
  wait: duration({
    help: "How long a request waits for a server that is not there.",
    fallback: "30s",
  }),
  call_limit: duration({
    help: "How long a request may take. Then it is given up, and it is looked whether the server hangs.",
    fallback: "1h",
    minMs: 1,
  }),
  ping: duration({
    help: "How long a server that has work may be silent before it is asked whether it lives; 0s: never.",
    fallback: "30s",
  }),
  hang_limit: duration({
    help: "How long it may take to answer that, or to read. Then it is killed, and started anew.",
    fallback: "2m",
    minMs: 1,
  }),
  start_limit: duration({ help: "How long a new one may take to answer first.", fallback: "1m", minMs: 1 }),
  drain: duration({
    help: "How long one that was replaced may take to finish what it has.",
    fallback: "5s",
  }),
}, {
  help: "MCP servers that are replaced behind their client's back: ichimi-server proxy NAME.",
  example: "shop",
});
